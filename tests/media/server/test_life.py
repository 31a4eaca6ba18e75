"""Schedules over HTTP, and Spaces that end or are called off by themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media.server import spaces
from tests.media.server.service import Service, running


def at(**after: float) -> str:
    return (datetime.now(UTC) + timedelta(**after)).isoformat()


async def scheduled(service: Service, **after: float) -> str:
    space = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": at(**(after or {"hours": 2}))})
    return f"/spaces/{space['id']}"


async def test_a_draft_is_given_a_time_and_another_one(service: Service) -> None:
    space = await service.ok("ana", "POST", "/spaces", json={})
    path = f"/spaces/{space['id']}/schedule"
    for start in (at(days=1), at(days=2)):
        shown = await service.ok("ana", "POST", path, json={"scheduled_start": start})
        assert shown["state"] == "scheduled"
        assert datetime.fromisoformat(shown["scheduled_start"]) == datetime.fromisoformat(start)
    for start, status in ((at(days=-1), 422), (at(days=31), 403)):
        assert (await service.call("ana", "POST", path, json={"scheduled_start": start})).status_code == status
    refused = await service.call("ben", "POST", path, json={"scheduled_start": at(days=1)})
    assert refused.status_code == 403
    await service.ok("ana", "POST", f"/spaces/{space['id']}/start")
    assert (await service.call("ana", "POST", path, json={"scheduled_start": at(days=1)})).status_code == 409


async def test_a_draft_beyond_the_number_at_a_time_stays_one(tmp_path: Path) -> None:
    async with running(tmp_path, policy="2021-05") as service:
        for name, followers in (("ana", 600),):
            await service.ok(name, "POST", "/users", json={})
            await service.app.state.accounts.change(name, followers_count=followers)
        path = await scheduled(service)
        draft = await service.ok("ana", "POST", "/spaces", json={})
        body = {"scheduled_start": at(days=1)}
        refused = await service.call("ana", "POST", f"/spaces/{draft['id']}/schedule", json=body)
        assert refused.status_code == 403 and "1 scheduled" in refused.json()["detail"]
        assert (await service.ok("ana", "POST", f"{path}/schedule", json=body))["state"] == "scheduled"
        await service.ok("ana", "POST", f"{path}/cancel")
        assert (await service.call("ana", "POST", f"/spaces/{draft['id']}/schedule", json=body)).is_success


async def test_a_space_that_nobody_starts_is_canceled_also_by_the_next_process(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        path = await scheduled(first)
        first.clock.ahead = 3 * 3600 - 60
        first.app.state.timers.fire()
        await first.settle()
        assert (await first.ok("ben", "GET", path))["state"] == "scheduled"
    async with running(tmp_path) as second:
        second.clock.ahead = 3 * 3600 + 1
        second.app.state.timers.fire()
        await second.settle()
        assert (await second.ok("ben", "GET", path))["state"] == "canceled"


async def test_a_space_with_nobody_in_it_ends(service: Service) -> None:
    path = await service.live()
    session = await service.connect("ana", path, "whip")
    service.lose(session)
    await service.settle()
    service.clock.ahead = 121
    service.app.state.timers.fire()
    await service.settle()
    assert (await service.ok("ben", "GET", path))["state"] == "ended"
    assert ("close_room",) in service.plane.taken()


async def test_a_patch_gives_another_time_by_the_same_rules(service: Service) -> None:
    path = await scheduled(service)
    changed = await service.ok("ana", "PATCH", path, json={"scheduled_start": at(days=3), "title": "Later"})
    assert (changed["title"], changed["state"]) == ("Later", "scheduled")
    before = await service.ok("ana", "GET", path)
    assert datetime.fromisoformat(before["scheduled_start"]) > datetime.now(UTC) + timedelta(days=2)
    for name, body, status in (
        ("ana", {"scheduled_start": at(days=31), "title": "Too far"}, 403),
        ("ana", {"scheduled_start": at(days=-1), "title": "Gone by"}, 422),
        ("ana", {"scheduled_start": at(days=2), "topic_ids": ["a", "b", "c", "d"]}, 422),
        ("ben", {"scheduled_start": at(days=2)}, 403),
    ):
        assert (await service.call(name, "PATCH", path, json=body)).status_code == status
        assert await service.ok("ana", "GET", path) == before, "all of it, or nothing"
    draft = await service.ok("ana", "POST", "/spaces", json={})
    body = {"scheduled_start": at(days=1)}
    assert (await service.ok("ana", "PATCH", f"/spaces/{draft['id']}", json=body))["state"] == "scheduled"
    for _ in range(8):
        await scheduled(service)
    draft = await service.ok("ana", "POST", "/spaces", json={})
    refused = await service.call("ana", "PATCH", f"/spaces/{draft['id']}", json=body)
    assert refused.status_code == 403 and "10 scheduled" in refused.json()["detail"]
    await service.ok("ana", "PATCH", path, json={"scheduled_start": at(days=4)})
    await service.ok("ana", "POST", f"{path}/start")
    assert (await service.call("ana", "PATCH", path, json=body)).status_code == 409


async def test_the_house_calls_a_space_off(service: Service) -> None:
    path = await scheduled(service)
    assert (await service.call("ben", "POST", f"{path}/cancel")).status_code == 403
    assert (await service.ok("root", "POST", f"{path}/cancel"))["state"] == "canceled"
    assert (await service.app.state.spaces.get(path.rpartition("/")[2])).end_reason == "enforcement"


async def test_drafts_are_not_without_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "DRAFTS", 2)
    drafts = [await service.ok("ana", "POST", "/spaces", json={}) for _ in range(2)]
    refused = await service.call("ana", "POST", "/spaces", json={})
    assert refused.status_code == 409 and "2 drafts already" in refused.json()["detail"]
    await scheduled(service)
    await service.ok("ben", "POST", "/spaces", json={})
    await service.ok("ana", "POST", f"/spaces/{drafts[0]['id']}/cancel")
    await service.ok("ana", "POST", "/spaces", json={})
