"""Web Push for real: a push service on loopback, whose browser decrypts what comes and checks who signed it."""

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media.server.reminders.answer import Outcome, judge
from media.server.reminders.endpoint import fault_of, is_public
from media.server.reminders.push_request import Resolver
from media.server.reminders.vapid import load_key
from tests.media.server.reminders.browser import Browser, PushService, b64, push_service
from tests.media.server.service import Service, located, running

PATH = "/users/me/push-subscriptions"


@pytest.fixture
async def pushes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PushService]:
    async with push_service(tmp_path) as (service, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield service


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database, push_private=True) as one:
        yield one


async def scheduled(service: Service, **after: float) -> str:
    start = (datetime.now(UTC) + timedelta(**(after or {"hours": 2}))).isoformat()
    body = {"scheduled_start": start, "title": "Café “Launch”"}
    return (await service.ok("ana", "POST", "/spaces", json=body))["id"]


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_a_reminder_is_pushed_to_every_browser_of_the_person(service: Service, pushes: PushService) -> None:
    browsers = [Browser(f"{pushes.origin}/ben/{number}") for number in range(2)]
    for browser in browsers:
        await service.ok("ben", "POST", PATH, json=browser.subscription)
    await service.ok("cem", "POST", PATH, json=Browser(f"{pushes.origin}/cem").subscription)
    space = await scheduled(service)
    await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    assert pushes.pushed.empty(), "nothing is sent before there is something to tell"
    service.clock.ahead = 91 * 60
    await service.app.state.reminders.sweep()
    messages = sorted([await pushes.next(), await pushes.next()], key=lambda message: message.path)
    for browser, message in zip(browsers, messages, strict=True):
        assert message.path == browser.endpoint.removeprefix(pushes.origin)
        data = browser.read(message)
        assert (data["event"], data["when"], data["space_id"]) == ("reminder", "soon", space)
        assert data["title"] == "Café “Launch”"
        assert data["url"] == f"/s/{space}"
        claims, key = message.signed_by(pushes.origin)
        assert key == (await service.ok("ben", "GET", "/push/key"))["public_key"]
        assert claims["sub"].startswith("mailto:") and 0 < claims["exp"] - service.clock() <= 24 * 3600
        assert 28 * 60 < int(message.headers["TTL"]) <= 29 * 60 + 1, "worth nothing after the start"
        assert message.headers["Urgency"] == "high"
        assert message.headers["Topic"] == f"space-{space}"
    with pytest.raises(Exception, match="ag"):  # InvalidTag: each message is for one browser alone
        browsers[0].read(messages[1])
    await service.ok("ana", "POST", f"/spaces/{space}/cancel")
    assert (
        browsers[0].read(min([await pushes.next(), await pushes.next()], key=lambda m: m.path))["event"]
        == "canceled"
    )
    assert pushes.pushed.empty()


@pytest.mark.parametrize("status", [404, 410])
async def test_a_dead_subscription_is_forgotten(service: Service, pushes: PushService, status: int) -> None:
    await service.ok("ben", "POST", PATH, json=Browser(f"{pushes.origin}/dead").subscription)
    await service.ok("ben", "PUT", f"/users/me/reminders/{await scheduled(service)}")
    pushes.statuses = [status]
    service.clock.ahead = 91 * 60
    await service.app.state.reminders.sweep()
    await pushes.next()

    async def forgotten() -> bool:
        return (await service.ok("ben", "GET", PATH))["data"] == []

    await until(forgotten)
    assert await service.app.state.outbox.next_due() is None


async def test_attempts_are_bounded_and_further_apart(service: Service, pushes: PushService) -> None:
    outbox, postman = service.app.state.outbox, service.app.state.postman
    await postman.close()
    await service.ok("ben", "POST", PATH, json=Browser(f"{pushes.origin}/busy").subscription)
    space = await scheduled(service)
    await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    await service.ok("ana", "POST", f"/spaces/{space}/cancel")
    await service.app.state.reminders.sweep()
    pushes.statuses, waits = [503] * 99, []
    while (due := await outbox.next_due()) is not None:
        waits.append(max(0, round(due - service.clock())))
        service.clock.ahead += max(0.0, due - service.clock()) + 0.001
        await postman.deliver()
    assert waits == [0, 15, 30, 60, 120, 240]
    assert pushes.pushed.qsize() == 6
    assert len((await service.ok("ben", "GET", PATH))["data"]) == 1, "the browser may be reached another time"


async def test_what_was_queued_is_pushed_by_the_next_process(
    tmp_path: Path, database: str, pushes: PushService
) -> None:
    browser = Browser(f"{pushes.origin}/ben")
    async with running(tmp_path, database=database, push_private=True) as first:
        await first.app.state.postman.close()
        await first.ok("ben", "POST", PATH, json=browser.subscription)
        space = await scheduled(first)
        await first.ok("ben", "PUT", f"/users/me/reminders/{space}")
        await first.ok("ana", "POST", f"/spaces/{space}/cancel")
        await first.app.state.reminders.sweep()
        key = (await first.ok("ben", "GET", "/push/key"))["public_key"]
    assert pushes.pushed.empty()
    async with running(tmp_path, database=database, push_private=True):
        message = await pushes.next()
        assert browser.read(message)["event"] == "canceled"
        assert message.signed_by(pushes.origin)[1] == key, "the key of the installation stays"


async def test_no_redirection_is_followed(service: Service, pushes: PushService) -> None:
    await service.ok("ben", "POST", PATH, json=Browser(f"{pushes.origin}/moved").subscription)
    await service.ok("ben", "PUT", f"/users/me/reminders/{await scheduled(service)}")
    pushes.statuses, pushes.headers = [307], {"Location": f"{pushes.origin}/inside"}
    service.clock.ahead = 91 * 60
    await service.app.state.reminders.sweep()
    assert (await pushes.next()).path == "/moved"

    async def given_up() -> bool:
        return await service.app.state.outbox.next_due() is None

    await until(given_up)
    assert pushes.pushed.empty()


async def test_a_person_has_ten_browsers_and_takes_them_away(service: Service) -> None:
    browsers = [Browser(f"https://push.example.net/{number}") for number in range(12)]
    for browser in browsers:
        made = await service.call("ben", "POST", PATH, json=browser.subscription)
        assert made.status_code == 201
    shown = (await service.ok("ben", "GET", PATH))["data"]
    assert [s["endpoint"] for s in shown] == [b.endpoint for b in reversed(browsers[2:])]
    one = located(made)
    assert (await service.ok("ben", "GET", one))["endpoint"] == browsers[-1].endpoint
    assert (await service.call("cem", "DELETE", one)).status_code == 404
    assert (await service.call("ben", "DELETE", one)).status_code == 204
    assert (await service.call("ben", "GET", one)).status_code == 404
    await service.ok("cem", "POST", PATH, json=browsers[5].subscription)
    assert len((await service.ok("ben", "GET", PATH))["data"]) == 8, "a browser is one person's"
    assert (await service.call("ben", "DELETE", PATH)).status_code == 204
    assert (await service.ok("ben", "GET", PATH))["data"] == []


INSIDE = (
    "http://push.example.net/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[fe80::1]/x",
    "https://0.0.0.0/x",
    "https://printer.local/x",
    "https://localhost./x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f.0.0.1/x",
    "https://0177.0.0.1./x",
    "https://push.example.0x7f/x",
    "https://user:word@push.example.net/x",
    "https://push.example.net\\@127.0.0.1/x",
    "https://",
    "https://push.example.net:99999/x",
    "https://push.example.net/" + "x" * 1024,
)


@pytest.mark.parametrize("endpoint", INSIDE)
async def test_nothing_is_pushed_into_private_networks(tmp_path: Path, endpoint: str) -> None:
    async with running(tmp_path) as closed:
        refused = await closed.call("ben", "POST", PATH, json=Browser(endpoint).subscription)
        assert refused.status_code == 422


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f.1"])
async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(name: str) -> None:
    with pytest.raises(OSError, match="private network"):
        await Resolver(private=False).resolve(name, 443)
    assert await Resolver(private=True).resolve(name, 443)


def test_public_addresses() -> None:
    assert all(map(is_public, ("1.1.1.1", "2606:4700::1111")))
    assert not any(
        map(is_public, ("224.0.0.1", "192.168.0.1", "100.64.0.1", "fc00::1", "ff02::1", "2002:7f00:1::"))
    )
    assert fault_of("https://push.example.net/x?y=z", private=False) is None


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"p256dh": "A" * 87, "auth": "A" * 22}, "P-256"),
        ({"p256dh": "A" * 86 + "!", "auth": "A" * 22}, "p256dh"),
        ({"auth": "A" * 22}, "p256dh"),
        ({}, "keys"),
    ],
)
async def test_keys_that_are_none(service: Service, keys: dict[str, str], why: str) -> None:
    body = {"endpoint": "https://push.example.net/x", "keys": keys}
    refused = await service.call("ben", "POST", PATH, json=body)
    assert refused.status_code == 422 and why in refused.json()["detail"]


def test_the_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    first = load_key(tmp_path).private_numbers()
    assert load_key(tmp_path).private_numbers() == first
    path = tmp_path / "vapid.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["vapid.pem"]
    path.write_text("no key")
    with pytest.raises(ValueError, match="holds no P-256 key"):
        load_key(tmp_path)


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome", "wait"),
    [
        (201, "", Outcome.DONE, 0),
        (202, "", Outcome.DONE, 0),
        (404, "", Outcome.GONE, 0),
        (410, "", Outcome.GONE, 0),
        (429, "120", Outcome.LATER, 120),
        (429, "999999", Outcome.LATER, 3600),
        (503, "Thu, 01 Jan 1970 00:17:40 GMT", Outcome.LATER, 60),
        (500, "soon", Outcome.LATER, 0),
        (400, "", Outcome.REFUSED, 0),
        (413, "", Outcome.REFUSED, 0),
        (307, "", Outcome.REFUSED, 0),
    ],
)
def test_what_a_push_service_answers(status: int, retry_after: str, outcome: Outcome, wait: float) -> None:
    answer = judge(status, retry_after, 1000.0)
    assert (answer.outcome, answer.retry_after) == (outcome, wait)


async def test_an_endpoint_is_its_owner_s_unless_the_keys_of_its_browser_prove_another(service: Service) -> None:
    browser = Browser("https://push.example.com/one")
    mine = (await service.ok("ben", "POST", PATH, json=browser.subscription))["id"]
    known = {"endpoint": browser.endpoint}
    keys = browser.subscription["keys"]
    other = Browser(browser.endpoint).subscription["keys"] | {"auth": b64(b"another's secret")}
    for wrong in (other, {**keys, "auth": other["auth"]}, {**keys, "p256dh": other["p256dh"]}):
        refused = await service.call("eve", "POST", PATH, json={**known, "keys": wrong})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:spaces-lab:problem:not-owner")
    for method in ("GET", "DELETE"):
        assert (await service.call("eve", method, f"{PATH}/{mine}")).status_code == 404
    await service.ok("eve", "DELETE", PATH)
    assert (await service.ok("ben", "GET", f"{PATH}/{mine}"))["endpoint"] == browser.endpoint
    assert (await service.ok("eve", "GET", PATH))["data"] == []
    await service.ok("ben", "POST", PATH, json={**known, "keys": other})  # one's own browser subscribed anew
    await service.ok("ben", "POST", PATH, json=browser.subscription)


async def test_a_browser_that_changes_hands_brings_no_messages_of_before(
    service: Service, pushes: PushService
) -> None:
    browser = Browser(f"{pushes.origin}/shared")
    await service.ok("ben", "POST", PATH, json=browser.subscription)
    space = await scheduled(service)
    await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    postman = service.app.state.postman
    await postman.close()  # what is queued from here on stays so
    service.clock.ahead = 91 * 60
    await service.app.state.reminders.sweep()
    assert await service.app.state.outbox.next_due() is not None
    await service.ok("eve", "POST", PATH, json=browser.subscription)
    assert (await service.ok("ben", "GET", PATH))["data"] == []
    assert len((await service.ok("eve", "GET", PATH))["data"]) == 1
    assert await service.app.state.outbox.next_due() is None, "ben's messages are not eve's to read"
