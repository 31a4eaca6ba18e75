"""Tickets over HTTP: offered, bought, asked for at every door, refunded; the books agree after each."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from media.server.tickets.payments import Charge, Outcome
from media.server.tickets.tables import TEST_PAYMENTS
from tests.media.server.service import SDP, Service
from tests.media.server.tickets.selling import DECLINED, SLOW, STUBBORN, Shop, selling


@pytest.fixture
async def shop(tmp_path: Path, database: str) -> AsyncIterator[Shop]:
    async with selling(tmp_path, database) as one:
        yield one
        await one.audit()


def kind(response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rpartition(":")[2]


async def test_a_ticket_from_offer_to_payout(shop: Shop) -> None:
    service = shop.service
    await shop.host()
    path = await shop.space(price=1_000, quantity=2)
    assert (await service.ok("ben", "GET", path))["is_ticketed"] is True
    offer = await service.ok("ben", "GET", f"{path}/tickets")
    assert (offer["price_cents"], offer["available"], offer["on_sale"]) == (1_000, 2, True)
    ticket = await shop.buy("ben", path)
    assert (ticket["state"], ticket["price_cents"], ticket["expires_at"]) == ("paid", 1_000, None)
    assert (await service.ok("ben", "GET", f"{path}/tickets"))["available"] == 1
    again = await service.call("ben", "POST", f"{path}/tickets/purchases", json={"payment_method": "4242"})
    assert kind(again) == (409, "has-ticket")
    await shop.buy("cem", path)
    late = await service.call("dag", "POST", f"{path}/tickets/purchases", json={"payment_method": "4242"})
    assert kind(late) == (409, "sold-out")
    assert [t["user_id"] for t in (await service.ok("ana", "GET", f"{path}/tickets/buyers"))["data"]] == [
        "ben",
        "cem",
    ]
    assert kind(await service.call("ben", "GET", f"{path}/tickets/buyers")) == (403, "no-right")
    payouts = await service.ok("ana", "GET", "/users/me/payouts")
    assert payouts["data"] == [
        {
            "space_id": path[8:],
            "sold": 2,
            "gross_cents": 2_000,
            "store_fee_cents": 600,
            "creator_cents": 2 * 679,
            "platform_cents": 2 * 21,
            "status": "pending",
        }
    ]
    assert (payouts["earned_cents"], payouts["share_percent"]) == (1_358, 97)
    await service.ok("ana", "POST", f"{path}/start")
    await service.ok("ana", "POST", f"{path}/end")
    await shop.quiet()
    assert (await service.ok("ana", "GET", "/users/me/payouts"))["data"][0]["status"] == "due"
    assert [t["state"] for t in (await service.ok("ben", "GET", "/users/me/tickets"))["data"]] == ["paid"]


async def doors(service: Service, name: str | None, path: str) -> set[tuple[int, str]]:
    """What a person is told at every door of a Space."""
    answers = set()
    for door in ("whep", "whip"):
        response = await service.call(name, "POST", f"{path}/{door}", content="v=0", headers=SDP)
        answers.add(kind(response) if response.status_code >= 400 else (response.status_code, ""))
    for method, door in (("GET", "events"), ("GET", "messages"), ("POST", "requests")):
        if name is not None or door == "events":
            answers.add(kind(await service.call(name, method, f"{path}/{door}")))
    return answers


async def test_whoever_has_no_ticket_is_told_where_to_buy_one(shop: Shop) -> None:
    service = shop.service
    await shop.host()
    path = await shop.space()
    await service.ok("ana", "PATCH", path, json={"anonymous_listening": True})
    await shop.buy("ben", path)
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "cem"})
    await service.ok("ana", "POST", f"{path}/start")
    refused = await service.call("dag", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert kind(refused) == (402, "no-ticket")
    assert "10.00 USD" in refused.json()["detail"]
    assert refused.headers["Link"] == '<tickets/purchases>; rel="payment"', (
        "relative to the address that was asked"
    )
    assert await doors(service, "dag", path) == {(402, "no-ticket"), (403, "no-right")}, (
        "no right to speak, either"
    )
    assert kind(await service.call(None, "POST", f"{path}/whep", content="v=0", headers=SDP)) == (402, "no-ticket")
    assert kind(await service.call(None, "GET", f"{path}/events")) == (402, "no-ticket")
    await service.connect("ben", path)
    await service.connect("ana", path, "whip")
    await service.ok("cem", "POST", f"{path}/invitations/me/accept")
    await service.connect("cem", path, "whip")
    link = await service.ok("ana", "POST", f"{path}/invitation-links", json={"role": "speaker"})
    await service.ok("eve", "POST", f"{path}/invitation-links/{link['code']}/accept")
    await service.connect("eve", path, "whip")
    await shop.buy("dag", path)  # at the door
    await service.connect("dag", path)
    assert await service.count(path) == 5


async def test_a_ticket_is_known_to_the_next_process(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as first:
        await first.host()
        path = await first.space()
        await first.buy("ben", path)
        await first.service.ok("ana", "POST", f"{path}/start")
    async with selling(tmp_path, database) as second:
        await second.service.connect("ben", path)
        refused = await second.service.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)
        assert refused.status_code == 402
    async with selling(tmp_path, database, payments="off") as third:
        await third.service.connect("ben", path)
        refused = await third.service.call(
            "cem", "POST", f"{path}/tickets/purchases", json={"payment_method": "4242"}
        )
        assert kind(refused) == (409, "payments-off")


@pytest.mark.parametrize(
    "how", ["cancel", "no show", "enforcement", "suspension", "suspended early", "called off"]
)
async def test_everybody_gets_the_money_back(shop: Shop, how: str) -> None:
    service = shop.service
    await shop.host()
    path = await shop.space()
    for name, card in (("ben", "4242424242424242"), ("cem", STUBBORN)):
        await shop.buy(name, path, card)
    if how == "cancel":
        await service.ok("ana", "POST", f"{path}/cancel")
    elif how == "called off":
        await service.ok("root", "POST", f"{path}/cancel")
    elif how == "suspended early":
        await service.ok("root", "PUT", "/users/ana/suspension", json={})
    elif how == "no show":
        service.clock.ahead = 3 * 3600 + 1
        service.app.state.timers.fire()
        await service.settle()
    else:
        await service.ok("ana", "POST", f"{path}/start")
        if how == "enforcement":
            await service.ok("root", "POST", f"{path}/end")
        else:
            await service.ok("root", "PUT", "/users/ana/suspension", json={})
    await shop.quiet()
    states = {
        name: (await service.ok(name, "GET", "/users/me/tickets"))["data"][0]["state"] for name in ("ben", "cem")
    }
    assert states == {"ben": "refunded", "cem": "refunding"}
    for _ in range(2):
        service.clock.ahead += 11
        await shop.office.sweep()
    assert (await service.ok("cem", "GET", "/users/me/tickets"))["data"][0]["state"] == "refunded"
    assert await shop.office.till.earned("ana") == 0
    (account,) = await shop.office.till.accounts("ana", "", 9)
    assert (account.state, account.sold) == ("refunded", 0)


async def test_a_space_that_took_place_is_not_refunded(shop: Shop) -> None:
    await shop.host()
    path = await shop.space()
    await shop.buy("ben", path)
    await shop.service.ok("ana", "POST", f"{path}/start")
    shop.service.clock.ahead = 301
    shop.service.app.state.timers.fire()  # nobody came
    await shop.service.settle()
    await shop.quiet()
    assert (await shop.service.ok("ben", "GET", "/users/me/tickets"))["data"][0]["state"] == "paid"


async def test_a_declined_card_frees_the_ticket(shop: Shop) -> None:
    await shop.host()
    path = await shop.space(quantity=1)
    ticket = await shop.buy("ben", path, DECLINED)
    assert (ticket["state"], ticket["reason"]) == ("declined", "The card was declined.")
    assert (await shop.buy("cem", path))["state"] == "paid"
    refused = await shop.service.call("ben", "POST", f"{path}/tickets/purchases", json={"payment_method": "4242"})
    assert kind(refused) == (409, "sold-out")


async def test_a_payment_that_takes_too_long_frees_the_ticket(shop: Shop) -> None:
    await shop.host()
    path = await shop.space(quantity=1)
    assert (await shop.buy("ben", path, SLOW))["state"] == "pending"
    shop.service.clock.ahead = 599
    await shop.office.sweep()
    assert (await shop.service.ok("ben", "GET", f"{path}/tickets"))["available"] == 0
    shop.service.clock.ahead = 601
    await shop.office.sweep()
    assert (await shop.service.ok("ben", "GET", "/users/me/tickets"))["data"][0]["state"] == "expired"
    assert (await shop.buy("ben", path))["state"] == "paid", "another try is allowed"


async def test_the_last_ticket_is_sold_once(shop: Shop) -> None:
    await shop.host()
    path = await shop.space(quantity=5)
    buyers = [f"b{number}" for number in range(40)]

    async def buy(name: str) -> int:
        body = {"payment_method": "4242424242424242"}
        return (await shop.service.call(name, "POST", f"{path}/tickets/purchases", json=body)).status_code

    answers = await asyncio.gather(*map(buy, buyers))
    assert sorted(answers) == [201] * 5 + [409] * 35
    await shop.quiet()
    assert len((await shop.service.ok("ana", "GET", f"{path}/tickets/buyers"))["data"]) == 5


async def test_one_person_at_many_windows_buys_one(shop: Shop) -> None:
    await shop.host()
    path = await shop.space(quantity=5)
    body = {"payment_method": "4242424242424242"}
    calls = (shop.service.call("ben", "POST", f"{path}/tickets/purchases", json=body) for _ in range(12))
    assert sorted(r.status_code for r in await asyncio.gather(*calls)) == [201] + [409] * 11
    await shop.quiet()
    assert (await shop.service.ok("ben", "GET", f"{path}/tickets"))["available"] == 4


async def test_many_spaces_of_a_host_share_one_limit(shop: Shop) -> None:
    """Confirmed at the same time, each of many purchases is shared as if it came after another."""
    await shop.host()
    paths = [await shop.space(price=99_900) for _ in range(4)]
    names = [f"b{number}" for number in range(6)]
    await asyncio.gather(
        *(
            shop.service.call(n, "POST", f"{p}/tickets/purchases", json={"payment_method": "4242424242424242"})
            for n in names
            for p in paths
        )
    )
    await shop.quiet()
    assert await shop.office.till.earned("ana") == 24 * (69_930 * 97 // 100)


@pytest.mark.parametrize(
    ("lacks", "why"),
    [({"adult": False}, "18 or older"), ({"followers": 999}, "1000 followers"), ({"spaces": 2}, "3 Spaces")],
)
async def test_who_may_not_sell_is_told_what_is_missing(shop: Shop, lacks: dict[str, int], why: str) -> None:
    await shop.host(**lacks)
    space = await shop.service.ok("ana", "POST", "/spaces", json={})
    body = {"price_cents": 500, "quantity": 5}
    refused = await shop.service.call("ana", "PUT", f"/spaces/{space['id']}/tickets", json=body)
    assert kind(refused) == (403, "not-eligible") and why in refused.json()["detail"]


async def test_a_space_is_scheduled_with_its_tickets(shop: Shop) -> None:
    service = shop.service
    start = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    body = {"scheduled_start": start, "title": "Show", "tickets": {"price_cents": 750, "quantity": 1}}
    await service.ok("ana", "POST", "/users", json={})
    refused = await service.call("ana", "POST", "/spaces", json=body)
    assert kind(refused) == (403, "not-eligible") and "18 or older" in refused.json()["detail"]
    assert (await service.ok("ana", "GET", "/spaces"))["data"] == []
    await service.ok("ana", "PATCH", "/users/me", json={"adult": True})
    await service.app.state.accounts.change("ana", followers_count=1_000)
    for _ in range(3):
        await service.ok("ana", "POST", f"{await service.live()}/end")
    wrong = await service.call(
        "ana", "POST", "/spaces", json=body | {"tickets": {"price_cents": 99, "quantity": 1}}
    )
    assert kind(wrong) == (422, "bad-input")
    space = await service.ok("ana", "POST", "/spaces", json=body)
    assert space["is_ticketed"] and space["state"] == "scheduled"
    offer = await service.ok("ben", "GET", f"/spaces/{space['id']}/tickets")
    assert (offer["price_cents"], offer["quantity"], offer["on_sale"]) == (750, 1, True)


async def tag(service: Service, name: str, way: str = "/spaces/search") -> Any:
    """What the only card of a list says of tickets to somebody."""
    [card] = (await service.ok(name, "GET", way))["data"]
    return card["tickets"]


async def test_lists_say_what_a_ticket_costs_and_who_has_one(shop: Shop) -> None:
    service = shop.service
    await shop.host()
    path = await shop.space(price=750, quantity=1)
    fresh = {"price_cents": 750, "currency": "USD", "available": 1, "on_sale": True, "needed": True, "yours": None}
    assert await tag(service, "ben") == fresh
    assert await tag(service, "ana") == fresh | {"needed": False}
    bought = await service.ok("ben", "POST", f"{path}/tickets/purchases", json={"payment_method": SLOW})
    assert bought["state"] == "pending"
    sold = fresh | {"available": 0, "on_sale": False}
    assert await tag(service, "ben") == sold | {"yours": "pending"}
    service.clock.ahead += 700  # the payment took too long
    await shop.office.sweep()
    assert await tag(service, "ben") == fresh
    await shop.buy("ben", path)
    assert await tag(service, "ben") == sold | {"yours": "paid"}
    assert await tag(service, "cem") == sold
    await service.ok("cem", "POST", "/users", json={})
    await service.ok("cem", "POST", "/users/me/following", json={"target_user_id": "ana"})
    await service.ok("ana", "POST", f"{path}/start")
    assert await tag(service, "cem", "/users/me/bubbles") == sold
    await service.ok("ana", "POST", f"{path}/end")
    await service.live(title="For everyone")
    assert await tag(service, "ben") is None


async def test_what_cannot_be_sold_or_bought(shop: Shop) -> None:
    service = shop.service
    await shop.host()
    path = await shop.space()
    for body in ({"price_cents": 99, "quantity": 1}, {"price_cents": 100.5, "quantity": 1}, {"price_cents": 500}):
        assert (await service.call("ana", "PUT", f"{path}/tickets", json=body)).status_code == 422
    assert (
        await service.call("ben", "PUT", f"{path}/tickets", json={"price_cents": 500, "quantity": 1})
    ).status_code == 403
    refused = await service.call("ana", "POST", f"{path}/tickets/purchases", json={"payment_method": "4242"})
    assert kind(refused) == (409, "needs-no-ticket")
    await shop.buy("ben", path)
    body = {"price_cents": 600, "quantity": 10}
    assert kind(await service.call("ana", "PUT", f"{path}/tickets", json=body)) == (409, "wrong-state")
    assert kind(await service.call("ana", "DELETE", f"{path}/tickets")) == (409, "wrong-state")
    more = await service.ok("ana", "PUT", f"{path}/tickets", json={"price_cents": 1_000, "quantity": 11})
    assert more["available"] == 10
    other = await shop.space()
    assert (await service.call("ana", "DELETE", f"{other}/tickets")).status_code == 204
    assert (await service.ok("ana", "GET", other))["is_ticketed"] is False
    assert kind(await service.call("ben", "GET", f"{other}/tickets")) == (404, "no-tickets")
    bought = await service.call("ben", "POST", f"{other}/tickets/purchases", json={"payment_method": "4242"})
    assert kind(bought) == (409, "no-tickets")
    ticket = (await service.ok("ben", "GET", "/users/me/tickets"))["data"][0]["id"]
    assert (await service.call("cem", "GET", f"/users/me/tickets/{ticket}")).status_code == 404
    moved = {"scheduled_start": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    assert kind(await service.call("ana", "POST", f"{path}/schedule", json=moved)) == (409, "wrong-state")


async def test_ones_age_is_nobody_elses_business(shop: Shop) -> None:
    await shop.service.ok("ana", "POST", "/users", json={})
    assert (await shop.service.ok("ana", "PATCH", "/users/me", json={"adult": True}))["adult"] is True
    assert (await shop.service.ok("root", "GET", "/users/ana"))["adult"] is True
    assert (await shop.service.ok("ben", "GET", "/users/ana"))["adult"] is None
    assert all(user["adult"] is None for user in (await shop.service.ok("ben", "GET", "/users"))["data"])


async def test_a_payment_that_comes_after_the_end_goes_back(shop: Shop) -> None:
    await shop.host()
    path = await shop.space()
    await shop.buy("ben", path, SLOW)
    await shop.service.ok("ana", "POST", f"{path}/start")
    await shop.service.ok("ana", "POST", f"{path}/end")
    await shop.office.sweep()
    (ticket,) = await shop.office.till.of_user("ben", None, 1)
    charged = sa.update(TEST_PAYMENTS).values(outcome=Outcome.CHARGED.value)
    async with shop.engine.begin() as connection:
        await connection.execute(charged)
    await shop.office.settled(Charge(ticket.id, Outcome.CHARGED))
    await shop.office.sweep()
    assert (await shop.service.ok("ben", "GET", "/users/me/tickets"))["data"][0]["state"] == "refunded"
    await shop.audit()


async def test_a_price_cannot_change_while_the_first_ticket_is_sold(shop: Shop) -> None:
    await shop.host()
    path = await shop.space(price=1_000)
    offer_of = shop.office.till.offer_of

    async def early(space_id: str) -> Any:
        shop.office.till.offer_of = offer_of
        before = await offer_of(space_id)
        await shop.buy("ben", path)
        return before

    shop.office.till.offer_of = early
    refused = await shop.service.call("ana", "PUT", f"{path}/tickets", json={"price_cents": 9_900, "quantity": 10})
    assert kind(refused) == (409, "wrong-state")
    assert (await shop.service.ok("cem", "GET", f"{path}/tickets"))["price_cents"] == 1_000
    await shop.service.ok("ana", "POST", f"{path}/start")
    door = await shop.service.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert door.status_code == 402 and "10.00 USD" in door.json()["detail"]
