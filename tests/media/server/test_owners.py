"""Sessions and their owners: what an expired token is good for, how many one may have, and what removal means."""

import time

import httpx
import pytest

from media.server import session_bounds
from media.server.auth import Tokens
from tests.media.server.service import SDP, Service

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]


async def as_of_yesterday(service: Service, name: str, method: str, path: str, **more: object) -> httpx.Response:
    """Call with a token of this server that has expired."""
    token = service.app.state.tokens.issue(name, ttl=1, now=time.time() - 86_400)
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return await service.http.request(method, path, headers=headers, **more)


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_an_expired_token_ends_and_restarts_a_session_of_its_owner_and_opens_none(
    service: Service, kind: str
) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    session = await service.connect("ben", path, kind)
    restart = {"content": "a=ice-ufrag:new", "headers": FRAGMENT}
    assert (await as_of_yesterday(service, "ben", "PATCH", session, **restart)).status_code == 200
    assert slug(await as_of_yesterday(service, "cem", "PATCH", session, **restart)) == (403, "not-owner")
    assert slug(await as_of_yesterday(service, "cem", "DELETE", session)) == (403, "not-owner")
    for method, where in (("POST", f"{path}/{kind}"), ("GET", path), ("POST", f"{path}/participants/me/unmute")):
        refused = await as_of_yesterday(service, "ben", method, where, content="v=0", headers=SDP)
        assert slug(refused) == (401, "bad-token"), where
    assert service.plane.sessions, "the sound went on"
    assert (await as_of_yesterday(service, "ben", "DELETE", session)).status_code == 204
    assert not service.plane.sessions
    assert slug(await as_of_yesterday(service, "ben", "DELETE", session)) == (404, "unknown-session")


async def test_only_a_token_that_was_right_once_is_good_for_that(service: Service) -> None:
    path = await service.live()
    session = await service.connect("ben", path)
    forged = Tokens(b"x" * 32).issue("ben", ttl=1, now=0)
    unsigned = forged.rpartition(".")[0] + "."
    for token in (forged, unsigned, "nonsense"):
        headers = {"Authorization": f"Bearer {token}"}
        for method, more in (("DELETE", {}), ("PATCH", {"content": "a=ice-ufrag:new"})):
            refused = await service.http.request(method, session, headers=headers | FRAGMENT, **more)
            assert slug(refused) == (401, "bad-token")
    assert slug(await service.call(None, "DELETE", session)) == (403, "not-owner")
    await service.ok("root", "PUT", "/users/ben/suspension", json={"reason": "noise"})
    assert slug(await as_of_yesterday(service, "ben", "DELETE", session)) == (403, "suspended")


async def test_a_user_has_so_many_sessions_in_a_space_and_in_all(service: Service) -> None:
    rooms = [await service.live(anonymous_listening=True) for _ in range(5)]
    here = [await service.connect("ben", rooms[0]) for _ in range(session_bounds.PER_SPACE)]
    refused = await service.call("ben", "POST", f"{rooms[0]}/whep", content="v=0", headers=SDP)
    assert slug(refused) == (429, "too-many-sessions") and int(refused.headers["Retry-After"]) > 0
    assert "8 connections to this Space" in refused.json()["detail"]
    await service.connect("cem", rooms[0])
    unnamed = await service.connect(None, rooms[0])
    assert slug(await service.call("ben", "POST", f"{unnamed}/name")) == (429, "too-many-sessions")
    for room in rooms[1:4]:
        for _ in range(session_bounds.PER_SPACE):
            await service.connect("ben", room)
    refused = await service.call("ben", "POST", f"{rooms[4]}/whep", content="v=0", headers=SDP)
    assert slug(refused) == (429, "too-many-sessions") and "32 connections" in refused.json()["detail"]
    service.lose(here[0])
    await service.ok("ben", "DELETE", here[1])
    await service.settle()
    await service.connect("ben", rooms[4])
    await service.connect("ben", rooms[0])


async def test_a_storm_of_joins_by_one_user_takes_eight_places(service: Service) -> None:
    path = await service.live()
    statuses = [
        (await service.call("ben", "POST", f"{path}/whep", content="v=0", headers=SDP)).status_code
        for _ in range(150)
    ]
    assert statuses == [201] * 8 + [429] * 142
    assert len(service.plane.sessions) == 8


async def test_listeners_without_a_name_are_bounded_by_address_but_for_this_machine(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_bounds, "PER_ADDRESS", 3)
    path = await service.live(anonymous_listening=True)

    async def listen(address: str, **headers: str) -> int:
        transport = httpx.ASGITransport(service.app, client=(address, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://spaces") as client:
            return (await client.post(f"{path}/whep", content="v=0", headers=SDP | headers)).status_code

    assert [await listen("203.0.113.7") for _ in range(4)] == [201, 201, 201, 429]
    assert await listen("203.0.113.8") == 201
    assert [await listen(f"2001:db8::{n}") for n in range(1, 5)] == [201, 201, 201, 429], "one customer's network"
    assert [await listen("127.0.0.1") for _ in range(5)] == [201] * 5
    assert [await listen("127.0.0.1", **{"X-Forwarded-For": "1.2.3.4"}) for _ in range(4)] == [201, 201, 201, 429]


async def test_removal_is_by_name_and_an_option_ends_listening_without_one(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    await service.connect("rex", path)
    await service.ok("ana", "DELETE", f"{path}/participants/rex")
    assert slug(await service.call("rex", "POST", f"{path}/whep", content="v=0", headers=SDP)) == (403, "removed")
    unnamed = await service.connect(None, path)
    assert slug(await service.call("rex", "POST", f"{unnamed}/name")) == (403, "removed")
    await service.ok("ana", "PATCH", path, json={"removal_ends_anonymous": True})
    assert (await service.ok("ana", "GET", path))["anonymous_listening"], "not for what was before"
    await service.connect("tom", path)
    await service.ok("ana", "DELETE", f"{path}/participants/tom")
    await service.settle()
    shown = await service.ok("ana", "GET", path)
    assert (shown["anonymous_listening"], shown["removal_ends_anonymous"]) == (False, True)
    assert slug(await service.call(None, "POST", f"{path}/whep", content="v=0", headers=SDP)) == (401, "no-token")
    assert unnamed.rpartition("/")[2] not in service.plane.sessions, "ended in the media path, too"
    await service.ok("ana", "PATCH", path, json={"anonymous_listening": True})
    await service.connect(None, path)
    refused = await service.call("cem", "PATCH", path, json={"removal_ends_anonymous": False})
    assert slug(refused) == (403, "no-right")


async def test_a_block_from_within_is_a_removal_and_ends_listening_without_a_name(service: Service) -> None:
    path = await service.live(anonymous_listening=True, removal_ends_anonymous=True)
    for name in ("ana", "bob"):
        await service.ok(name, "POST", "/users", json={})
    await service.connect("bob", path)
    await service.connect(None, path)
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "bob"})
    await service.settle()
    assert not (await service.ok("ana", "GET", path))["anonymous_listening"]
    assert not service.plane.sessions
