"""A server that sells tickets, a host who may, and a provider whose ledger can be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from media.server.tickets.tables import EARNINGS, TEST_PAYMENTS, TICKET_OFFERS, TICKETS
from tests.media.server.service import Service, located, running

CARD = "4242424242424242"
DECLINED = "4000000000000002"
SLOW = "4000000000000069"
STUBBORN = "4000000000005126"
"""Its refund fails twice."""


class Shop:
    """What tests of tickets do with a service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.office = service.app.state.box_office
        self.engine = service.app.state.spaces.store.database

    async def host(self, name: str = "ana", **lacks: Any) -> None:
        """Make a host who may sell tickets, but for what is lacking."""
        await self.service.ok(name, "POST", "/users", json={"adult": lacks.get("adult", True)})
        await self.service.app.state.accounts.change(name, followers_count=lacks.get("followers", 1_000))
        for _ in range(lacks.get("spaces", 3)):
            space = await self.service.ok(name, "POST", "/spaces", json={})
            await self.service.ok(name, "POST", f"/spaces/{space['id']}/start")
            await self.service.ok(name, "POST", f"/spaces/{space['id']}/end")

    async def space(self, *, price: int = 1_000, quantity: int = 10, name: str = "ana") -> str:
        """Schedule a Space with tickets; return its path."""
        start = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        space = await self.service.ok(name, "POST", "/spaces", json={"scheduled_start": start, "title": "Show"})
        path = f"/spaces/{space['id']}"
        body = {"price_cents": price, "quantity": quantity}
        await self.service.ok(name, "PUT", f"{path}/tickets", json=body)
        return path

    async def buy(self, name: str, path: str, card: str = CARD) -> dict[str, Any]:
        """Buy a ticket, and wait for what the provider says."""
        body = {"payment_method": card}
        bought = await self.service.call(name, "POST", f"{path}/tickets/purchases", json=body)
        assert bought.status_code == 201, bought.text
        if card != SLOW:
            await self.quiet()
        return await self.service.ok(name, "GET", located(bought))

    async def quiet(self) -> None:
        """Wait until the provider has told all that is due."""
        now = self.service.clock()
        later = {key for key, settles in await self.rows(TEST_PAYMENTS, "key", "settles_at") if settles > now}
        if due := [task for task in self.office.payments._tasks if task.get_name() not in later]:
            await asyncio.wait(due)
        await self.office.sweep()

    async def rows(self, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(sa.select(*(table.c[name] for name in columns)))
            return sorted(tuple(row) for row in rows)

    async def audit(self) -> None:
        """Check that the books agree with each other and with the provider's ledger."""
        ledger = {
            key: (out, back) for key, out, back in await self.rows(TEST_PAYMENTS, "key", "outcome", "refunded")
        }
        tickets = await self.rows(
            TICKETS, "id", "space_id", "host_id", "state", "price", "store_fee", "creator", "platform"
        )
        earned: dict[str, int] = {}
        taken: dict[str, int] = {}
        for number, space, host, state, price, fee, creator, platform in tickets:
            if state == "paid":
                assert ledger[number] == ("charged", False)
                assert fee + creator + platform == price
                earned[host] = earned.get(host, 0) + creator
            else:
                assert (fee, creator, platform) == (0, 0, 0)
            if state == "refunded":
                assert ledger[number] == ("charged", True)
            if state in ("declined", "expired"):
                assert ledger.get(number, ("voided", False))[0] in ("declined", "voided")
            if state in ("pending", "paid"):
                taken[space] = taken.get(space, 0) + 1
        assert dict(await self.rows(EARNINGS, "host_id", "cents")) == {
            host: earned.get(host, 0) for host, _ in await self.rows(EARNINGS, "host_id", "cents")
        }
        for space, quantity, count, state in await self.rows(
            TICKET_OFFERS, "space_id", "quantity", "taken", "state"
        ):
            assert 0 <= count <= quantity
            if state == "open":
                assert count == taken.get(space, 0)


@asynccontextmanager
async def selling(data: Path, database: str, **options: Any) -> AsyncIterator[Shop]:
    async with running(data, database=database, **{"payments": "test", **options}) as service:
        yield Shop(service)
