"""The shapes of tickets in the API; all amounts in whole cents of US dollars."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from media.server.input import Input
from media.server.profiles import PageMeta
from media.server.tickets.rows import HELD, OPEN, Account, OfferRow, Ticket
from media.space.states import State
from media.space.tickets import EARNED_LIMIT, FIRST_SHARE, FURTHER_SHARE, Purchase


class OfferOut(BaseModel):
    """Tickets on sale."""

    space_id: str
    price_cents: int
    currency: Literal["USD"] = "USD"
    quantity: int
    available: int = Field(description="neither sold nor being paid for")
    on_sale: bool

    @classmethod
    def of(cls, offer: OfferRow, state: State) -> "OfferOut":
        """Show what is sold for a Space."""
        left = offer.quantity - offer.taken
        selling = offer.state == OPEN and state in (State.SCHEDULED, State.LIVE) and left > 0
        return cls(
            space_id=offer.space_id,
            price_cents=offer.price,
            quantity=offer.quantity,
            available=left,
            on_sale=selling,
        )


class TicketTag(BaseModel):
    """What the card of a Space in a list says of tickets."""

    price_cents: int
    currency: Literal["USD"] = "USD"
    available: int = Field(description="neither sold nor being paid for")
    on_sale: bool
    needed: bool = Field(description="whether the caller needs one; those on the stage, or invited to it, do not")
    yours: Literal["paid", "pending"] | None = Field(description="the caller's own ticket")

    @classmethod
    def of(cls, offer: OfferRow, state: State, held: Purchase | None, *, needed: bool) -> "TicketTag":
        """Show what is sold for a Space to somebody who may hold a ticket."""
        shown = OfferOut.of(offer, state)
        return cls(
            price_cents=shown.price_cents,
            available=shown.available,
            on_sale=shown.on_sale,
            needed=needed,
            yours=None if held is None else "paid" if held is Purchase.PAID else "pending",
        )


class NewPurchase(Input):
    """How a ticket is to be paid."""

    payment_method: str = Field(
        min_length=4,
        max_length=64,
        pattern=r"^[ -~]+$",
        examples=["4242424242424242"],
        description="what the payment provider takes; for the test provider the number of a test card: "
        "4242424242424242 pays, 4000000000000002 is declined",
    )


class TicketOut(BaseModel):
    """A purchase, which is a ticket while it is `paid`."""

    id: str
    space_id: str
    user_id: str
    price_cents: int
    currency: Literal["USD"] = "USD"
    state: Purchase
    reason: str | None = Field(description="why a payment was declined")
    created_at: datetime
    expires_at: datetime | None = Field(description="until when the ticket is kept for a payment under way")

    @classmethod
    def of(cls, ticket: Ticket) -> "TicketOut":
        """Show a purchase."""
        waits = ticket.state is Purchase.PENDING and ticket.next_at is not None
        return cls(
            id=ticket.id,
            space_id=ticket.space_id,
            user_id=ticket.user_id,
            price_cents=ticket.price,
            state=ticket.state,
            reason=ticket.reason or None,
            created_at=_time(ticket.created_at),
            expires_at=_time(ticket.next_at) if waits and ticket.next_at is not None else None,
        )


class TicketList(BaseModel):
    """A page of purchases."""

    data: list[TicketOut]
    meta: PageMeta


class PayoutOut(BaseModel):
    """What a host earns by one Space: the price of what is sold is store fee, own share and the platform's."""

    space_id: str
    sold: int
    gross_cents: int
    store_fee_cents: int
    creator_cents: int
    platform_cents: int
    status: Literal["pending", "due", "refunded"] = Field(description="due when the Space has taken place")

    @classmethod
    def of(cls, account: Account) -> "PayoutOut":
        """Show the account of a Space."""
        shares = account.shares
        return cls(
            space_id=account.space_id,
            sold=account.sold,
            gross_cents=account.gross,
            store_fee_cents=shares.store_fee,
            creator_cents=shares.creator,
            platform_cents=shares.platform,
            status="pending" if account.state == OPEN else "due" if account.state == HELD else "refunded",
        )


class Payouts(BaseModel):
    """What one earns by tickets, Space by Space."""

    data: list[PayoutOut]
    meta: PageMeta
    currency: Literal["USD"] = "USD"
    payments: bool = Field(description="whether this server takes payments; without, nobody can sell tickets")
    earned_cents: int = Field(description="in all Spaces, without what was refunded")
    share_percent: int = Field(description="one's share of what the store leaves of the next ticket")
    share_changes_at_cents: int = Field(EARNED_LIMIT, description="earnings from which on the share is lower")

    @classmethod
    def of(cls, accounts: Sequence[Account], earned: int, following: str | None, *, payments: bool) -> "Payouts":
        """Show a page of the accounts of a host."""
        share = FIRST_SHARE if earned < EARNED_LIMIT else FURTHER_SHARE
        return cls(
            data=[PayoutOut.of(a) for a in accounts],
            meta=PageMeta(result_count=len(accounts), next_token=following),
            payments=payments,
            earned_cents=earned,
            share_percent=int(share * 100),
            share_changes_at_cents=EARNED_LIMIT,
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
