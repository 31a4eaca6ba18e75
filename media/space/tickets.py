"""Tickets to a Space: who may sell them, who needs one, what becomes of a purchase, and whose the money is.

All amounts are whole cents of US dollars. Of what is left after the fee of the store through which it was bought,
the creator gets 97 % until they have earned 50,000 USD in all Spaces together, and 80 % from there on (the
product's announcement of August 2021). A purchase that crosses the limit is split at the limit, exactly; then the
creator's share is rounded down to a whole cent, and the platform has the rest. So of every price nothing is lost.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from media.space.errors import BadInputError, WrongStateError
from media.space.policy import DAY, Policy
from media.space.states import Standing

if TYPE_CHECKING:
    from media.space.meeting import Meeting

PRICE_MIN: Final = 100
PRICE_MAX: Final = 99_900
"""Cents: tickets cost from 1 to 999 USD."""
EARNED_LIMIT: Final = 5_000_000
"""Cents that a creator earns at the first share."""
FIRST_SHARE: Final = Fraction(97, 100)
FURTHER_SHARE: Final = Fraction(80, 100)

_FREE: Final = frozenset({Standing.HOST, Standing.COHOST, Standing.SPEAKER, Standing.INVITED})
"""Whoever is on the stage, or invited to it, needs no ticket."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Tickets of one price."""

    price: int
    """Cents."""
    quantity: int

    def check(self, policy: Policy) -> None:
        """Pass if tickets can be sold so.

        :raises BadInputError: the price or the number cannot be
        """
        if not PRICE_MIN <= self.price <= PRICE_MAX:
            raise BadInputError(f"A ticket costs between 1 and 999 USD, not {self.price / 100:.2f}.")
        if not 1 <= self.quantity <= policy.tickets:
            raise BadInputError(f"Between 1 and {policy.tickets} tickets can be sold, not {self.quantity}.")


@dataclass(frozen=True, slots=True)
class Seller:
    """What decides whether a host may sell tickets."""

    adult: bool
    followers: int
    spaces: int
    """Spaces hosted in the last ``policy.ticket_days``."""

    def missing(self, policy: Policy) -> list[str]:
        """Say what a host lacks; nothing if they may sell tickets."""
        lacks: list[str] = []
        if not self.adult:
            lacks.append("to have declared to be 18 or older")
        if self.followers < policy.ticket_followers:
            lacks.append(f"{policy.ticket_followers} followers, and has {self.followers}")
        if self.spaces < policy.ticket_spaces:
            days = policy.ticket_days
            lacks.append(f"{policy.ticket_spaces} Spaces hosted in the last {days} days, and has {self.spaces}")
        return lacks


def window(policy: Policy) -> float:
    """How far back a host's Spaces count (seconds)."""
    return policy.ticket_days * DAY


def needs_ticket(space: "Meeting", person: str | None) -> bool:
    """Whether a person, None for somebody anonymous, needs a ticket to come in."""
    return space.tickets is not None and (person is None or space.people.standing(person) not in _FREE)


@dataclass(frozen=True, slots=True)
class Split:
    """Whose the price of a ticket is, in cents."""

    store_fee: int
    creator: int
    platform: int


def split(price: int, store_fee: int, earned: int) -> Split:
    """Share the price of a ticket.

    :param price: cents, as is ``store_fee``, which is not more than the price
    :param earned: cents that the creator had earned before
    """
    net = price - store_fee
    if not 0 <= net <= price or earned < 0:
        raise BadInputError(f"Of {price} cents, {store_fee} cannot be the fee of the store.")
    first = min(Fraction(net), Fraction(max(0, EARNED_LIMIT - earned)) / FIRST_SHARE)
    creator = int(first * FIRST_SHARE + (net - first) * FURTHER_SHARE)
    return Split(store_fee, creator, net - creator)


class Purchase(StrEnum):
    """What has become of a purchase."""

    PENDING = "pending"
    """A ticket is reserved while the payment is under way."""
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The payment took too long, and was given up."""
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class Payment(StrEnum):
    """What can happen to a purchase; completes "cannot … a purchase"."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "give up"
    REFUND = "refund"
    RETURN = "return the money of"


PURCHASE: Final[dict[tuple[Purchase, Payment], Purchase]] = {
    (Purchase.PENDING, Payment.CONFIRM): Purchase.PAID,
    (Purchase.PENDING, Payment.DECLINE): Purchase.DECLINED,
    (Purchase.PENDING, Payment.EXPIRE): Purchase.EXPIRED,
    # Money that comes although nobody waits for it any more goes back.
    (Purchase.DECLINED, Payment.CONFIRM): Purchase.REFUNDING,
    (Purchase.EXPIRED, Payment.CONFIRM): Purchase.REFUNDING,
    (Purchase.PAID, Payment.REFUND): Purchase.REFUNDING,
    (Purchase.REFUNDING, Payment.RETURN): Purchase.REFUNDED,
}
HOLDS: Final = frozenset({Purchase.PENDING, Purchase.PAID})
"""A person has at most one purchase of a Space in these."""


def next_purchase(state: Purchase, happening: Payment) -> Purchase:
    """Look a transition of a purchase up.

    :raises WrongStateError: the table has no such cell
    """
    try:
        return PURCHASE[state, happening]
    except KeyError:
        raise WrongStateError(f"Nobody can {happening} a purchase that is {state}.") from None
