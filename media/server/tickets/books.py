"""Tickets in the store, read: offers, purchases, and what hosts have earned by them."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from media.server.database import Database
from media.server.tickets.rows import OFFER, OPEN, TICKET, Account, OfferRow, Ticket, ticket_of
from media.server.tickets.tables import EARNINGS, TICKET_OFFERS, TICKETS
from media.space.tickets import Purchase, Split

_O: Final = TICKET_OFFERS.c
_T: Final = TICKETS.c


class Books:
    """Queries."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def offer_of(self, space_id: str) -> OfferRow | None:
        """Read what is sold for a Space."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(*OFFER).where(_O.space_id == space_id))).first()
        return None if row is None else OfferRow(*row)

    async def held(self, space_ids: Sequence[str], user_id: str) -> list[tuple[OfferRow, Purchase | None]]:
        """Read what is sold for some Spaces, and of each a person's ticket, paid or being paid for."""
        mine = sa.and_(_T.space_id == _O.space_id, _T.holder == user_id)
        query = sa.select(*OFFER, _T.state).select_from(TICKET_OFFERS.outerjoin(TICKETS, mine))
        query = query.where(_O.space_id.in_(space_ids))
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [(OfferRow(*row[:-1]), None if row[-1] is None else Purchase(row[-1])) for row in rows]

    async def open_offers(self) -> list[str]:
        """Read which Spaces have tickets whose money is not settled yet."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(sa.select(_O.space_id).where(_O.state == OPEN))).scalars())

    async def due(self, now: float, limit: int) -> list[Ticket]:
        """Read purchases that something is to be done about, the longest waiting first."""
        query = sa.select(*TICKET).where(_T.next_at <= now).order_by(_T.next_at, _T.id).limit(limit)
        async with self._engine.connect() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def pending(self) -> list[Ticket]:
        """Read purchases whose payment is under way."""
        query = sa.select(*TICKET).where(_T.state == Purchase.PENDING.value, _T.next_at.is_not(None))
        async with self._engine.connect() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def next_due(self) -> float | None:
        """When something is next to be done (Unix seconds), or None."""
        async with self._engine.connect() as connection:
            return (await connection.execute(sa.select(sa.func.min(_T.next_at)))).scalar()

    async def get(self, ticket_id: str) -> Ticket | None:
        """Read a purchase."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(*TICKET).where(_T.id == ticket_id))).first()
        return None if row is None else ticket_of(row)

    async def of_user(self, user_id: str, before: tuple[float, str] | None, limit: int) -> list[Ticket]:
        """Read a person's purchases, newest first; ``before``: time and id of the last that was read."""
        query = sa.select(*TICKET).where(_T.user_id == user_id)
        if before is not None:
            at, number = before
            query = query.where(sa.or_(_T.created_at < at, sa.and_(_T.created_at == at, _T.id < number)))
        query = query.order_by(_T.created_at.desc(), _T.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def buyers(self, space_id: str, after: str, limit: int) -> list[Ticket]:
        """Read the paid tickets of a Space, in the order of the names of who holds them."""
        paid = (_T.space_id == space_id, _T.state == Purchase.PAID.value, _T.user_id > after)
        query = sa.select(*TICKET).where(*paid).order_by(_T.user_id).limit(limit)
        async with self._engine.connect() as connection:
            return [ticket_of(row) for row in await connection.execute(query)]

    async def holders(self, space_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Read who holds paid tickets: pairs of Space and person."""
        found: list[tuple[str, str]] = []
        async with self._engine.connect() as connection:
            for start in range(0, len(space_ids), 500):
                some = space_ids[start : start + 500]
                query = sa.select(_T.space_id, _T.user_id).where(
                    _T.space_id.in_(some), _T.state == Purchase.PAID.value
                )
                found += [(row.space_id, row.user_id) for row in await connection.execute(query)]
        return found

    async def earned(self, host_id: str) -> int:
        """Read what a host has earned in all, in cents."""
        async with self._engine.connect() as connection:
            query = sa.select(EARNINGS.c.cents).where(EARNINGS.c.host_id == host_id)
            return (await connection.execute(query)).scalar() or 0

    async def accounts(self, host_id: str, after: str, limit: int) -> list[Account]:
        """Read what a host earns by each Space, in the order of their ids, those after ``after``."""
        paid = sa.case((_T.state == Purchase.PAID.value, 1), else_=0)
        columns = (sa.func.sum(paid * column) for column in (1, _T.price, _T.store_fee, _T.creator, _T.platform))
        query = (
            sa.select(_O.space_id, _O.state, *(sa.func.coalesce(column, 0) for column in columns))
            .select_from(TICKET_OFFERS.outerjoin(TICKETS, _T.space_id == _O.space_id))
            .where(_O.host_id == host_id, _O.space_id > after)
            .group_by(_O.space_id, _O.state)
            .order_by(_O.space_id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [Account(r[0], r[1], int(r[2]), int(r[3]), Split(*map(int, r[4:]))) for r in rows]
