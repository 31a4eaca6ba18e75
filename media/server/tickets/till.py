"""Tickets in the store: every change of a purchase with all that follows from it, in one transaction.

Each change begins by moving the purchase from the state that it is thought to be in, which only one of several who
try at the same time succeeds in. Rows are locked in one order, offer, ticket, earnings, so that nobody waits in a
circle. Nothing here talks to a payment provider: what is to be done there follows from the states, which stand in
the store before it is done (``pending``, ``refunding``), so that a process that dies in between loses nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from media.server.errors import Problem
from media.server.tickets.tables import EARNINGS, TICKET_OFFERS, TICKETS
from media.space.tickets import HOLDS, Payment, Purchase, Split, next_purchase, split

OPEN: Final = "open"
HELD: Final = "held"
"""The Space has taken place."""
REFUNDED: Final = "refunded"

_O: Final = TICKET_OFFERS.c
_T: Final = TICKETS.c


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What is sold for a Space."""

    space_id: str
    host_id: str
    price: int
    quantity: int
    taken: int
    state: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A purchase."""

    id: str
    space_id: str
    host_id: str
    user_id: str
    price: int
    state: Purchase
    reason: str
    created_at: float
    next_at: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Account:
    """What a host earns by one Space, in cents."""

    space_id: str
    state: str
    sold: int
    gross: int
    shares: Split


_TICKET: Final = tuple(_T[name] for name in Ticket.__dataclass_fields__)
_OFFER: Final = tuple(_O[name] for name in OfferRow.__dataclass_fields__)


class Till:
    """Queries and changes, each a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def offer(self, space_id: str, host_id: str, price: int, quantity: int) -> None:
        """Put tickets on sale, or change how many there are.

        :raises Problem: 409, more were sold meanwhile
        """
        values: dict[str, Any] = {"price": price, "quantity": quantity}
        try:
            async with self._engine.begin() as connection:
                change = sa.update(TICKET_OFFERS).where(_O.space_id == space_id, _O.taken <= quantity)
                if (await connection.execute(change.values(values))).rowcount == 0:
                    row = values | {"space_id": space_id, "host_id": host_id, "taken": 0, "state": OPEN}
                    await connection.execute(sa.insert(TICKET_OFFERS).values(row))
        except IntegrityError:
            sentence = "More tickets than that were sold at this moment; offer as many."
            raise Problem(409, "wrong-state", sentence) from None
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.insert(EARNINGS).values(host_id=host_id, cents=0))
        except IntegrityError:
            pass  # they have sold tickets before

    async def withdraw(self, space_id: str) -> int:
        """Take tickets off sale, if none is sold or reserved; return how many are."""
        async with self._engine.begin() as connection:
            gone = sa.delete(TICKET_OFFERS).where(_O.space_id == space_id, _O.taken == 0, _O.state == OPEN)
            await connection.execute(gone)
            query = sa.select(_O.taken).where(_O.space_id == space_id)
            return (await connection.execute(query)).scalar() or 0

    async def offer_of(self, space_id: str) -> OfferRow | None:
        """Read what is sold for a Space."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(*_OFFER).where(_O.space_id == space_id))).first()
        return None if row is None else OfferRow(*row)

    async def open_offers(self) -> list[str]:
        """Read which Spaces have tickets whose money is not settled yet."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(sa.select(_O.space_id).where(_O.state == OPEN))).scalars())

    async def reserve(self, space_id: str, user_id: str, now: float, until: float) -> Ticket:
        """Take a ticket off those that are left, for as long as its payment may take.

        :raises Problem: 409, none is left, or the person has one
        """
        number = secrets.token_hex(16)
        try:
            async with self._engine.begin() as connection:
                left = sa.update(TICKET_OFFERS).where(
                    _O.space_id == space_id, _O.state == OPEN, _O.taken < _O.quantity
                )
                if (await connection.execute(left.values(taken=_O.taken + 1))).rowcount == 0:
                    raise Problem(409, "sold-out", "All tickets of this Space are sold or being paid for.")
                query = sa.select(_O.host_id, _O.price).where(_O.space_id == space_id)
                host_id, price = (await connection.execute(query)).one()
                values: dict[str, Any] = {
                    "id": number,
                    "space_id": space_id,
                    "host_id": host_id,
                    "user_id": user_id,
                    "holder": user_id,
                    "price": price,
                    "store_fee": 0,
                    "creator": 0,
                    "platform": 0,
                    "state": Purchase.PENDING.value,
                    "reason": "",
                    "created_at": now,
                    "next_at": until,
                    "attempts": 0,
                }
                await connection.execute(sa.insert(TICKETS).values(values))
        except IntegrityError:
            sentence = "You have a ticket to this Space, or are paying for one; GET /users/me/tickets shows it."
            raise Problem(409, "has-ticket", sentence) from None
        return Ticket(number, space_id, host_id, user_id, price, Purchase.PENDING, "", now, until, 0)

    async def move(
        self, ticket: Ticket, happening: Payment, now: float, *, store_fee: int = 0, reason: str = ""
    ) -> Ticket | None:
        """Change a purchase as the table says, and do what follows; None if another was faster.

        Paid money of a Space that is refunded already goes back at once.

        :raises WrongStateError: the table has no such change
        """
        new = next_purchase(ticket.state, happening)
        async with self._engine.begin() as connection:
            lock = sa.select(_O.state).where(_O.space_id == ticket.space_id).with_for_update()
            await connection.execute(lock)
            values: dict[str, Any] = {"state": new.value, "reason": reason, "attempts": 0, "next_at": None}
            if new is Purchase.REFUNDING:
                values["next_at"] = now
            if new not in HOLDS:
                values["holder"] = None
            mine = sa.update(TICKETS).where(_T.id == ticket.id, _T.state == ticket.state.value)
            if (await connection.execute(mine.values(values))).rowcount == 0:
                return None
            if ticket.state is Purchase.PENDING and new is not Purchase.PAID:
                change = sa.update(TICKET_OFFERS).where(_O.space_id == ticket.space_id)
                await connection.execute(change.values(taken=_O.taken - 1))
            if new is Purchase.PAID:
                await self._book(connection, ticket, store_fee, now)
            query = sa.select(*_TICKET).where(_T.id == ticket.id)
            return _ticket((await connection.execute(query)).one())

    async def _book(self, connection: AsyncConnection, ticket: Ticket, store_fee: int, now: float) -> None:
        """Share the money of a ticket that is paid; or send it back."""
        query = sa.select(_O.state).where(_O.space_id == ticket.space_id)
        if (await connection.execute(query)).scalar_one() == REFUNDED:
            back = {"state": Purchase.REFUNDING.value, "holder": None, "next_at": now}
            await connection.execute(sa.update(TICKETS).where(_T.id == ticket.id).values(back))
            return
        mine = EARNINGS.c.host_id == ticket.host_id
        earned = (await connection.execute(sa.select(EARNINGS.c.cents).where(mine).with_for_update())).scalar_one()
        shares = split(ticket.price, store_fee, earned)
        values = {"store_fee": shares.store_fee, "creator": shares.creator, "platform": shares.platform}
        await connection.execute(sa.update(TICKETS).where(_T.id == ticket.id).values(values))
        await connection.execute(sa.update(EARNINGS).where(mine).values(cents=EARNINGS.c.cents + shares.creator))

    async def settle(self, space_id: str, *, refund: bool, now: float) -> list[Ticket]:
        """Close the sale of a Space that is over; return the tickets whose money goes back."""
        async with self._engine.begin() as connection:
            close = sa.update(TICKET_OFFERS).where(_O.space_id == space_id, _O.state == OPEN)
            state = REFUNDED if refund else HELD
            if (await connection.execute(close.values(state=state))).rowcount == 0 or not refund:
                return []
            paid = sa.and_(_T.space_id == space_id, _T.state == Purchase.PAID.value)
            back = {"state": Purchase.REFUNDING.value, "holder": None, "next_at": now, "attempts": 0}
            await connection.execute(sa.update(TICKETS).where(paid).values(back))
            gone = (_T.space_id == space_id, _T.state == Purchase.REFUNDING.value)
            rows = [_ticket(row) for row in await connection.execute(sa.select(*_TICKET).where(*gone))]
            if rows:
                query = sa.select(sa.func.sum(_T.creator)).where(*gone)
                lost = (await connection.execute(query)).scalar_one()
                change = sa.update(EARNINGS).where(EARNINGS.c.host_id == rows[0].host_id)
                await connection.execute(change.values(cents=EARNINGS.c.cents - lost))
                nothing = {"store_fee": 0, "creator": 0, "platform": 0}
                await connection.execute(sa.update(TICKETS).where(*gone).values(nothing))
            return rows

    async def postpone(self, ticket: Ticket, attempts: int, until: float) -> None:
        """Try a refund, or giving a payment up, again later."""
        change = sa.update(TICKETS).where(_T.id == ticket.id, _T.state == ticket.state.value)
        async with self._engine.begin() as connection:
            await connection.execute(change.values(attempts=attempts, next_at=until))

    async def due(self, now: float, limit: int) -> list[Ticket]:
        """Read purchases that something is to be done about, the longest waiting first."""
        query = sa.select(*_TICKET).where(_T.next_at <= now).order_by(_T.next_at, _T.id).limit(limit)
        async with self._engine.connect() as connection:
            return [_ticket(row) for row in await connection.execute(query)]

    async def pending(self) -> list[Ticket]:
        """Read purchases whose payment is under way."""
        query = sa.select(*_TICKET).where(_T.state == Purchase.PENDING.value, _T.next_at.is_not(None))
        async with self._engine.connect() as connection:
            return [_ticket(row) for row in await connection.execute(query)]

    async def next_due(self) -> float | None:
        """When something is next to be done (Unix seconds), or None."""
        async with self._engine.connect() as connection:
            return (await connection.execute(sa.select(sa.func.min(_T.next_at)))).scalar()

    async def get(self, ticket_id: str) -> Ticket | None:
        """Read a purchase."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(*_TICKET).where(_T.id == ticket_id))).first()
        return None if row is None else _ticket(row)

    async def of_user(self, user_id: str, before: tuple[float, str] | None, limit: int) -> list[Ticket]:
        """Read a person's purchases, newest first; ``before``: time and id of the last that was read."""
        query = sa.select(*_TICKET).where(_T.user_id == user_id)
        if before is not None:
            at, number = before
            query = query.where(sa.or_(_T.created_at < at, sa.and_(_T.created_at == at, _T.id < number)))
        query = query.order_by(_T.created_at.desc(), _T.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [_ticket(row) for row in await connection.execute(query)]

    async def buyers(self, space_id: str, after: str, limit: int) -> list[Ticket]:
        """Read the paid tickets of a Space, in the order of the names of who holds them."""
        paid = (_T.space_id == space_id, _T.state == Purchase.PAID.value, _T.user_id > after)
        query = sa.select(*_TICKET).where(*paid).order_by(_T.user_id).limit(limit)
        async with self._engine.connect() as connection:
            return [_ticket(row) for row in await connection.execute(query)]

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

    async def accounts(self, host_id: str) -> list[Account]:
        """Read what a host earns by each Space, in the order of their ids."""
        paid = sa.case((_T.state == Purchase.PAID.value, 1), else_=0)
        columns = (sa.func.sum(paid * column) for column in (1, _T.price, _T.store_fee, _T.creator, _T.platform))
        query = (
            sa.select(_O.space_id, _O.state, *(sa.func.coalesce(column, 0) for column in columns))
            .select_from(TICKET_OFFERS.outerjoin(TICKETS, _T.space_id == _O.space_id))
            .where(_O.host_id == host_id)
            .group_by(_O.space_id, _O.state)
            .order_by(_O.space_id)
        )
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [Account(r[0], r[1], int(r[2]), int(r[3]), Split(*map(int, r[4:]))) for r in rows]


def _ticket(row: sa.Row[Any]) -> Ticket:
    ticket = Ticket(*row)
    return replace(ticket, state=Purchase(ticket.state))
