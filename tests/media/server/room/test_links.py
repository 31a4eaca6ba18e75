"""Invitations with a role, and links that give one, over HTTP."""

import base64

import pytest

from tests.media.server.room.test_room import problem, staged
from tests.media.server.service import Service, located


async def link(service: Service, path: str, by: str = "ana", **body: object) -> str:
    made = await service.call(by, "POST", f"{path}/invitation-links", json=body)
    assert made.status_code == 201, made.text
    assert located(made) == f"{path}/invitation-links/{made.json()['code']}"
    return located(made)


async def test_whoever_follows_a_link_gets_what_it_gives(service: Service) -> None:
    path = await staged(service)
    speak, listen = await link(service, path), await link(service, path, "eve", role="listener")
    cohost = await link(service, path, role="cohost", uses=1)
    shown = await service.ok("gil", "GET", speak)
    assert (shown["role"], shown["user_id"], shown["uses_left"]) == ("speaker", "ana", 1000)
    assert shown["url"] == f"http://spaces/s/{path[8:]}#invitation={shown['code']}"
    assert (await service.ok("gil", "POST", f"{speak}/accept"))["standing"] == "speaker"
    assert service.plane.taken() == [("mute", "gil", True), ("let_talk", "gil", True), ("mute", "gil", True)]
    assert await problem(service, "gil", "POST", f"{speak}/accept") == (409, "wrong-state")
    assert (await service.ok("gil", "POST", f"{cohost}/accept"))["standing"] == "cohost"
    assert await problem(service, "hal", "POST", f"{cohost}/accept") == (404, "unknown-link")
    assert (await service.ok("hal", "POST", f"{listen}/accept"))["standing"] == "outside"
    assert (await service.ok("gil", "GET", speak))["uses_left"] == 999
    hosts = await service.ok("ana", "GET", f"{path}/invitation-links")
    assert [one["role"] for one in hosts["data"]] == ["speaker", "listener", "cohost"]
    assert [o["role"] for o in (await service.ok("eve", "GET", f"{path}/invitation-links"))["data"]] == [
        "listener"
    ]


async def test_links_come_in_pages_without_their_secrets(service: Service) -> None:
    path = await staged(service)
    service.clock.stop()  # those of the same moment are told apart
    made = {(await link(service, path, by)).rpartition("/")[2] for by in ("ana", "ben", "ana", "ben", "ana")}
    codes: list[str] = []
    query: dict[str, object] = {"max_results": 2}
    while query:
        page = await service.ok("ana", "GET", f"{path}/invitation-links", params=query)
        assert page["meta"]["result_count"] == len(page["data"]) <= 2
        codes += [one["code"] for one in page["data"]]
        token = page["meta"]["next_token"]
        query = {"max_results": 2, "pagination_token": token} if token else {}
        assert not any(code in base64.urlsafe_b64decode(token or "").decode() for code in codes)
    assert len(codes) == 5 and set(codes) == made
    assert await problem(service, "ana", "GET", f"{path}/invitation-links?pagination_token=bm8=") == (
        422,
        "bad-input",
    )


async def test_a_link_is_worth_what_its_maker_may_do(service: Service) -> None:
    path = await staged(service)
    of_ben = await link(service, path, "ben")
    await service.ok("ana", "POST", f"{path}/participants/ben/step-down")
    assert await problem(service, "gil", "POST", f"{of_ben}/accept") == (404, "unknown-link")


async def test_links_can_be_revoked_and_are_few(service: Service) -> None:
    path = await staged(service)
    first, cohost = await link(service, path, "ben"), await link(service, path, role="cohost")
    assert await problem(service, "cem", "DELETE", first) == (403, "no-right")
    assert await problem(service, "ben", "DELETE", cohost) == (403, "no-right")
    await service.ok("ana", "DELETE", first)
    assert await problem(service, "ana", "DELETE", first) == (404, "unknown-link")
    assert await problem(service, "gil", "POST", f"{first}/accept") == (404, "unknown-link")
    assert await problem(service, "gil", "GET", first) == (404, "unknown-link")
    for _ in range(10):
        last = await link(service, path, "ben")
    more = f"{path}/invitation-links"
    assert await problem(service, "ben", "POST", more, json={}) == (409, "seats-full")
    await service.ok("ben", "DELETE", last)
    await link(service, path, "ben")
    assert await problem(service, "cem", "POST", more, json={}) == (403, "no-right")
    assert await problem(service, "ben", "POST", more, json={"role": "cohost"}) == (403, "no-right")
    assert await problem(service, "ana", "POST", more, json={"role": "host"}) == (422, "bad-input")
    assert await problem(service, "ana", "POST", more, json={"uses": 0}) == (422, "bad-input")


async def test_who_is_kept_out_stays_out_with_a_link(service: Service) -> None:
    path = await staged(service)
    speak = await link(service, path)
    await service.ok("ana", "DELETE", f"{path}/participants/eve")
    assert await problem(service, "eve", "POST", f"{speak}/accept") == (403, "removed")
    await service.ok("ana", "POST", "/users", json={})
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "gil"})
    assert await problem(service, "gil", "POST", f"{speak}/accept") == (403, "blocked")


async def test_a_link_answers_a_request_and_takes_a_seat(service: Service) -> None:
    path = await service.live()
    speak = await link(service, path)
    await service.ok("ben", "POST", f"{path}/requests")
    assert (await service.ok("ben", "POST", f"{speak}/accept"))["standing"] == "speaker"
    assert (await service.ok("ana", "GET", f"{path}/requests"))["data"] == []
    for n in range(9):
        await service.ok(f"u{n}", "POST", f"{speak}/accept")
    assert await problem(service, "eve", "POST", f"{speak}/accept") == (409, "seats-full")
    assert (await service.ok("ana", "GET", speak))["uses_left"] == 990


async def test_an_invitation_to_cohost_is_the_host_s_to_make_and_to_take_back(service: Service) -> None:
    path = await staged(service)
    as_cohost = {"user_id": "eve", "role": "cohost", "via": "message"}
    assert await problem(service, "ben", "POST", f"{path}/invitations", json=as_cohost) == (403, "no-right")
    invited = await service.ok("ana", "POST", f"{path}/invitations", json=as_cohost)
    assert (invited["standing"], invited["invited_as"]) == ("invited", "cohost")
    assert await problem(service, "ben", "DELETE", f"{path}/invitations/eve") == (403, "no-right")
    await service.ok("ana", "DELETE", f"{path}/invitations/eve")
    assert await problem(service, "eve", "POST", f"{path}/invitations/me/accept") == (404, "unknown-person")
    await service.ok("ana", "POST", f"{path}/invitations", json=as_cohost)
    assert (await service.ok("eve", "POST", f"{path}/invitations/me/accept"))["standing"] == "cohost"
    assert (await service.ok("ana", "GET", path))["host_ids"] == ["ana", "ben", "eve"]
    assert (await service.ok("ana", "POST", f"{path}/participants/eve/demote"))["standing"] == "speaker"
    assert await problem(service, "cem", "POST", f"{path}/participants/ben/demote") == (403, "no-right")
    assert (await service.ok("ben", "POST", f"{path}/participants/me/demote"))["standing"] == "speaker"


async def test_everyone_invites_to_listen(service: Service) -> None:
    path = await staged(service)
    to_listen = {"user_id": "gil", "role": "listener", "via": "message"}
    invited = await service.ok("eve", "POST", f"{path}/invitations", json=to_listen)
    assert (invited["standing"], invited["invited_as"]) == ("outside", None)
    here = {"user_id": "cem", "role": "listener"}
    assert await problem(service, "eve", "POST", f"{path}/invitations", json=here) == (409, "wrong-state")
    to_speak = {"user_id": "gil"}
    assert await problem(service, "eve", "POST", f"{path}/invitations", json=to_speak) == (403, "no-right")
    from_outside = {"user_id": "hal", "role": "listener"}
    assert await problem(service, "gil", "POST", f"{path}/invitations", json=from_outside) == (403, "no-right")
    to_listen_by_link = {"role": "listener"}
    more = f"{path}/invitation-links"
    assert await problem(service, "gil", "POST", more, json=to_listen_by_link) == (403, "no-right")
    assert await problem(service, None, "POST", f"{path}/invitations", json=to_listen) == (401, "no-token")


@pytest.mark.parametrize(("who", "sees"), [("ana", True), ("ben", True), ("root", True), ("cem", False)])
async def test_open_invitations_are_shown_to_who_makes_them(service: Service, who: str, sees: bool) -> None:
    path = await staged(service)
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "gil"})
    if sees:
        listed = await service.ok(who, "GET", f"{path}/invitations")
        assert [(p["user_id"], p["invited_as"]) for p in listed["data"]] == [("gil", "speaker")]
    else:
        assert await problem(service, who, "GET", f"{path}/invitations") == (403, "no-right")
