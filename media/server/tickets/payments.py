"""What a payment provider is to this server.

Every call carries the key of the purchase and may be repeated: the same key is charged once and refunded once. An
answer may be lost with the process that waited for it, so that one can also ask what became of a key, and put an
end to one for good.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What has become of a charge."""

    PENDING = "pending"
    CHARGED = "charged"
    DECLINED = "declined"
    VOIDED = "voided"
    """Given up before it came to anything; it never will."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Where a charge stands."""

    key: str
    outcome: Outcome
    reason: str = ""
    """Why it was declined: a sentence for the buyer."""


OnSettled = Callable[[Charge], Awaitable[None]]
"""Is told when a charge is settled: later, more than once if need be, and perhaps never."""


class PaymentError(RuntimeError):
    """The provider cannot do it now; the same call may succeed later."""


class Payments(Protocol):
    """A provider: the test provider, or one that moves money."""

    @property
    def name(self) -> str:
        """Shown to people."""
        ...

    def store_fee(self, price: int) -> int:
        """Return the part of a price (cents) that the store keeps through which the ticket is bought."""
        ...

    async def open(self, on_settled: OnSettled) -> None:
        """Begin to tell what becomes of charges, also of those that an earlier process began."""
        ...

    async def close(self) -> None:
        """Stop telling."""
        ...

    async def charge(self, key: str, amount: int, method: str) -> Charge:
        """Begin to take an amount (cents) by a method of payment, which only the provider understands.

        :raises PaymentError: whether it has begun is not known
        """
        ...

    async def look(self, key: str) -> Charge | None:
        """Return where a charge stands; None if it has never been heard of.

        :raises PaymentError: not now
        """
        ...

    async def void(self, key: str) -> Charge:
        """Give a charge up, also one that has never been heard of; it may have been settled before.

        :raises PaymentError: not now
        """
        ...

    async def refund(self, key: str) -> None:
        """Give the money of a charge back.

        :raises PaymentError: not now
        """
        ...
