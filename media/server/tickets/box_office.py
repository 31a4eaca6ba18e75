"""The box office: sells tickets through a payment provider, lets their holders in, and gives money back.

What is under way stands in the store before the provider is asked, and is brought to an end by a task that looks
for what is overdue: a payment that nobody heard of again, a refund that failed. So it does not matter when a
process dies, nor whether an answer of the provider comes late, twice or never.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from media.server.accounts import Accounts
from media.server.changes import Beside
from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.events.hub import Hub
from media.server.events.schema import TicketData
from media.server.spaces import Spaces
from media.server.tables import SPACES
from media.server.tickets.payments import Charge, Outcome, PaymentError, Payments
from media.server.tickets.rows import Ticket
from media.server.tickets.shapes import TicketTag
from media.server.tickets.till import Till
from media.space.errors import WrongStateError
from media.space.events import Events, SpaceCanceled, SpaceEnded
from media.space.policy import Policy
from media.space.space import Space
from media.space.states import State
from media.space.tickets import Offer, Payment, Purchase, Seller, needs_ticket, window

log = logging.getLogger(__name__)

RESERVED: Final = 600.0
"""Seconds that a payment may take, for which the ticket is kept."""
BACKOFF: Final = 5.0
"""Seconds until the provider is asked again; doubled each time, up to an hour, and never given up."""
BACKOFF_MAX: Final = 3600.0
REST: Final = 1.0
"""Seconds until the store is looked at again that was not ready."""
AT_ONCE: Final = 16
OVER: Final = (State.ENDED, State.CANCELED)


class BoxOffice:
    """Driven by its routes, by what happens in Spaces, by the provider, and by a task of its own."""

    def __init__(
        self,
        spaces: Spaces,
        accounts: Accounts,
        till: Till,
        payments: Payments | None,
        hub: Hub,
        clock: Callable[[], float],
    ) -> None:
        """Take a provider, None where nothing can be sold, and a clock in Unix seconds."""
        self.till = till
        self._spaces = spaces
        self._accounts = accounts
        self._payments = payments
        self._hub = hub
        self._clock = clock
        self._holders: dict[str, set[str]] = {}
        """Who holds a paid ticket, by Space, while it is not over."""
        self._over: set[str] = set()
        """Spaces whose sale is to be closed."""
        self._news = asyncio.Event()
        self._sweeping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        spaces.watch(self.watch)

    @property
    def payments(self) -> Payments:
        """The provider.

        :raises Problem: 409, there is none
        """
        if self._payments is None:
            raise Problem(409, "payments-off", "This server takes no payments; start it with --payments test.")
        return self._payments

    async def open(self) -> None:
        """Take up what the last process left; the Spaces are there."""
        offers = await self.till.open_offers()
        for space_id, person in await self.till.holders(offers):
            self._holders.setdefault(space_id, set()).add(person)
        self._over.update(offers)  # whose Spaces are not over, and stay open
        if self._payments is not None:
            await self._payments.open(self.settled)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End; what is under way is taken up by the next process."""
        if self._payments is not None:
            await self._payments.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def check_entry(self, space: Space, person: str | None) -> None:
        """Pass if a person, None for somebody anonymous, needs no ticket or has one.

        :raises Problem: 402, with where to buy one
        """
        if not needs_ticket(space, person) or person in self._holders.get(space.id, ()):
            return
        assert space.tickets is not None
        where = f"/spaces/{space.id}/tickets/purchases"
        sentence = (
            f"This Space takes a ticket, which costs {space.tickets.price / 100:.2f} USD; POST {where} buys one."
        )
        raise Problem(402, "no-ticket", sentence, headers={"Link": f'<{where}>; rel="payment"'})

    @property
    def open_for_sale(self) -> bool:
        """Whether there is a provider."""
        return self._payments is not None

    async def seller(self, host: str, policy: Policy) -> Seller:
        """Read what decides whether a host may sell tickets under a policy."""
        user = await self._accounts.get(host)
        since = self._clock() - window(policy)
        started = SPACES.c.record["started_at"].as_float()
        query = sa.select(sa.func.count()).where(SPACES.c.creator_id == host, started >= since)
        async with self._spaces.store.database.connect() as connection:
            hosted = (await connection.execute(query)).scalar_one()
        return Seller(user is not None and user.adult, user.followers_count if user else 0, hosted)

    def on_sale(self, offer: Offer) -> Callable[[Space], Beside]:
        """Return what puts tickets to a new Space on sale, in the transaction that it is written in."""

        def of(space: Space) -> Beside:
            return partial(self.till.offer, space.id, space.host, offer.price, offer.quantity)

        return of

    async def tags(self, person: str, spaces: Sequence[Space]) -> dict[str, TicketTag]:
        """Return what the cards of Spaces say of tickets to a person; nothing for those that take none."""
        sold = {space.id: space for space in spaces if space.tickets is not None}
        if not sold:
            return {}
        return {
            offer.space_id: TicketTag.of(
                offer, sold[offer.space_id].state, held, needed=needs_ticket(sold[offer.space_id], person)
            )
            for offer, held in await self.till.held(list(sold), person)
        }

    async def buy(self, space: Space, person: str, method: str) -> Ticket:
        """Reserve a ticket and begin to take the money for it.

        :raises Problem: 409, why not
        """
        if space.tickets is None:
            raise Problem(409, "no-tickets", "This Space takes no ticket; come in.")
        if space.state not in (State.SCHEDULED, State.LIVE):
            raise WrongStateError(f"Tickets to a Space that is {space.state} are not sold.")
        if not needs_ticket(space, person):
            raise Problem(409, "needs-no-ticket", "Host, co-hosts and invited speakers need no ticket; come in.")
        payments, now = self.payments, self._clock()
        ticket = await self.till.reserve(space.id, person, now, now + RESERVED)
        self._news.set()
        try:
            charge = await payments.charge(ticket.id, ticket.price, method)
        except PaymentError as error:  # whether the money was taken turns out when the time is over
            log.warning("It is not known whether purchase %s was charged: %s", ticket.id, error)
        else:
            await self.settled(charge)
        return await self.till.get(ticket.id) or ticket

    async def settled(self, charge: Charge) -> None:
        """Take the news of the provider on a charge; late, or again, as it may come."""
        ticket = await self.till.get(charge.key)
        if ticket is None or charge.outcome is Outcome.PENDING:
            return
        happening = {
            Outcome.CHARGED: Payment.CONFIRM,
            Outcome.DECLINED: Payment.DECLINE,
            Outcome.VOIDED: Payment.EXPIRE,
        }[charge.outcome]
        try:
            fee = self.payments.store_fee(ticket.price)
            moved = await self.till.move(ticket, happening, self._clock(), store_fee=fee, reason=charge.reason)
        except WrongStateError:  # heard before
            return
        if moved is not None:
            await self._tell(moved)

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        if space.tickets is not None and any(isinstance(e, SpaceCanceled | SpaceEnded) for e in events):
            self._over.add(space.id)
            self._news.set()

    async def ask(self) -> None:
        """Ask the provider what has become of payments, the news of which may have died with a process."""
        for ticket in await self.till.pending():
            try:
                charge = await self.payments.look(ticket.id)
            except PaymentError as error:  # when its time is over, it is asked again
                log.warning("The provider does not say what became of purchase %s: %s", ticket.id, error)
                continue
            if charge is not None:
                await self.settled(charge)

    async def sweep(self) -> None:
        """Bring to an end what is due: sales of Spaces that are over, payments that take too long, refunds."""
        async with self._sweeping:
            for space_id in list(self._over):
                await self._close(space_id)
            while due := await self.till.due(self._clock(), AT_ONCE):
                await asyncio.gather(*(self._finish(ticket) for ticket in due))

    async def _close(self, space_id: str) -> None:
        """Settle a sale, once it stands in the store that the Space is over."""
        record = await self._spaces.store.load(space_id)
        if record is None or State(record["state"]) not in OVER:
            space = self._spaces.held(space_id)
            if record is None or (space is not None and space.state not in OVER):
                self._over.discard(space_id)  # as those are that a process finds when it starts
            return
        refund = record["state"] == State.CANCELED.value or record.get("end_reason") == "enforcement"
        tickets = await self.till.settle(space_id, refund=refund, now=self._clock())
        self._over.discard(space_id)
        self._holders.pop(space_id, None)
        for ticket in tickets:
            await self._tell(ticket)

    async def _finish(self, ticket: Ticket) -> None:
        payments, now = self.payments, self._clock()
        try:
            if ticket.state is Purchase.PENDING:
                await self.settled(await payments.void(ticket.id))
                return
            await payments.refund(ticket.id)
        except PaymentError as error:
            log.warning("The provider could not finish purchase %s: %s", ticket.id, error)
            wait = min(BACKOFF_MAX, BACKOFF * 2 ** min(ticket.attempts, 20))
            await self.till.postpone(ticket, ticket.attempts + 1, now + wait)
            return
        moved = await self.till.move(ticket, Payment.RETURN, now)
        if moved is not None:
            await self._tell(moved)

    async def _tell(self, ticket: Ticket) -> None:
        """Let a holder in, or not any more, and tell the buyer."""
        space = self._spaces.held(ticket.space_id)
        if ticket.state is Purchase.PAID and space is not None:
            self._holders.setdefault(ticket.space_id, set()).add(ticket.user_id)
        self._news.set()
        title = space.title if space is not None else (await self._spaces.get(ticket.space_id)).title
        data = TicketData(space_id=ticket.space_id, title=title, ticket_id=ticket.id, state=ticket.state)
        self._hub.publish_to_user(ticket.user_id, "ticket", data)

    async def _run(self) -> None:
        asked = False
        while self._payments is not None:
            self._news.clear()
            try:
                if not asked:
                    await self.ask()
                    asked = True
                await self.sweep()
                due = await self.till.next_due()
                wait = None if due is None else max(0.05, due - self._clock())
                if self._over:  # the store has not heard yet that they are
                    wait = min(wait or 0.05, 0.05)
            except StoreUnavailableError:  # which is in the log already
                wait = REST
            except SQLAlchemyError:
                log.exception("Tickets wait for the store.")
                wait = REST
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
