"""Orders of authorities, noted by whoever runs the service: by hand, for they reach people and not this server."""

import secrets
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from media.moderation.transparency_records import Order
from media.server.appeals.tables import ORDERS
from media.server.audit.audit import Act, Audit
from media.server.database import Database
from media.server.errors import Problem

_O: Final = ORDERS.c
Place = tuple[float, str]
"""When an order was received, and its id."""


class Orders:
    """The orders of one database.  Times in Unix seconds."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def add(self, order: Order, by: str) -> str:
        """Note an order; return its id."""
        number = secrets.token_hex(16)
        async with self._database.begin() as connection:
            await connection.execute(sa.insert(ORDERS).values(id=number, noted_by=by, **_values(order)))
            await self._audit.write(connection, [Act(by, "noted order", number, order.legal_ground)])
        return number

    async def change(self, number: str, order: Order, by: str) -> None:
        """Note what has become of an order.

        :raises Problem: 404, there is none of this id
        """
        async with self._database.begin() as connection:
            mine = sa.update(ORDERS).where(_O.id == number).values(noted_by=by, **_values(order))
            if (await connection.execute(mine)).rowcount == 0:
                raise Problem(404, "unknown-order", "There is no order of this id.")
            await self._audit.write(connection, [Act(by, "changed order", number, order.legal_ground)])

    async def page(self, after: Place | None, limit: int) -> list[tuple[str, Order]]:
        """Return orders, the newest first."""
        query = sa.select(ORDERS).order_by(_O.received_at.desc(), _O.id.desc()).limit(limit)
        if after is not None:
            query = query.where(sa.tuple_(_O.received_at, _O.id) < after)
        return await self._read(query)

    async def received(self, begin: float, end: float) -> list[Order]:
        """Return the orders that were received in a period."""
        query = sa.select(ORDERS).where(_O.received_at >= begin, _O.received_at < end)
        return [order for _, order in await self._read(query.order_by(_O.received_at, _O.id))]

    async def _read(self, query: sa.Select[Any]) -> list[tuple[str, Order]]:
        async with self._database.connect() as connection:
            return [(row.id, _order(row)) for row in await connection.execute(query)]


def _values(order: Order) -> dict[str, Any]:
    fields = asdict(order)
    return {"received_at": fields.pop("at"), **fields}


def _order(row: sa.Row[Any]) -> Order:
    fields = {name: getattr(row, name) for name in Order.__dataclass_fields__ if name != "at"}
    return Order(at=row.received_at, **fields)
