"""Reports and cases over HTTP: who may, what they see, what is carried out, what is told."""

from typing import Any

import pytest

from media.server.recordings.store import Recording
from tests.media.server.service import Service, located

RITA, ROLF = "rita", "rolf"


class Desk:
    """A live Space in which ben talks and eve listens, and two reviewers."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.path = ""

    async def open(self) -> "Desk":
        self.path = await self.service.live()
        await self.service.ok("ben", "POST", f"{self.path}/requests")
        await self.service.ok("ana", "POST", f"{self.path}/requests/ben/approve")
        await self.service.connect("ben", self.path, "whip")
        await self.service.connect("eve", self.path)
        return self

    @property
    def space(self) -> str:
        return self.path.rpartition("/")[2]

    async def as_reviewer(self, name: str, method: str, path: str, *, senior: bool = False, **more: Any) -> Any:
        roles = ["reviewer", *(["senior"] if senior else [])]
        headers = {"Authorization": f"Bearer {self.service.token(name, roles=roles)}"}
        return await self.service.http.request(method, f"/2/moderation{path}", headers=headers, **more)

    async def report(self, who: str = "eve", person: str | None = "ben", **more: Any) -> Any:
        body = {"space_id": self.space, "user_id": person, "category": "disturbance", "text": "Shouts.", **more}
        return await self.service.call(who, "POST", "/2/reports", json=body)

    async def claim(self, name: str = RITA, **body: Any) -> Any:
        response = await self.as_reviewer(name, "POST", "/claims", json=body)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def decide(self, case: str, *actions: str, name: str = RITA) -> Any:
        body = {"actions": list(actions), "note": "Heard."}
        return await self.as_reviewer(name, "POST", f"/cases/{case}/decision", json=body)


@pytest.fixture
async def desk(service: Service) -> Desk:
    service.clock.stop()
    return await Desk(service).open()


def slug(response: Any) -> str:
    return response.json()["type"].rpartition(":")[2]


async def test_a_report_becomes_a_case_and_the_case_silence(desk: Desk) -> None:
    made = await desk.report()
    assert made.status_code == 201 and made.json()["status"] == "waiting"
    case = await desk.claim()
    assert case["subject"] == {"space_id": desk.space, "user_id": "ben", "host_id": "ana"}
    assert [(r["reporter"], r["text"]) for r in case["reports"]] == [("eve", "Shouts.")]
    assert case["clip"]["end_ms"] - case["clip"]["start_ms"] <= 60_000
    desk.service.plane.taken()
    decided = await desk.decide(case["id"], "remove from the Space", "warn")
    assert decided.status_code == 200, decided.text
    assert {e["action"]: e["done"] for e in decided.json()["data"]["effects"]} == {
        "warn": True,
        "remove from the Space": True,
    }
    assert ("drop_participant", "ben") in desk.service.plane.taken()
    back = await desk.service.call("ben", "POST", f"{desk.path}/requests")
    assert (back.status_code, slug(back)) == (403, "removed")
    assert (await desk.service.ok("eve", "GET", located(made)))["status"] == "waiting"
    desk.service.clock.ahead += 11
    await desk.service.app.state.moderation.sweep()
    told = await desk.service.ok("eve", "GET", "/2/users/me/reports")
    assert [each["status"] for each in told["data"]] == ["acted"]
    shown = await desk.as_reviewer(RITA, "GET", f"/cases/{case['id']}")
    assert shown.json()["data"]["strikes"] == 1
    assert [each["what"] for each in shown.json()["data"]["timeline"]] == ["claimed", "decided", "closed"]


async def test_what_is_taken_back_is_restored(desk: Desk) -> None:
    await desk.report()
    case = await desk.claim()
    everything = ("mute", "remove from the Space", "suspend")
    assert (await desk.decide(case["id"], *everything)).status_code == 200
    assert (await desk.service.call("ben", "GET", "/users/me")).status_code == 403
    undone = await desk.as_reviewer(RITA, "DELETE", f"/cases/{case['id']}/decision")
    assert undone.status_code == 200 and undone.json()["data"]["state"] == "claimed"
    assert {e["action"] for e in undone.json()["data"]["effects"] if e["done"]} >= {
        "suspend",
        "remove from the Space",
    }
    await desk.service.connect("ben", desk.path)
    assert (await desk.service.ok("ben", "POST", f"{desk.path}/requests"))["status"] == "queued"
    again = await desk.decide(case["id"], "no violation")
    assert again.status_code == 200
    desk.service.clock.ahead += 10
    late = await desk.as_reviewer(RITA, "DELETE", f"/cases/{case['id']}/decision")
    assert (late.status_code, slug(late)) in [(409, "too-late"), (409, "wrong-case-state")]


async def test_a_seat_that_was_taken_is_given_back(desk: Desk) -> None:
    await desk.report()
    case = await desk.claim()
    await desk.decide(case["id"], "remove speech rights")
    await desk.as_reviewer(RITA, "DELETE", f"/cases/{case['id']}/decision")
    stage = await desk.service.ok("eve", "GET", f"{desk.path}/participants")
    assert "ben" in str(stage)


async def test_reports_on_one_matter_are_one_case(desk: Desk) -> None:
    for name in ("eve", "fay", "gil"):
        assert (await desk.report(name)).status_code == 201
    again = await desk.report("eve", text="Still.")
    assert again.status_code == 200
    await desk.report("eve", person=None, category="spam")
    listed = (await desk.as_reviewer(RITA, "GET", "/cases")).json()["data"]
    assert [(each["report_count"], each["category"]) for each in listed] == [(3, "disturbance"), (1, "spam")]
    case = await desk.claim()
    assert [(r["text"], r["times"]) for r in case["reports"]] == [("Still.", 2), ("Shouts.", 1), ("Shouts.", 1)]


async def test_nobody_decides_what_they_are_part_of(desk: Desk) -> None:
    await desk.report(RITA)
    await desk.report(RITA, person=None)
    for name in (RITA, "ben"):
        response = await desk.as_reviewer(name, "POST", "/claims", json={"categories": ["disturbance"]})
        expected = 204 if name == RITA else 200
        assert response.status_code == expected, "ben gets the case about the Space, and not that about himself"
    listed = (await desk.as_reviewer(RITA, "GET", "/cases")).json()["data"]
    assert listed == []
    case = await desk.claim(ROLF)
    assert (await desk.as_reviewer("ben", "GET", f"/cases/{case['id']}")).status_code == 404
    for to in (RITA, "ben"):
        refused = await desk.as_reviewer(ROLF, "POST", f"/cases/{case['id']}/hand-over", json={"to": to})
        assert (refused.status_code, slug(refused)) == (403, "not-this-reviewer")
    handed = await desk.as_reviewer(ROLF, "POST", f"/cases/{case['id']}/hand-over", json={"to": "sue"})
    assert handed.status_code == 204


async def test_a_decision_needs_the_lease(desk: Desk) -> None:
    await desk.report()
    case = await desk.claim()
    other = await desk.decide(case["id"], "warn", name=ROLF)
    assert (other.status_code, slug(other)) == (409, "lease-lost")
    desk.service.clock.ahead += 599
    assert (await desk.as_reviewer(RITA, "PUT", f"/cases/{case['id']}/lease")).status_code == 200
    desk.service.clock.ahead += 601
    late = await desk.decide(case["id"], "warn")
    assert late.status_code == 409 and slug(late) in ("lease-lost", "wrong-case-state")
    mine = await desk.claim(ROLF)
    assert mine["id"] == case["id"]
    assert (await desk.decide(case["id"], "warn", name=ROLF)).status_code == 200
    closed = await desk.decide(case["id"], "mute", name=ROLF)
    assert (closed.status_code, slug(closed)) == (409, "wrong-case-state")


async def test_held_escalated_and_noted(desk: Desk) -> None:
    await desk.report()
    case = (await desk.claim())["id"]
    assert (await desk.as_reviewer(RITA, "POST", f"/cases/{case}/hold")).status_code == 204
    desk.service.clock.ahead += 3_600
    assert (await desk.as_reviewer(RITA, "POST", f"/cases/{case}/resume")).status_code == 200
    assert (await desk.as_reviewer(RITA, "POST", f"/cases/{case}/notes", json={"text": "odd"})).status_code == 204
    assert (await desk.as_reviewer(RITA, "POST", f"/cases/{case}/escalate", json={})).status_code == 204
    assert (await desk.as_reviewer(ROLF, "POST", "/claims", json={})).status_code == 204
    found = await desk.as_reviewer("sue", "POST", "/claims", senior=True, json={})
    assert found.json()["data"]["id"] == case
    whats = [each["what"] for each in found.json()["data"]["timeline"]]
    assert whats == ["claimed", "held", "claimed", "note", "escalated", "claimed"]
    await desk.as_reviewer("sue", "DELETE", f"/cases/{case}/lease", senior=True)
    assert (await desk.as_reviewer(ROLF, "POST", "/claims", json={})).status_code == 204


async def test_one_reports_thirty_matters_an_hour_and_a_muted_one_opens_none(desk: Desk) -> None:
    paths = [await desk.service.live() for _ in range(31)]
    for path in paths[:30]:
        body = {"space_id": path[8:], "category": "spam"}
        assert (await desk.service.call("eve", "POST", "/2/reports", json=body)).status_code == 201
    body = {"space_id": paths[30][8:], "category": "spam"}
    refused = await desk.service.call("eve", "POST", "/2/reports", json=body)
    assert (refused.status_code, slug(refused)) == (429, "too-many-reports")
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600
    assert (await desk.as_reviewer(RITA, "PUT", "/reporters/fay/mute")).status_code == 403
    muted = await desk.as_reviewer(RITA, "PUT", "/reporters/fay/mute", senior=True)
    assert muted.json()["muted"]
    before = (await desk.as_reviewer(RITA, "GET", "/queues")).json()["data"][0]["waiting"]
    assert (await desk.report("fay")).status_code == 201
    after = (await desk.as_reviewer(RITA, "GET", "/queues")).json()["data"][0]["waiting"]
    assert before == after == 30
    trusted = await desk.service.ok("root", "PUT", "/2/moderation/reporters/eve/trust")
    assert trusted["trusted"]
    assert (await desk.service.call("eve", "POST", "/2/reports", json=body)).status_code == 201


async def test_queues_are_searches_with_names(desk: Desk) -> None:
    await desk.report()
    await desk.report(person=None, category="spam")
    body = {"categories": ["spam", "hate"]}
    assert (await desk.as_reviewer(RITA, "PUT", "/queues/quiet", json=body)).status_code == 403
    assert (await desk.as_reviewer("sue", "PUT", "/queues/quiet", senior=True, json=body)).status_code == 204
    listed = (await desk.as_reviewer(RITA, "GET", "/queues")).json()["data"]
    assert [(each["name"], each["waiting"], each["overdue"]) for each in listed] == [
        ("all", 2, 0),
        ("quiet", 1, 0),
    ]
    assert (await desk.claim(queue="quiet"))["category"] == "spam"
    assert (await desk.as_reviewer(RITA, "POST", "/claims", json={"queue": "quiet"})).status_code == 204
    narrow = await desk.as_reviewer(RITA, "POST", "/claims", json={"queue": "quiet", "categories": ["other"]})
    assert narrow.status_code == 204
    assert (await desk.as_reviewer("sue", "DELETE", "/queues/quiet", senior=True)).status_code == 204
    gone = await desk.as_reviewer(RITA, "GET", "/cases?queue=quiet")
    assert (gone.status_code, slug(gone)) == (404, "unknown-queue")


@pytest.mark.parametrize(
    ("who", "change", "status", "reason"),
    [
        ("eve", {"user_id": "eve"}, 422, "bad-input"),
        ("eve", {"user_id": "nobody"}, 404, "unknown-person"),
        ("eve", {"space_id": "1111111111111"}, 404, "unknown-space"),
        ("eve", {"category": "noise"}, 422, "bad-input"),
        ("eve", {"moment": "2999-01-01T00:00:00Z"}, 422, "bad-input"),
        ("eve", {"text": "x" * 2001}, 422, "bad-input"),
        ("eve", {"text": "\0"}, 422, "bad-input"),
        ("ben", {"user_id": "eve"}, 201, ""),
    ],
)
async def test_reports_that_cannot_be(
    desk: Desk, who: str, change: dict[str, Any], status: int, reason: str
) -> None:
    response = await desk.report(who, **{"person": "ben"} | {"user_id": "ben"} | change)
    assert response.status_code == status, response.text
    if reason:
        assert slug(response) == reason and response.json()["detail"].endswith(".")


async def test_who_was_removed_can_still_report_and_strangers_to_a_draft_cannot(desk: Desk) -> None:
    await desk.service.ok("ana", "DELETE", f"{desk.path}/participants/eve")
    assert (await desk.report("eve")).status_code == 201
    draft = await desk.service.ok("ana", "POST", "/spaces", json={})
    hidden = await desk.report("eve", person=None, space_id=draft["id"])
    assert (hidden.status_code, slug(hidden)) == (404, "unknown-space")


async def test_a_case_about_a_space_ends_it_and_mutes_nobody(desk: Desk) -> None:
    await desk.report(person=None)
    case = await desk.claim()
    refused = await desk.decide(case["id"], "mute")
    assert (refused.status_code, slug(refused)) == (422, "bad-input")
    assert (await desk.decide(case["id"], "end the Space")).json()["data"]["effects"][0]["done"]
    assert (await desk.service.ok("eve", "GET", desk.path))["state"] == "ended"
    undone = await desk.as_reviewer(RITA, "DELETE", f"/cases/{case['id']}/decision")
    (effect,) = undone.json()["data"]["effects"]
    assert not effect["done"] and effect["detail"].endswith(".")


async def test_who_is_gone_cannot_be_muted_and_that_is_said(desk: Desk) -> None:
    await desk.report()
    case = await desk.claim()
    await desk.service.ok("ben", "DELETE", f"{desk.path}/participants/ben")
    (effect,) = (await desk.decide(case["id"], "mute")).json()["data"]["effects"]
    assert not effect["done"] and "ben" in effect["detail"]


async def test_nobody_but_reviewers_is_let_in(desk: Desk) -> None:
    await desk.report()
    case = await desk.claim()
    for method, path in (
        *(("GET", "/cases"), ("POST", "/claims"), ("GET", "/queues"), ("GET", f"/cases/{case['id']}")),
        *(("PUT", f"/cases/{case['id']}/lease"), ("POST", f"/cases/{case['id']}/decision")),
    ):
        refused = await desk.service.call("ben", method, f"/2/moderation{path}", json={})
        assert (refused.status_code, slug(refused)) == (403, "not-reviewer")
    assert (await desk.service.call("ben", "GET", "/2/reports/1")).status_code == 404


async def test_evidence_is_held_with_the_case_and_what_is_being_erased_cannot_be_reported(desk: Desk) -> None:
    store = desk.service.app.state.recordings.store
    await store.add(Recording(desk.space, 0, "c" * 64, 1.0, None, False, False, None))
    await desk.report()
    await store.end(desk.space, 2.0)
    assert await store.begin_erasure([desk.space]) == set(), "the case holds it"
    case = await desk.claim()
    await desk.decide(case["id"], "no violation")
    desk.service.clock.ahead += 11
    await desk.service.app.state.moderation.sweep()
    assert await store.begin_erasure([desk.space]) == {desk.space}
    late = await desk.report()
    assert (late.status_code, slug(late)) == (410, "evidence-gone") and late.json()["detail"].endswith(".")
    assert (await desk.as_reviewer(RITA, "GET", "/cases")).json()["data"] == []
