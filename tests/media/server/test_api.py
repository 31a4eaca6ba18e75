"""A Space over HTTP from its making to its end, and every refusal on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.media.server.service import SDP, Service, located


async def test_the_life_of_a_space(service: Service) -> None:
    made = await service.call("ana", "POST", "/spaces", json={"title": "Launch", "lang": "de", "topic_ids": ["1"]})
    assert made.status_code == 201
    space = made.json()
    path = located(made)
    assert path == f"/spaces/{space['id']}"
    assert (space["state"], space["creator_id"], space["host_ids"], space["speaker_ids"]) == (
        "draft",
        "ana",
        ["ana"],
        [],
    )
    assert len(space["id"]) == 13
    live = await service.ok("ana", "POST", f"{path}/start")
    assert (live["state"], live["speaker_ids"]) == ("live", ["ana"])
    assert live["started_at"].endswith("Z")
    assert (await service.ok("ben", "GET", path)) == live
    ended = await service.ok("ana", "POST", f"{path}/end")
    assert (ended["state"], ended["participant_count"]) == ("ended", 0)
    assert (await service.ok("ben", "GET", path)) == ended  # now from the store
    assert service.plane.taken() == [
        ("open_room",),
        ("mute", "ana", True),
        ("let_talk", "ana", True),
        ("mute", "ana", True),
        ("close_room",),
    ]


async def test_lists_are_by_state_youngest_first(service: Service) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": tomorrow})
    live = (await service.live())[8:]
    over = await service.live()
    await service.ok("ana", "POST", f"{over}/end")
    draft = await service.ok("ana", "POST", "/spaces", json={})
    listed = await service.ok("ben", "GET", "/spaces")
    assert [s["id"] for s in listed["data"]] == [live, scheduled["id"]]
    assert listed["meta"] == {"result_count": 2, "next_token": None}
    for name, sees in (("ana", [draft["id"], over[8:]]), ("root", [draft["id"], over[8:]]), ("ben", [over[8:]])):
        found = await service.ok(name, "GET", "/spaces?state=draft&state=ended")
        assert [s["id"] for s in found["data"]] == sees, "drafts are their host's"
    first = await service.ok("ben", "GET", "/spaces?max_results=1")
    assert [s["id"] for s in first["data"]] == [live]
    page = {"max_results": 1, "pagination_token": first["meta"]["next_token"]}
    second = await service.ok("ben", "GET", "/spaces", params=page)
    assert [s["id"] for s in second["data"]] == [scheduled["id"]] and second["meta"]["next_token"] is None
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "ben"})
    assert (await service.ok("ben", "GET", "/spaces"))["data"] == [], "nobody learns what a blocker hosts"
    await service.ok("ana", "DELETE", "/users/me/blocking/ben")
    await service.ok("ana", "POST", f"/spaces/{scheduled['id']}/cancel")
    assert (await service.ok("ana", "GET", f"/spaces/{scheduled['id']}"))["state"] == "canceled"


async def test_host_names_a_cohost_who_leaves_a_speaker_s_seat_free(service: Service) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/requests/ben/approve")
    assert (await service.call("ben", "POST", f"{path}/participants/ben/promote")).status_code == 403
    assert (await service.ok("ana", "POST", f"{path}/participants/ben/promote"))["standing"] == "cohost"
    assert (await service.ok("cem", "GET", f"{path}/participants"))["meta"]["free_seats"] == 10
    assert (await service.call("ana", "POST", f"{path}/participants/cem/promote")).status_code == 404


async def test_waiting_is_told_and_foretold(service: Service) -> None:
    path = await service.live()
    service.clock.stop()
    for name in ("ben", "cem", "dag"):
        first = await service.ok(name, "POST", f"{path}/requests")
        assert (first["waiting_seconds"], first["estimated_wait_seconds"]) == (0.0, None)
    service.clock.ahead += 30
    await service.ok("ana", "POST", f"{path}/requests/cem/approve")  # out of order, as the host likes
    service.clock.ahead += 10
    await service.ok("ana", "POST", f"{path}/requests/ben/deny")
    await service.ok("eve", "POST", f"{path}/requests")
    queue = await service.ok("ana", "GET", f"{path}/requests")
    assert [
        (r["user_id"], r["position"], r["waiting_seconds"], r["estimated_wait_seconds"]) for r in queue["data"]
    ] == [("dag", 1, 40.0, 20.0), ("eve", 2, 0.0, 40.0)]
    assert queue["meta"] == {
        "result_count": 2,
        "next_token": None,
        "waiting_count": 2,
        "median_wait_seconds": 35.0,
    }
    first = await service.ok("ana", "GET", f"{path}/requests?max_results=1")
    assert first["data"] == queue["data"][:1] and first["meta"]["waiting_count"] == 2
    page = {"pagination_token": first["meta"]["next_token"]}
    await service.ok("ana", "POST", f"{path}/requests/dag/deny")
    rest = await service.ok("ana", "GET", f"{path}/requests", params=page)
    assert [(r["user_id"], r["position"]) for r in rest["data"]] == [("eve", 1)], "nobody is skipped"


async def test_ask_approve_speak_step_down(service: Service) -> None:
    path = await service.live()
    service.clock.stop()
    await service.connect("ben", path)
    asked = await service.call("ben", "POST", f"{path}/requests")
    assert asked.status_code == 201
    assert (asked.json()["status"], asked.json()["position"]) == ("queued", 1)
    assert (await service.ok("ben", "GET", f"{path}/requests"))["data"] == [asked.json()]
    assert (await service.call("cem", "GET", f"{path}/requests")).status_code == 403, "not in it"
    assert (await service.ok("ana", "POST", f"{path}/requests/ben/approve"))["status"] == "granted"
    assert service.plane.taken() == [("mute", "ben", True), ("let_talk", "ben", True), ("mute", "ben", True)]
    stage = await service.ok("cem", "GET", f"{path}/participants")
    assert [(p["user_id"], p["standing"], p["connected"]) for p in stage["data"]] == [
        ("ana", "host", False),
        ("ben", "speaker", True),
    ]
    assert stage["meta"] == {"participant_count": 1, "listener_count": 0, "free_seats": 9}
    opened = await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    assert (opened["muted_by_self"], opened["muted_by_admin"]) == (False, False)
    down = await service.ok("ben", "POST", f"{path}/participants/me/step-down")
    assert (down["standing"], down["connected"]) == ("listener", True)
    assert service.plane.taken() == [("mute", "ben", False), ("let_talk", "ben", False)]
    assert await service.count(path) == 1


async def test_everyone_is_granted_while_seats_are_free(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    states = [(await service.ok(f"u{n}", "POST", f"{path}/requests"))["status"] for n in range(11)]
    assert states == ["granted"] * 10 + ["queued"]
    full = await service.call("ana", "POST", f"{path}/requests/u10/approve")
    assert (full.status_code, full.json()["type"]) == (409, "urn:spaces-lab:problem:seats-full")
    assert [r["user_id"] for r in (await service.ok("ana", "GET", f"{path}/requests"))["data"]] == ["u10"]
    service.plane.taken()
    await service.ok("u3", "DELETE", f"{path}/participants/me")
    assert service.plane.taken() == [
        ("let_talk", "u3", False),
        ("drop_participant", "u3"),
        ("mute", "u10", True),
        ("let_talk", "u10", True),
        ("mute", "u10", True),
    ]


async def test_changing_the_speak_policy_lets_the_waiting_in(service: Service) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    changed = await service.ok("ana", "PATCH", path, json={"speak_policy": "everyone"})
    assert (changed["speak_policy"], changed["speaker_ids"]) == ("everyone", ["ana", "ben"])
    assert ("let_talk", "ben", True) in service.plane.taken()


async def test_a_space_is_changed_while_it_is_live(service: Service) -> None:
    path = await service.live(title="Launch", speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/participants/ben/promote")
    change = {"title": "After the launch", "topic_ids": ["1", "2"], "anonymous_listening": True}
    changed = await service.ok("ana", "PATCH", path, json=change)
    assert {name: changed[name] for name in change} == change
    assert (await service.ok("ben", "PATCH", path, json={"speak_policy": "invited"}))["speak_policy"] == "invited"
    for refused, status in (
        ({"title": "mine"}, 403),
        ({"speak_policy": "everyone", "anonymous_listening": False}, 403),
    ):
        assert (await service.call("ben", "PATCH", path, json=refused)).status_code == status
    for body in ({}, {"title": "zero \x00"}, {"topic_ids": ["1", "2", "3", "4"]}, {"lang": "de"}):
        assert (await service.call("ana", "PATCH", path, json=body)).status_code == 422
    assert (await service.ok("ana", "GET", path)) == changed | {"speak_policy": "invited"}


async def test_a_denied_person_is_told_when_to_come_back(service: Service) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    denied = await service.ok("ana", "POST", f"{path}/requests/ben/deny")
    assert denied["status"] == "denied"
    assert denied["retry_at"]
    again = await service.call("ben", "POST", f"{path}/requests")
    assert again.status_code == 429
    assert 58 <= int(again.headers["Retry-After"]) <= 60
    service.clock.ahead += 61
    assert (await service.ok("ben", "POST", f"{path}/requests"))["status"] == "queued"
    await service.ok("ben", "DELETE", f"{path}/requests/me")
    assert (await service.ok("ana", "GET", f"{path}/requests"))["data"] == []


async def test_invitations(service: Service) -> None:
    space = await service.ok("ana", "POST", "/spaces", json={})
    path = f"/spaces/{space['id']}"
    for name in ("ben", "cem"):
        invited = await service.call("ana", "POST", f"{path}/invitations", json={"user_id": name})
        assert (invited.status_code, invited.json()["standing"]) == (201, "invited")
    assert (await service.ok("ana", "GET", path))["invited_user_ids"] == ["ben", "cem"]
    await service.ok("cem", "POST", f"{path}/invitations/me/decline")
    assert (await service.call("ben", "POST", f"{path}/invitations/me/accept")).status_code == 409
    await service.ok("ana", "POST", f"{path}/start")
    taken = await service.ok("ben", "POST", f"{path}/invitations/me/accept")
    assert taken["standing"] == "speaker"
    assert (await service.ok("ana", "GET", path))["invited_user_ids"] == []


async def test_the_two_mutes(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    service.plane.taken()
    muted = await service.ok("ana", "POST", f"{path}/participants/ben/mute")
    assert (muted["muted_by_self"], muted["muted_by_admin"]) == (False, True)
    refused = await service.call("ben", "POST", f"{path}/participants/me/unmute")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:spaces-lab:problem:muted-by-admin")
    await service.ok("root", "POST", f"{path}/participants/ben/unmute")  # enforcement may, too
    assert service.plane.taken() == [("mute", "ben", True), ("mute", "ben", False)]


async def test_removed_is_final(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    await service.connect("ben", path, "whip")
    await service.connect("ben", path)
    await service.connect("cem", path)
    assert await service.count(path) == 2
    service.plane.taken()
    assert (await service.call("ana", "DELETE", f"{path}/participants/ben")).status_code == 204
    assert service.plane.taken() == [("let_talk", "ben", False), ("drop_participant", "ben")]
    assert (await service.call("ana", "DELETE", f"{path}/participants/cem")).status_code == 204  # of the crowd
    await service.settle()
    assert await service.count(path) == 0
    for kind in ("whip", "whep"):
        back = await service.call("ben", "POST", f"{path}/{kind}", content="v=0", headers=SDP)
        assert (back.status_code, back.json()["type"]) == (403, "urn:spaces-lab:problem:removed")
    assert (await service.call("ben", "POST", f"{path}/requests")).status_code == 403


async def test_leaving_the_crowd_ends_the_connection(service: Service) -> None:
    path = await service.live()
    await service.connect("ben", path)
    assert (await service.call("ben", "DELETE", f"{path}/participants/me")).status_code == 204
    await service.settle()
    assert (service.plane.sessions, await service.count(path)) == ({}, 0)
    assert (await service.call("ben", "DELETE", f"{path}/participants/me")).status_code == 409


async def test_an_admin_of_the_service_enforces_but_is_nobody_in_the_space(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    assert (await service.ok("root", "POST", f"{path}/participants/ben/mute"))["muted_by_admin"]
    assert (await service.ok("root", "POST", f"{path}/participants/ben/step-down"))["standing"] == "outside"
    assert (await service.call("root", "PATCH", path, json={"speak_policy": "invited"})).status_code == 403
    assert (await service.ok("root", "POST", f"{path}/end"))["state"] == "ended"


async def test_who_is_shown_to_whom(service: Service) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    assert (await service.ok("ben", "GET", f"{path}/participants/me"))["standing"] == "requested"
    assert (await service.ok("ana", "GET", f"{path}/participants/ben"))["standing"] == "requested"
    assert (await service.ok("root", "GET", f"{path}/participants/ben"))["standing"] == "requested"
    assert (await service.ok("cem", "GET", f"{path}/participants/ana"))["standing"] == "host"
    assert (await service.call("cem", "GET", f"{path}/participants/ben")).status_code == 403
    assert (await service.ok("cem", "GET", f"{path}/participants/me"))["standing"] == "outside"
    await service.connect("cem", path)
    assert (await service.ok("cem", "GET", f"{path}/participants/me"))["standing"] == "listener"


@pytest.mark.parametrize(
    ("who", "method", "path", "status", "slug"),
    [
        ("ben", "POST", "{live}/start", 403, "no-right"),
        ("ana", "POST", "{live}/start", 409, "wrong-state"),
        ("ana", "POST", "{draft}/end", 409, "wrong-state"),
        ("ben", "POST", "{live}/end", 403, "no-right"),
        ("ana", "POST", "{live}/cancel", 409, "wrong-state"),
        ("ben", "POST", "{draft}/requests", 404, "unknown-space"),
        ("ana", "POST", "{live}/requests", 403, "no-right"),
        ("ana", "POST", "{live}/requests/zoe/approve", 404, "unknown-person"),
        ("ben", "POST", "{live}/requests/ben/approve", 403, "no-right"),
        ("ben", "POST", "{live}/participants/ana/mute", 403, "no-right"),
        ("ben", "POST", "{live}/participants/me/mute", 403, "no-right"),
        ("ana", "DELETE", "{live}/participants/me", 409, "wrong-state"),
        ("ben", "DELETE", "{live}/participants/ana", 403, "no-right"),
        ("ana", "GET", "/spaces/1DXxyRYNejbKM", 404, "unknown-space"),
        ("ana", "POST", "/spaces/1DXxyRYNejbKM/start", 404, "unknown-space"),
        ("ana", "POST", "/spaces/%00%FF/start", 404, "unknown-space"),
        ("ana", "GET", "/spaces?state=lost", 422, "bad-input"),
        ("ana", "GET", "/nothing/here", 404, "not-found"),
        ("ana", "PUT", "{live}", 405, "method-not-allowed"),
    ],
)
async def test_refusals(service: Service, who: str, method: str, path: str, status: int, slug: str) -> None:
    live = await service.live()
    draft = f"/spaces/{(await service.ok('ana', 'POST', '/spaces', json={}))['id']}"
    response = await service.call(who, method, path.format(live=live, draft=draft))
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:spaces-lab:problem:{slug}"
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "?"))
    if status == 405:
        assert response.headers["Allow"] == "GET, HEAD, PATCH"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"title": "x" * 71}, "body.title"),
        ({"tilte": "x"}, "body.tilte"),
        ({"lang": "not a language"}, "body.lang"),
        ({"topic_ids": ["1", "2", "3", "4"]}, "at most 3 topics"),
        ({"speak_policy": "nobody"}, "body.speak_policy"),
        ({"scheduled_start": "2020-01-01T00:00:00Z"}, "has passed"),
        ({"scheduled_start": "2026-01-01T00:00:00"}, "body.scheduled_start"),
        ({"title": None}, "body.title"),
        ([], "body"),
    ],
)
async def test_bad_spaces_are_refused_by_name(service: Service, body: Any, says: str) -> None:
    response = await service.call("ana", "POST", "/spaces", json=body)
    assert response.status_code == 422
    assert says in response.json()["detail"]
    assert (await service.ok("ana", "GET", "/spaces?state=draft"))["data"] == []


async def test_schedule_rules(service: Service) -> None:
    def at(days: float) -> dict[str, str]:
        return {"scheduled_start": (datetime.now(UTC) + timedelta(days=days)).isoformat()}

    far = await service.call("ana", "POST", "/spaces", json=at(31))
    assert (far.status_code, far.json()["type"]) == (403, "urn:spaces-lab:problem:not-eligible")
    for _ in range(10):
        await service.ok("ana", "POST", "/spaces", json=at(2))
    assert (await service.call("ana", "POST", "/spaces", json=at(2))).status_code == 403
    assert (await service.call("ben", "POST", "/spaces", json=at(2))).status_code == 201


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"nul", b'{"title": "\\ud800"}'])
async def test_unreadable_json(service: Service, body: bytes) -> None:
    response = await service.call(
        "ana", "POST", "/spaces", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422), response.text
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_openapi_describes_what_there_is(service: Service) -> None:
    document = await service.ok(None, "GET", "/openapi.json")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["description" if path != "/metrics" else "summary"], (method, path)
            assert operation["tags"], (method, path)
    whip = document["paths"]["/spaces/{space_id}/whip"]["post"]
    assert list(whip["requestBody"]["content"]) == ["application/sdp"]
    assert list(whip["responses"]["201"]["content"]) == ["application/sdp"]
    assert {"400", "401", "403", "404", "406", "409", "413", "415", "503"} < set(whip["responses"])
    assert whip["security"] == [{"token": []}]
