"""Whatever moment the process dies at, no money is taken for nothing and nothing is given for no money."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from media.server.tickets.payments import Charge, Outcome, PaymentError
from media.server.tickets.tables import TEST_PAYMENTS
from media.space.tickets import Payment
from tests.media.server.process import Process
from tests.media.server.service import located
from tests.media.server.tickets.selling import CARD, Shop, selling


async def state(shop: Shop, name: str = "ben") -> str:
    return (await shop.service.ok(name, "GET", "/users/me/tickets"))["data"][0]["state"]


async def test_a_charge_that_was_never_asked_for_frees_the_ticket(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as first:
        await first.host()
        path = await first.space(quantity=1)
        now = first.service.clock()
        await first.office.till.reserve(path[8:], "ben", now, now + 600)  # and there the process died
    async with selling(tmp_path, database) as second:
        assert await state(second) == "pending"
        second.service.clock.ahead = 601
        await second.office.sweep()
        assert await state(second) == "expired"
        (ticket,) = await second.office.till.of_user("ben", None, 1)
        late = await second.office.payments.charge(ticket.id, 1_000, CARD)
        assert late.outcome is Outcome.VOIDED, "a charge that comes after all takes no money"
        assert (await second.buy("cem", path))["state"] == "paid"
        await second.audit()


async def test_a_charge_whose_news_was_lost_is_found(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as first:
        await first.host()
        path = await first.space()
        first.office.payments._on_settled = None
        await first.buy("ben", path)
        assert await state(first) == "pending"
        assert (await first.rows(TEST_PAYMENTS, "outcome")) == [("charged",)]
    async with selling(tmp_path, database) as second:
        await second.office.ask()
        assert await state(second) == "paid"
        await second.audit()


async def test_a_payment_that_was_given_up_too_late_is_one(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as shop:
        await shop.host()
        path = await shop.space()
        shop.office.payments._on_settled = None
        await shop.buy("ben", path)
        shop.service.clock.ahead = 601
        await shop.office.sweep()
        assert await state(shop) == "paid"
        await shop.audit()


async def test_a_charge_under_way_is_settled_by_the_next_process(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as first:
        await first.host()
        path = await first.space()
        await first.office.payments.close()
        first.office.payments._later = lambda key, seconds: None
        body = {"payment_method": CARD}
        await first.service.ok("ben", "POST", f"{path}/tickets/purchases", json=body)
    async with selling(tmp_path, database) as second:
        await second.quiet()
        assert await state(second) == "paid"
        await second.audit()


async def test_refunds_that_were_not_begun_are(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as first:
        await first.host()
        path = await first.space()
        await first.buy("ben", path)
        await first.office.close()
        first.office._task = None
        await first.service.ok("ana", "POST", f"{path}/cancel")
        assert await state(first) == "paid"
    async with selling(tmp_path, database) as second:
        await second.office.sweep()
        assert await state(second) == "refunded"
        await second.audit()


async def test_money_that_comes_when_nobody_waits_for_it_goes_back(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as shop:
        await shop.host()
        path, other = await shop.space(), await shop.space()
        shop.office.payments._on_settled = None
        await shop.buy("ben", path)
        (ticket,) = await shop.office.till.of_user("ben", None, 1)
        await shop.office.till.move(ticket, Payment.EXPIRE, 0.0)  # given up, while the provider did not answer
        await shop.office.settled(Charge(ticket.id, Outcome.CHARGED))
        await shop.office.sweep()
        assert await state(shop) == "refunded"
        await shop.buy("cem", other)  # of a Space that is canceled before the news comes
        (ticket,) = await shop.office.till.of_user("cem", None, 1)
        await shop.service.ok("ana", "POST", f"{other}/cancel")
        await shop.office.sweep()
        for _ in range(2):  # a webhook that comes twice
            await shop.office.settled(Charge(ticket.id, Outcome.CHARGED))
        await shop.office.sweep()
        assert await state(shop, "cem") == "refunded"
        await shop.audit()


async def test_a_provider_that_cannot_be_reached(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as shop:
        await shop.host()
        path, payments = await shop.space(), shop.office.payments

        async def silent(*_: object) -> Charge:
            raise PaymentError("no answer")

        working = payments.void
        payments.charge = payments.void = silent
        bought = await shop.service.call("ben", "POST", f"{path}/tickets/purchases", json={"payment_method": CARD})
        assert (bought.status_code, bought.json()["state"]) == (201, "pending")
        shop.service.clock.ahead = 601
        await shop.office.sweep()
        assert await state(shop) == "pending", "as long as nobody knows"
        payments.void = working
        shop.service.clock.ahead = 640
        await shop.office.sweep()
        assert await state(shop) == "expired"
        await shop.audit()


RULES = """
name = "market"
ticket_followers = 0
ticket_spaces = 0
"""


@pytest.fixture
def server(tmp_path: Path, database: str) -> Iterator[Process]:
    rules = tmp_path / "market.toml"
    rules.write_text(RULES)
    process = Process(tmp_path, "--database", database, "--payments", "test", "--policy", str(rules))
    yield process
    process.put_away()


def test_whoever_was_answered_before_a_sigkill_has_a_ticket_after_it(server: Process, database: str) -> None:
    ana = server.token("ana")
    server.call(ana, "POST", "/users", json={"adult": True})
    start = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    path = f"/spaces/{server.call(ana, 'POST', '/spaces', json={'scheduled_start': start})['id']}"
    server.call(ana, "PUT", f"{path}/tickets", json={"price_cents": 1_000, "quantity": 100_000})
    answered: list[str] = []
    middle = threading.Event()
    tokens = [server.token(f"b{number}") for number in range(400)]

    def shop(some: list[str]) -> None:
        with httpx.Client(base_url=server.base) as http:
            for token in some:
                try:
                    headers = {"Authorization": f"Bearer {token}"}
                    body = {"payment_method": CARD}
                    bought = http.post(f"{path}/tickets/purchases", headers=headers, json=body)
                except httpx.TransportError:
                    return
                assert bought.status_code == 201, bought.text
                answered.append(located(bought) + " " + token)
                if len(answered) == 30:
                    middle.set()

    buyers = [threading.Thread(target=shop, args=(tokens[n::4],)) for n in range(4)]
    for buyer in buyers:
        buyer.start()
    assert middle.wait(30)
    server.kill_and_start_again()
    for buyer in buyers:
        buyer.join()
    assert 30 <= len(answered) < 400
    deadline = time.monotonic() + 20
    for where, token in (entry.split(" ") for entry in answered):
        while (ticket := server.call(token, "GET", where))["state"] != "paid":
            assert time.monotonic() < deadline, ticket
            time.sleep(0.02)
    account = server.call(ana, "GET", "/users/me/payouts")
    (space,) = account["data"]
    charged = asyncio.run(charges(database))
    assert len(answered) <= space["sold"] == charged <= len(answered) + 4, "four were under way"
    shares = space["store_fee_cents"] + space["creator_cents"] + space["platform_cents"]
    assert (space["gross_cents"], shares) == (1_000 * space["sold"],) * 2
    assert account["earned_cents"] == space["creator_cents"] == 679 * space["sold"]


async def charges(database: str) -> int:
    """Count what the provider has taken money for."""
    engine = create_async_engine(sa.make_url(database).set(drivername=DRIVERS[database[:6]]))
    async with engine.connect() as connection:
        query = sa.select(sa.func.count()).where(TEST_PAYMENTS.c.outcome == "charged")
        count = (await connection.execute(query)).scalar_one()
    await engine.dispose()
    return count


DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgr": "postgresql+asyncpg"}
