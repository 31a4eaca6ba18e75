"""What people do in a Space beside speaking, over HTTP, with every refusal on the way."""

import pytest

from media.space.reactions import SYMBOL, Reaction
from tests.media.server.service import Service


async def staged(service: Service) -> str:
    """A live Space of ana with co-host ben, speakers cem and dag, and eve who listens, anonymous people, too."""
    path = await service.live(speak_policy="everyone", anonymous_listening=True)
    for name in ("ben", "cem", "dag"):
        await service.ok(name, "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/participants/ben/promote")
    for name in ("ana", "ben", "cem", "dag", "eve"):
        await service.connect(name, path)
    await service.connect(None, path)
    service.plane.taken()
    return path


async def problem(service: Service, name: str | None, method: str, path: str, **more: object) -> tuple[int, str]:
    response = await service.call(name, method, path, **more)
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"].rpartition(":")[2]


async def test_reactions_are_counted_and_nothing_else(service: Service) -> None:
    path = await staged(service)
    space = await service.app.state.spaces.get(path[8:])
    seen: list[object] = []
    service.app.state.spaces.watch(lambda _, events: seen.extend(events))
    for _ in range(3):
        assert (await service.call("eve", "POST", f"{path}/reactions", json={"kind": "clap"})).status_code == 204
    await service.ok("cem", "POST", f"{path}/reactions", json={"kind": "100"})
    assert not seen
    assert space.reactions.take(service.clock()) == {"clap": 3, "100": 1}
    assert space.reactions.take(service.clock()) == {}
    for kind in Reaction:
        await service.ok("eve", "POST", f"{path}/reactions", json={"kind": kind})
    assert set(SYMBOL) == set(Reaction)


@pytest.mark.parametrize(
    ("who", "kind", "status", "slug"),
    [
        ("ana", "clap", 403, "no-right"),
        ("ben", "clap", 403, "no-right"),
        ("eve", "raise_hand", 422, "bad-input"),
        ("gil", "clap", 409, "wrong-state"),
        (None, "clap", 401, "no-token"),
    ],
)
async def test_who_cannot_react(service: Service, who: str | None, kind: str, status: int, slug: str) -> None:
    path = await staged(service)
    assert await problem(service, who, "POST", f"{path}/reactions", json={"kind": kind}) == (status, slug)


async def test_a_hand_stays_up_until_it_is_lowered_or_its_owner_unmutes(service: Service) -> None:
    path = await staged(service)
    hand = f"{path}/participants/me/hand"
    assert (await service.ok("cem", "PUT", hand))["hand_raised"]
    assert (await service.ok("cem", "PUT", hand))["hand_raised"]
    assert (await service.ok("eve", "GET", f"{path}/participants/cem"))["hand_raised"]
    assert not (await service.ok("cem", "DELETE", hand))["hand_raised"]
    await service.ok("cem", "PUT", hand)
    assert not (await service.ok("ben", "DELETE", f"{path}/participants/cem/hand"))["hand_raised"]
    await service.ok("cem", "PUT", hand)
    assert not (await service.ok("cem", "POST", f"{path}/participants/me/unmute"))["hand_raised"]
    await service.ok("cem", "PUT", hand)
    await service.ok("cem", "POST", f"{path}/participants/me/step-down")
    await service.ok("cem", "POST", f"{path}/requests")
    assert not (await service.ok("cem", "GET", f"{path}/participants/me"))["hand_raised"]
    assert await problem(service, "eve", "PUT", hand) == (403, "no-right")
    assert await problem(service, "ben", "PUT", f"{path}/participants/cem/hand") == (403, "no-right")
    assert await problem(service, "dag", "DELETE", f"{path}/participants/cem/hand") == (403, "no-right")
    assert await problem(service, "ana", "DELETE", f"{path}/participants/zoe/hand") == (404, "unknown-person")


async def test_mute_everyone_but(service: Service) -> None:
    path = await staged(service)
    stage = await service.ok("ana", "POST", f"{path}/mute-all", json={"except": ["cem", "nobody"]})
    assert {p["user_id"]: p["muted_by_admin"] for p in stage["data"]} == {
        "ana": False,
        "ben": True,
        "cem": False,
        "dag": True,
    }
    assert service.plane.taken() == [("mute", "ben", True), ("mute", "dag", True)]
    assert await problem(service, "ben", "POST", f"{path}/participants/me/unmute") == (409, "muted-by-admin")
    await service.ok("ben", "POST", f"{path}/mute-all", json={})  # reaches the speakers only
    assert service.plane.taken() == [("mute", "cem", True)]
    await service.ok("root", "POST", f"{path}/mute-all", json={})  # enforcement reaches everyone
    assert service.plane.taken() == [("mute", "ana", True)]
    assert await problem(service, "cem", "POST", f"{path}/mute-all", json={}) == (403, "no-right")
    stage = await service.ok("ana", "DELETE", f"{path}/mute-all")  # but what enforcement did to herself
    assert [p["user_id"] for p in stage["data"] if p["muted_by_admin"]] == ["ana"]
    await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    await service.ok("root", "DELETE", f"{path}/mute-all")
    await service.ok("ana", "POST", f"{path}/participants/me/unmute")
    assert await problem(service, "ana", "POST", f"{path}/mute-all", json={"but": []}) == (422, "bad-input")


async def test_pins_are_few_and_the_newest_is_first(service: Service) -> None:
    path = await staged(service)
    for post in range(5):
        pinned = await service.ok("cem", "PUT", f"{path}/pins/{post}")
    assert [p["post_id"] for p in pinned["data"]] == ["4", "3", "2", "1", "0"]
    assert (await service.ok("cem", "PUT", f"{path}/pins/2")) == pinned
    assert await problem(service, "ana", "PUT", f"{path}/pins/5") == (409, "seats-full")
    assert await problem(service, "eve", "PUT", f"{path}/pins/5") == (403, "no-right")
    assert await problem(service, "dag", "DELETE", f"{path}/pins/4") == (403, "no-right")  # cem's
    assert await problem(service, "cem", "PUT", f"{path}/pins/a%00b") == (422, "bad-input")
    await service.ok("ben", "DELETE", f"{path}/pins/4")
    await service.ok("cem", "DELETE", f"{path}/pins/0")
    await service.ok("cem", "DELETE", f"{path}/pins/0")
    listed = await service.ok(None, "GET", f"{path}/pins")
    assert [(p["post_id"], p["user_id"]) for p in listed["data"]] == [("3", "cem"), ("2", "cem"), ("1", "cem")]
    assert (await service.ok("eve", "GET", path))["pinned_post_ids"] == ["3", "2", "1"]


async def test_shared_posts_come_in_pages_newest_first(service: Service) -> None:
    path = await staged(service)
    for post in range(102):
        shared = await service.call("cem", "POST", f"{path}/shared", json={"post_id": str(post)})
        assert (shared.status_code, shared.json()["post_id"]) == (201, str(post))
    first = await service.ok("eve", "GET", f"{path}/shared?max_results=60")
    assert [p["post_id"] for p in first["data"]] == [str(n) for n in range(101, 41, -1)]
    token = first["meta"]["next_token"]
    second = await service.ok("eve", "GET", f"{path}/shared?max_results=60&pagination_token={token}")
    assert [p["post_id"] for p in second["data"]] == [str(n) for n in range(41, 1, -1)]
    assert second["meta"] == {"result_count": 40, "next_token": None}
    assert await problem(service, "eve", "POST", f"{path}/shared", json={"post_id": "1"}) == (403, "no-right")
    assert await problem(service, "cem", "POST", f"{path}/shared", json={"post_id": "a b"}) == (422, "bad-input")


async def test_messages(service: Service) -> None:
    path = await staged(service)
    for number, name in enumerate(("ana", "ben", "cem", "eve"), 1):
        sent = await service.call(name, "POST", f"{path}/messages", json={"text": f"I am {name}"})
        assert sent.status_code == 201
        assert {k: v for k, v in sent.json().items() if k != "created_at"} == {
            "id": str(number),
            "user_id": name,
            "text": f"I am {name}",
        }
    page = await service.ok(None, "GET", f"{path}/messages?max_results=3")
    assert [m["id"] for m in page["data"]] == ["4", "3", "2"]
    token = page["meta"]["next_token"]
    assert [
        m["id"] for m in (await service.ok("eve", "GET", f"{path}/messages?pagination_token={token}"))["data"]
    ] == ["1"]
    assert (await service.ok("eve", "GET", path))["message_count"] == 4
    for text in ("", "   ", "x" * 281, "bell \x07", "zero \x00"):
        assert await problem(service, "eve", "POST", f"{path}/messages", json={"text": text}) == (422, "bad-input")
    hello = {"text": "hello"}
    assert await problem(service, "gil", "POST", f"{path}/messages", json=hello) == (409, "wrong-state")
    assert await problem(service, None, "POST", f"{path}/messages", json=hello) == (401, "no-token")


async def test_a_space_takes_no_more_messages_than_can_be_read(service: Service) -> None:
    path = await staged(service)
    service.clock.stop()
    for _ in range(20):
        await service.ok("eve", "POST", f"{path}/messages", json={"text": "hello"})
    slow = await service.call("cem", "POST", f"{path}/messages", json={"text": "hello"})
    assert (slow.status_code, slow.json()["type"].rpartition(":")[2]) == (429, "cool-down")
    assert slow.headers["Retry-After"] == "1"
    service.clock.ahead += 1.0
    await service.ok("cem", "POST", f"{path}/messages", json={"text": "hello"})


@pytest.mark.parametrize("what", ["pins", "shared", "messages"])
async def test_who_may_not_listen_sees_nothing(service: Service, what: str) -> None:
    path = await service.live()
    assert await problem(service, None, "GET", f"{path}/{what}") == (401, "no-token")
    await service.ok("ana", "DELETE", f"{path}/participants/ben")
    assert await problem(service, "ben", "GET", f"{path}/{what}") == (403, "removed")
    await service.ok("ana", "POST", "/users", json={})
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "cem"})
    assert await problem(service, "cem", "GET", f"{path}/{what}") == (403, "blocked")
    assert await problem(service, "dag", "GET", f"/spaces/1DXxyRYNejbKM/{what}") == (404, "unknown-space")


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("POST", "/reactions", {"kind": "clap"}),
        ("PUT", "/participants/me/hand", None),
        ("POST", "/mute-all", {}),
        ("POST", "/shared", {"post_id": "1"}),
        ("POST", "/messages", {"text": "hello"}),
        ("POST", "/invitation-links/code/accept", None),
    ],
)
async def test_what_happens_in_a_live_space_only(
    service: Service, method: str, rest: str, body: dict[str, object] | None
) -> None:
    path = f"/spaces/{(await service.ok('ana', 'POST', '/spaces', json={}))['id']}"
    actor = "ana"
    if rest == "/reactions":  # which hosts do not
        actor = "eve"
        await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": actor})
    assert await problem(service, actor, method, path + rest, json=body) == (409, "wrong-state")
