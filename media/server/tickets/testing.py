"""A payment provider that moves no money, for labs: it has a ledger of its own and behaves as real ones do.

A charge is settled some time after it was asked for and told then, as by a webhook; it can be declined; a refund
can fail and succeed later. Which of these happens depends on the number of the card, as with the test cards of
real providers. Of a card only the last four digits are kept.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.tickets.payments import Charge, OnSettled, Outcome, PaymentError
from media.server.tickets.tables import TEST_PAYMENTS

log = logging.getLogger(__name__)

STORE_FEE: Final = 30
"""Per cent of the price, as stores of apps take."""
_T: Final = TEST_PAYMENTS.c


@dataclass(frozen=True, slots=True)
class Card:
    """How a test card behaves."""

    verdict: Outcome = Outcome.CHARGED
    reason: str = ""
    takes: float = 0.0
    """Seconds until the charge is settled."""
    refund_faults: int = 0
    """How often a refund fails before it succeeds."""


CARDS: Final = {
    "4242424242424242": Card(),
    "4000000000000002": Card(Outcome.DECLINED, "The card was declined."),
    "4000000000009995": Card(Outcome.DECLINED, "The card has insufficient funds."),
    "4000000000000259": Card(takes=5.0),
    "4000000000000069": Card(takes=86_400.0),
    "4000000000005126": Card(refund_faults=2),
}
"""Numbers that real providers use for tests, too; any other is declined."""
_UNKNOWN: Final = Card(Outcome.DECLINED, "This is no test card; use 4242424242424242.")


class TestPayments:
    """A :class:`~media.server.tickets.payments.Payments`."""

    __test__ = False
    name = "test"

    def __init__(self, engine: Database, clock: Callable[[], float] = time.time) -> None:
        """Take a clock in Unix seconds."""
        self._engine = engine
        self._clock = clock
        self._on_settled: OnSettled | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def store_fee(self, price: int) -> int:
        """Return the store's part of a price, rounded half up to a cent."""
        return (price * STORE_FEE + 50) // 100

    async def open(self, on_settled: OnSettled) -> None:
        """Go on with what was under way."""
        self._on_settled = on_settled
        query = sa.select(_T.key, _T.settles_at).where(_T.outcome == Outcome.PENDING.value)
        async with self._engine.connect() as connection:
            pending = [(row.key, row.settles_at) for row in await connection.execute(query)]
        for key, settles_at in pending:
            self._later(key, settles_at - self._clock())

    async def close(self) -> None:
        """Stop telling."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def charge(self, key: str, amount: int, method: str) -> Charge:
        """Begin to charge a card."""
        card = CARDS.get(method.replace(" ", ""), _UNKNOWN)
        values: dict[str, Any] = {
            "key": key,
            "amount": amount,
            "card": method[-4:],
            "outcome": Outcome.PENDING.value,
            "verdict": card.verdict.value,
            "reason": card.reason,
            "settles_at": self._clock() + card.takes,
            "refund_faults": card.refund_faults,
            "refunded": False,
        }
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.insert(TEST_PAYMENTS).values(values))
        except IntegrityError:
            return await self._known(key)
        self._later(key, card.takes)
        return Charge(key, Outcome.PENDING)

    async def look(self, key: str) -> Charge | None:
        """Return where a charge stands."""
        query = sa.select(_T.outcome, _T.reason).where(_T.key == key)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Charge(key, Outcome(row.outcome), row.reason)

    async def void(self, key: str) -> Charge:
        """Give a charge up; of one never heard of, note that it is not to be made."""
        change = sa.update(TEST_PAYMENTS).where(_T.key == key, _T.outcome == Outcome.PENDING.value)
        if not await self._write(change.values(outcome=Outcome.VOIDED.value)):
            values: dict[str, Any] = {
                "key": key,
                "amount": 0,
                "card": "",
                "outcome": Outcome.VOIDED.value,
                "reason": "",
                "verdict": Outcome.VOIDED.value,
                "settles_at": 0.0,
                "refund_faults": 0,
                "refunded": False,
            }
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(sa.insert(TEST_PAYMENTS).values(values))
            except IntegrityError:
                pass  # it was settled before
        return await self._known(key)

    async def refund(self, key: str) -> None:
        """Give the money back, once."""
        charged = sa.and_(_T.key == key, _T.outcome == Outcome.CHARGED.value)
        fault = sa.update(TEST_PAYMENTS).where(charged, _T.refund_faults > 0)
        if await self._write(fault.values(refund_faults=_T.refund_faults - 1)):
            raise PaymentError("The bank of the card does not answer.")
        if not await self._write(sa.update(TEST_PAYMENTS).where(charged).values(refunded=True)):
            raise PaymentError("There is no such charge.")

    def _later(self, key: str, seconds: float) -> None:
        task = asyncio.get_running_loop().create_task(self._settle(key, seconds), name=key)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, key: str, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
        change = sa.update(TEST_PAYMENTS).where(_T.key == key, _T.outcome == Outcome.PENDING.value)
        try:
            if await self._write(change.values(outcome=_T.verdict)) and self._on_settled is not None:
                await self._on_settled(await self._known(key))
        except StoreUnavailableError:
            pass  # which is in the log already; it is asked for when its time is over
        except Exception:
            log.exception("Nobody took the news of charge %s; it is asked for when its time is over.", key)

    async def _write(self, change: sa.Update) -> bool:
        async with self._engine.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def _known(self, key: str) -> Charge:
        charge = await self.look(key)
        assert charge is not None
        return charge
