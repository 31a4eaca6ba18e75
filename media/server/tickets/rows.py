"""What the tables of tickets hold, row by row."""

from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from media.server.tickets.tables import TICKET_OFFERS, TICKETS
from media.space.tickets import Purchase, Split

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


TICKET: Final = tuple(_T[name] for name in Ticket.__dataclass_fields__)
OFFER: Final = tuple(_O[name] for name in OfferRow.__dataclass_fields__)


def ticket_of(row: sa.Row[Any]) -> Ticket:
    """Read a purchase off the columns of :data:`TICKET`."""
    ticket = Ticket(*row)
    return replace(ticket, state=Purchase(ticket.state))
