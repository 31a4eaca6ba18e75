"""Users: profiles, who follows whom, blocks, lists in pages; on every database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.media.server.service import SDP, Service, located, running


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def join(service: Service, *names: str, **fields: Any) -> None:
    for name in names:
        await service.ok(name, "POST", "/users", json=fields)


async def follow(service: Service, name: str, target: str) -> Any:
    return await service.ok(name, "POST", "/users/me/following", json={"target_user_id": target})


async def counts(service: Service, name: str) -> tuple[int, int]:
    shown = (await service.ok("root", "GET", f"/users/{name}"))["public_metrics"]
    return shown["followers_count"], shown["following_count"]


async def ids(service: Service, name: str, path: str) -> list[str]:
    return [user["id"] for user in (await service.ok(name, "GET", path))["data"]]


def slug(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith(".")
    return response.status_code, response.json()["type"].rpartition(":")[2]


async def test_a_profile_from_making_to_changing(service: Service) -> None:
    made = await service.call("ana", "POST", "/users", json={"username": "Ana_L", "name": "Ana Łuczak"})
    assert (made.status_code, located(made)) == (201, "/users/ana")
    shown = await service.ok("ben", "GET", "/users/ana")
    assert shown | {"adult": False} == made.json() == await service.ok("ana", "GET", "/users/me")
    assert await service.ok("ben", "GET", "/users/by/username/aNA_l") == shown
    assert (shown["id"], shown["username"], shown["name"]) == ("ana", "Ana_L", "Ana Łuczak")
    assert shown["public_metrics"] == {"followers_count": 0, "following_count": 0}
    changed = await service.ok("ana", "PATCH", "/users/me", json={"username": "ana2", "protected": True})
    assert changed == shown | {"username": "ana2", "protected": True, "adult": False}
    assert (await service.ok("root", "PATCH", "/users/ana", json={"verified": True}))["verified"]
    assert (await service.ok("root", "POST", "/users", json={"id": "zoe", "verified": True}))["id"] == "zoe"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "refusal"),
    [
        ("ana", "POST", "/users", {}, (409, "user-exists")),
        ("ben", "POST", "/users", {"username": "ANA"}, (409, "user-exists")),
        ("ben", "POST", "/users", {"id": "cem"}, (403, "not-admin")),
        ("ben", "POST", "/users", {"verified": True}, (403, "not-admin")),
        ("ben", "POST", "/users", {"username": "me"}, (422, "bad-input")),
        ("ben", "POST", "/users", {"name": "a\0b"}, (422, "bad-input")),
        ("ben", "POST", "/users", {"name": "  "}, (422, "bad-input")),
        ("ana", "PATCH", "/users/me", {"verified": True}, (403, "not-admin")),
        ("ana", "PATCH", "/users/me", {}, (422, "bad-input")),
        ("ana", "PATCH", "/users/me", {"name": None}, (422, "bad-input")),
        ("ana", "PATCH", "/users/me", {"username": "dag"}, (409, "user-exists")),
        ("ben", "PATCH", "/users/ana", {"name": "x"}, (403, "not-yours")),
        ("root", "PATCH", "/users/nobody", {"name": "x"}, (404, "unknown-user")),
        ("ana", "GET", "/users/nobody", None, (404, "unknown-user")),
        ("ana", "GET", "/users/%00", None, (404, "unknown-user")),
        ("ana", "GET", "/users/by/username/%00", None, (404, "unknown-user")),
        ("ana", "GET", "/users/%00/followers", None, (404, "unknown-user")),
        ("root", "GET", "/users/%00/blocking", None, (404, "unknown-user")),
        ("ana", "DELETE", "/users/me/following/%00", None, (404, "unknown-user")),
        ("ana", "DELETE", "/users/me/blocking/%00", None, (404, "unknown-user")),
        ("ana", "POST", "/users/me/follow-requests/%00/accept", None, (404, "unknown-user")),
        ("ana", "POST", "/users/me/follow-requests/dag/accept", None, (404, "no-follow-request")),
        ("ana", "POST", "/users/me/following", {"target_user_id": "ana"}, (409, "yourself")),
        ("ana", "POST", "/users/me/blocking", {"target_user_id": "ana"}, (409, "yourself")),
        ("ana", "POST", "/users/me/following", {"target_user_id": "nobody"}, (404, "unknown-user")),
        ("ben", "POST", "/users/me/following", {"target_user_id": "ana"}, (404, "unknown-user")),
        ("ben", "POST", "/users/ana/following", {"target_user_id": "dag"}, (403, "not-yours")),
        ("ben", "GET", "/users/ana/blocking", None, (403, "not-yours")),
        ("ben", "PUT", "/users/ana/suspension", {}, (403, "not-admin")),
        ("ben", "GET", "/users/ana/suspension", None, (403, "not-admin")),
        ("ben", "DELETE", "/users/ana/suspension", None, (403, "not-admin")),
        ("root", "PUT", "/users/%00/suspension", {}, (404, "unknown-user")),
        ("ana", "GET", "/users?max_results=0", None, (422, "bad-input")),
        ("ana", "GET", "/users?max_results=1001", None, (422, "bad-input")),
        ("ana", "GET", "/users?pagination_token=!", None, (422, "bad-input")),
        ("ana", "GET", "/users?pagination_token=AA==", None, (422, "bad-input")),
        ("ana", "GET", "/users/ana/followers?pagination_token=YW5h", None, (422, "bad-input")),
        (
            "ana",
            "GET",
            "/users/ana/followers?pagination_token=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=",
            None,
            (422, "bad-input"),
        ),
    ],
)
async def test_refusals(
    service: Service, who: str, method: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    await join(service, "ana", "dag")
    assert slug(await service.call(who, method, path, json=body)) == refusal


async def test_following_is_counted_once_and_listed_newest_first(service: Service) -> None:
    await join(service, "ana", "ben", "cem")
    for name in ("ben", "cem", "ben"):
        assert await follow(service, name, "ana") == {"following": True, "pending_follow": False}
    assert (await counts(service, "ana"), await counts(service, "ben")) == ((2, 0), (0, 1))
    assert await ids(service, "dag", "/users/ana/followers") == ["cem", "ben"]
    assert await ids(service, "dag", "/users/ben/following") == ["ana"]
    for _ in range(2):
        assert not (await service.ok("ben", "DELETE", "/users/me/following/ana"))["following"]
    assert (await counts(service, "ana"), await counts(service, "ben")) == ((1, 0), (0, 0))


async def test_many_follow_each_other_at_a_time(service: Service) -> None:
    names = [f"p{number}" for number in range(8)]
    await join(service, *names)
    pairs = [(one, other) for one in names for other in names if one != other]
    await asyncio.gather(*(follow(service, *pair) for pair in pairs + pairs[::-1]))
    assert [await counts(service, name) for name in names] == [(7, 7)] * 8


async def test_pages_neither_repeat_nor_skip_while_the_list_grows(service: Service) -> None:
    names = [f"p{number:02}" for number in range(10)]
    await join(service, "ana", *names)
    for name in names[:9]:
        await follow(service, name, "ana")
    seen: list[list[str]] = []
    query: dict[str, Any] = {"max_results": 4}
    while query:
        page = await service.ok("ana", "GET", "/users/me/followers", params=query)
        assert page["meta"]["result_count"] == len(page["data"])
        seen.append([user["id"] for user in page["data"]])
        await follow(service, names[9], "ana")
        token = page["meta"]["next_token"]
        query = {"max_results": 4, "pagination_token": token} if token else {}
    assert seen == [["p08", "p07", "p06", "p05"], ["p04", "p03", "p02", "p01"], ["p00"]]
    first = await service.ok("ana", "GET", "/users?max_results=10")
    rest = await service.ok("ana", "GET", f"/users?pagination_token={first['meta']['next_token']}")
    assert [user["id"] for user in first["data"] + rest["data"]] == ["ana", *names]
    assert rest["meta"] == {"result_count": 1, "next_token": None}


async def test_a_protected_account_is_asked_first(service: Service) -> None:
    await join(service, "ana", protected=True)
    await join(service, "ben", "cem")
    for name in ("ben", "cem"):
        assert await follow(service, name, "ana") == {"following": False, "pending_follow": True}
    assert slug(await service.call("ben", "GET", "/users/ana/followers")) == (403, "protected")
    assert await ids(service, "ana", "/users/me/follow-requests") == ["cem", "ben"]
    await service.ok("ana", "POST", "/users/me/follow-requests/ben/accept")
    await service.ok("ana", "DELETE", "/users/me/follow-requests/cem")
    assert await ids(service, "ana", "/users/me/follow-requests") == []
    assert await ids(service, "ben", "/users/ana/followers") == ["ben"]
    assert slug(await service.call("cem", "GET", "/users/ana/followers")) == (403, "protected")
    assert await counts(service, "ana") == (1, 0)
    assert slug(await service.call("ana", "POST", "/spaces", json={})) == (403, "not-eligible")


async def test_who_may_host_and_who_gets_a_seat_is_read_from_the_graph(tmp_path: Path, database: str) -> None:
    async with running(tmp_path, database=database, policy="2021-05") as service:
        await join(service, "ana", "ben")
        refusal = await service.call("ana", "POST", "/spaces", json={})
        assert slug(refusal) == (403, "not-eligible")
        assert "this account has 0" in refusal.json()["detail"]
    async with running(tmp_path, database=database) as service:
        path = await service.live(speak_policy="following")
        await follow(service, "ana", "ben")
        assert (await service.ok("ben", "POST", f"{path}/requests"))["status"] == "granted"
        assert (await service.ok("cem", "POST", f"{path}/requests"))["status"] == "queued"


async def test_blocked_people_are_out_of_all_spaces_of_their_blocker(service: Service) -> None:
    await join(service, "ana", "ben")
    await follow(service, "ben", "ana")
    await follow(service, "ana", "ben")
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    await service.connect("ben", path, "whip")
    await service.connect("cem", path)
    service.plane.taken()
    for name in ("ben", "cem"):
        answer = await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": name})
        assert answer == {"blocking": True}
    assert service.plane.sessions == {}
    assert service.plane.taken()[0] == ("let_talk", "ben", False)
    assert (await counts(service, "ana"), await counts(service, "ben")) == ((0, 0), (0, 0))
    assert await ids(service, "ana", "/users/me/blocking") == ["cem", "ben"]
    for one, other in (("ana", "ben"), ("ben", "ana")):
        tried = await service.call(one, "POST", "/users/me/following", json={"target_user_id": other})
        assert slug(tried) == (403, "blocked")
    path = await service.live(speak_policy="everyone")
    tried = await service.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert slug(tried) == (403, "blocked")
    assert slug(await service.call("cem", "POST", f"{path}/requests")) == (403, "blocked")
    await service.ok("ana", "DELETE", "/users/me/blocking/cem")
    await service.connect("cem", path)


async def test_a_block_that_comes_while_the_relay_answers_ends_the_session(service: Service) -> None:
    path, blocking = await service.live(), []

    def block() -> None:
        request = service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "cem"})
        blocking.append(asyncio.get_running_loop().create_task(request))
        service.app.state.guard._blocked["ana"].add("cem")

    service.plane.while_answering = block
    tried = await service.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert slug(tried) == (403, "blocked")
    await asyncio.gather(*blocking)
    assert service.plane.sessions == {}


async def test_an_unblock_that_comes_while_the_relay_answers(service: Service) -> None:
    path, answering = await service.live(), service.plane.add_session

    async def slowly(*arguments: str) -> str:
        answer = await answering(*arguments)
        await service.ok("ana", "DELETE", "/users/me/blocking/ben")
        return answer

    service.plane.add_session = slowly
    await service.connect("cem", path)
    assert await service.count(path) == 1


async def test_who_became_protected_neither_starts_nor_schedules_a_space(service: Service) -> None:
    await join(service, "ana")
    draft = f"/spaces/{(await service.ok('ana', 'POST', '/spaces', json={}))['id']}"
    await service.ok("ana", "PATCH", "/users/me", json={"protected": True})
    start = {"scheduled_start": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    assert slug(await service.call("ana", "POST", f"{draft}/start")) == (403, "not-eligible")
    assert slug(await service.call("ana", "POST", f"{draft}/schedule", json=start)) == (403, "not-eligible")
    assert slug(await service.call("ana", "PATCH", draft, json=start)) == (403, "not-eligible")
    await service.ok("ana", "PATCH", "/users/me", json={"protected": False})
    await service.ok("ana", "POST", f"{draft}/start")


@pytest.mark.parametrize("block", [("ana", "ben"), ("ben", "ana"), ("ben", "cem"), ("cem", "ben")])
async def test_nobody_is_invited_across_a_block(service: Service, block: tuple[str, str]) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("cem", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/participants/cem/promote")
    await service.ok(block[0], "POST", "/users/me/blocking", json={"target_user_id": block[1]})
    for role in ("listener", "speaker"):
        body = {"user_id": "ben", "role": role}
        assert slug(await service.call("cem", "POST", f"{path}/invitations", json=body)) == (403, "blocked")
    await service.ok("cem", "POST", f"{path}/invitations", json={"user_id": "dag"})
