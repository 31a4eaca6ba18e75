"""Orders of authorities over HTTP, for admins: noting them, and what has become of them."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from media.moderation.annex import NOT_SPECIFIED_ORDER, TERMS_ONLY
from media.moderation.statement_form import CATEGORIES, KEYWORDS
from media.moderation.transparency_records import Order
from media.server.appeals.orders import Orders
from media.server.appeals.schemas import SOME, time_of
from media.server.auth import Admin
from media.server.input import Input, Whole
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation/orders", tags=["Moderation"])

MEMBER_STATES: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
        *("IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
_CATEGORIES: Final = (CATEGORIES | {NOT_SPECIFIED_ORDER}) - {TERMS_ONLY, "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"}


async def _orders(request: Request) -> Orders:
    return request.app.state.authority_orders


OrdersHere = Annotated[Orders, Depends(_orders)]
_Id = Annotated[
    str,
    Path(
        max_length=32,
        pattern=r"^[0-9a-f]+$",
        description="id of an order",
        examples=["5f0c3a1e9b7d4c2f8a6e1d0b3c5f7a90"],
    ),
]


class NewOrder(Input):
    """An order of an authority of a Member State (Regulation (EU) 2022/2065, art. 9 and 10)."""

    kind: Literal["act", "inform"] = Field(description="against content, or for information about a user")
    country: str = Field(max_length=2, pattern=r"^[A-Z]{2}$", examples=["DE"], description="of the authority")
    legal_ground: str = Field(max_length=500, pattern=SOME, examples=["§ 130 StGB"])
    category: str = Field(
        NOT_SPECIFIED_ORDER,
        max_length=100,
        pattern=r"^STATEMENT_CATEGORY_[A-Z_]+$",
        description="of the Union's; left out, the order names none",
        examples=["STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"],
    )
    keyword: str | None = Field(
        None, max_length=100, pattern=r"^KEYWORD_[A-Z_]+$", examples=["KEYWORD_HATE_SPEECH"]
    )
    items: Whole = Field(1, ge=1, le=1_000_000, description="pieces of content that it names")
    received_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = Field(None, description="when the authority was told of the receipt")
    effected_at: AwareDatetime | None = Field(None, description="when it was carried out")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.country not in MEMBER_STATES:
            raise ValueError(f"{self.country} is no Member State; write its code, such as DE")
        if self.category not in _CATEGORIES:
            raise ValueError(f"{self.category} is no category of orders")
        known = KEYWORDS.get(self.category.removeprefix("STATEMENT_CATEGORY_"), ())
        if self.keyword is not None and self.keyword.removeprefix("KEYWORD_") not in (*known, "OTHER"):
            raise ValueError(f"{self.keyword} is no keyword of {self.category}")
        for later in (self.acknowledged_at, self.effected_at):
            if later is not None and later < self.received_at:
                raise ValueError("nothing comes of an order before it is received")
        return self

    def order(self) -> Order:
        """Return it as it is counted."""
        acknowledged, effected = self.acknowledged_at, self.effected_at
        return Order(
            at=self.received_at.timestamp(),
            country=self.country,
            legal_ground=self.legal_ground,
            category=self.category,
            keyword=self.keyword or "",
            informs=self.kind == "inform",
            items=self.items,
            acknowledged_at=None if acknowledged is None else acknowledged.timestamp(),
            effected_at=None if effected is None else effected.timestamp(),
        )


class OrderOut(BaseModel):
    """An order as it was noted."""

    id: str
    kind: Literal["act", "inform"]
    country: str
    legal_ground: str
    category: str
    keyword: str | None
    items: int
    received_at: datetime
    acknowledged_at: datetime | None
    effected_at: datetime | None

    @classmethod
    def of(cls, number: str, order: Order) -> "OrderOut":
        """Show an order."""
        return cls(
            id=number,
            kind="inform" if order.informs else "act",
            country=order.country,
            legal_ground=order.legal_ground,
            category=order.category,
            keyword=order.keyword or None,
            items=order.items,
            received_at=time_of(order.at),
            acknowledged_at=None if order.acknowledged_at is None else time_of(order.acknowledged_at),
            effected_at=None if order.effected_at is None else time_of(order.effected_at),
        )


class OrderAnswer(BaseModel):
    """An order."""

    data: OrderOut


class OrderList(BaseModel):
    """A page of orders, the newest first."""

    data: list[OrderOut]
    meta: PageMeta


@router.post("", status_code=201, responses=problems(403, 422))
async def note_order(body: NewOrder, who: Admin, orders: OrdersHere) -> OrderAnswer:
    """Note an order of an authority, for the transparency report; admins only."""
    order = body.order()
    return OrderAnswer(data=OrderOut.of(await orders.add(order, who.name), order))


@router.put("/{order_id}", responses=problems(403, 404, 422))
async def change_order(order_id: _Id, body: NewOrder, who: Admin, orders: OrdersHere) -> OrderAnswer:
    """Note what has become of an order; admins only."""
    order = body.order()
    await orders.change(order_id, order, who.name)
    return OrderAnswer(data=OrderOut.of(order_id, order))


@router.get("", responses=problems(403, 422))
async def list_orders(who: Admin, page: Paged, orders: OrdersHere) -> OrderList:
    """List the orders that were noted, the newest first; admins only."""
    found = await orders.page(page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{order.at!r} {number}" for number, order in found])
    data = [OrderOut.of(number, order) for number, order in shown]
    return OrderList(data=data, meta=PageMeta(result_count=len(data), next_token=following))
