"""What a change of a Space writes to other tables is written with it or not at all, whatever breaks in between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from media.server.tickets.tables import EARNINGS, TICKET_OFFERS
from tests.media.server.service import Service, running
from tests.media.server.tickets.selling import Shop

TICKETS = {"price_cents": 1_000, "quantity": 10}


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/spaces.db"


@asynccontextmanager
async def shop_of(data: Path, database: str) -> AsyncGenerator[Shop]:
    async with running(data, database=database, payments="test") as service:
        yield Shop(service)


@asynccontextmanager
async def broken(service: Service, table: str) -> AsyncGenerator[None]:
    """A database that takes no new row into a table: after the Space was written, the transaction breaks there."""
    database = service.app.state.spaces.store.database
    stop = f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ROLLBACK, 'broken here'); END"
    async with database.begin() as connection:
        await connection.execute(sa.text(stop))
    try:
        yield
    finally:
        async with database.begin() as connection:
            await connection.execute(sa.text("DROP TRIGGER broken"))


async def fails(service: Service, method: str, path: str, body: Any) -> None:
    """It is refused, or breaks as a fault of the server."""
    with suppress(IntegrityError):
        assert (await service.call("ana", method, path, json=body)).status_code >= 400


@pytest.mark.parametrize("table", ["ticket_offers", "earnings"])
async def test_tickets_are_on_sale_in_both_tables_or_in_none(tmp_path: Path, database: str, table: str) -> None:
    async with shop_of(tmp_path, database) as shop:
        await shop.host()
        start = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        space = await shop.service.ok("ana", "POST", "/spaces", json={"title": "Show", "scheduled_start": start})
        path = f"/spaces/{space['id']}"
        async with broken(shop.service, table):
            await fails(shop.service, "PUT", f"{path}/tickets", TICKETS)
    async with shop_of(tmp_path, database) as shop:
        assert await shop.rows(TICKET_OFFERS, "space_id") == await shop.rows(EARNINGS, "host_id") == []
        assert (await shop.service.call("ana", "GET", f"{path}/tickets")).status_code == 404
        assert (await shop.service.ok("ana", "GET", path)).get("tickets") is None
        await shop.service.ok("ana", "PUT", f"{path}/tickets", json=TICKETS)
        assert await shop.rows(EARNINGS, "host_id", "cents") == [("ana", 0)]
        await shop.buy("ben", path)
        await shop.audit()


async def test_a_new_space_is_there_with_its_tickets_or_not_at_all(tmp_path: Path, database: str) -> None:
    async with shop_of(tmp_path, database) as shop:
        await shop.host()
        new = {"tickets": TICKETS, "scheduled_start": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
        before = len(shop.service.app.state.spaces.in_memory)
        async with broken(shop.service, "ticket_offers"):
            await fails(shop.service, "POST", "/spaces", new)
        assert len(shop.service.app.state.spaces.in_memory) == before
    async with shop_of(tmp_path, database) as shop:
        assert len(shop.service.app.state.spaces.in_memory) == before
        space = await shop.service.ok("ana", "POST", "/spaces", json=new)
        assert (await shop.service.ok("ben", "GET", f"/spaces/{space['id']}/tickets"))["price_cents"] == 1_000


async def test_invitations_and_their_campaign_are_both_kept_or_neither(tmp_path: Path, database: str) -> None:
    async with shop_of(tmp_path, database) as shop:
        here = shop.service
        for name in ("ana", "ben"):
            await here.ok(name, "POST", "/users", json={})
        path = await here.live()
        async with broken(here, "guests"):
            await fails(here, "POST", f"{path}/campaigns", {"people": ["ben"], "role": "speaker"})
        assert (await here.ok("ana", "GET", f"{path}/invitations"))["data"] == []
    async with shop_of(tmp_path, database) as shop:
        here = shop.service
        assert (await here.ok("ana", "GET", f"{path}/invitations"))["data"] == []
        assert (await here.ok("ana", "GET", f"{path}/campaigns"))["data"] == []
        sent = await here.ok("ana", "POST", f"{path}/campaigns", json={"people": ["ben"], "role": "speaker"})
        assert sent["invited"] == ["ben"]
        assert [each["user_id"] for each in (await here.ok("ana", "GET", f"{path}/invitations"))["data"]] == [
            "ben"
        ]


async def test_who_asks_beside_a_change_that_is_refused_is_not_refused_with_it(
    tmp_path: Path, database: str
) -> None:
    async with shop_of(tmp_path, database) as shop:
        await shop.host()
        path = await shop.space()
        await shop.buy("ben", path)
        withdraw = shop.service.call("ana", "DELETE", f"{path}/tickets")
        rename: Any = shop.service.call("ana", "PATCH", path, json={"title": "Another"})
        refused, renamed = await asyncio.gather(withdraw, rename)
        assert refused.status_code == 409 and "1 tickets are sold or reserved" in refused.json()["detail"]
        assert renamed.status_code == 200 and renamed.json()["title"] == "Another"
        assert (await shop.service.ok("cem", "GET", f"{path}/tickets"))["price_cents"] == 1_000
        await shop.audit()
