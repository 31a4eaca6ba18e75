"""Tickets in the store: every change of a purchase with all that follows from it, in one transaction.

Each change begins by moving the purchase from the state that it is thought to be in, which only one of several who
try at the same time succeeds in. Rows are locked in one order, offer, ticket, earnings, so that nobody waits in a
circle. Nothing here talks to a payment provider: what is to be done there follows from the states, which stand in
the store before it is done (``pending``, ``refunding``), so that a process that dies in between loses nothing.
"""

import secrets
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.errors import Problem
from media.server.tickets.books import Books
from media.server.tickets.rows import HELD, OPEN, REFUNDED, TICKET, Ticket, ticket_of
from media.server.tickets.tables import EARNINGS, TICKET_OFFERS, TICKETS
from media.space.tickets import HOLDS, Payment, Purchase, next_purchase, split

_O: Final = TICKET_OFFERS.c
_T: Final = TICKETS.c


class Till(Books):
    """Changes, each a transaction of its own, but for those that are written with a change of the Space."""

    async def offer(
        self, space_id: str, host_id: str, price: int, quantity: int, connection: AsyncConnection
    ) -> None:
        """Put tickets on sale, or change how many there are, in the transaction of a connection.

        :raises Problem: 409, more were sold meanwhile, or one was and the price is another
        """
        values: dict[str, Any] = {"price": price, "quantity": quantity}
        same = sa.or_(_O.taken == 0, _O.price == price)
        change = sa.update(TICKET_OFFERS).where(_O.space_id == space_id, _O.taken <= quantity, same)
        if (await connection.execute(change.values(values))).rowcount == 0:
            row = values | {"space_id": space_id, "host_id": host_id, "taken": 0, "state": OPEN}
            try:
                await connection.execute(sa.insert(TICKET_OFFERS).values(row))
            except IntegrityError:
                sentence = "Tickets were sold at this moment; offer at least as many, at the same price."
                raise Problem(409, "wrong-state", sentence) from None
        sold_before = sa.exists().where(EARNINGS.c.host_id == host_id)
        account = sa.select(sa.literal(host_id), sa.literal(0)).where(~sold_before)
        await connection.execute(sa.insert(EARNINGS).from_select(["host_id", "cents"], account))

    async def withdraw(self, space_id: str, connection: AsyncConnection) -> int:
        """Take tickets off sale, if none is sold or reserved; return how many are."""
        gone = sa.delete(TICKET_OFFERS).where(_O.space_id == space_id, _O.taken == 0, _O.state == OPEN)
        await connection.execute(gone)
        query = sa.select(_O.taken).where(_O.space_id == space_id)
        return (await connection.execute(query)).scalar() or 0

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

        Money for a Space that is over goes back at once.

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
            query = sa.select(*TICKET).where(_T.id == ticket.id)
            return ticket_of((await connection.execute(query)).one())

    async def _book(self, connection: AsyncConnection, ticket: Ticket, store_fee: int, now: float) -> None:
        """Share the money of a ticket that is paid; or, if the Space is over, send it back."""
        query = sa.select(_O.state).where(_O.space_id == ticket.space_id)
        if (await connection.execute(query)).scalar_one() != OPEN:
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
            rows = [ticket_of(row) for row in await connection.execute(sa.select(*TICKET).where(*gone))]
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
