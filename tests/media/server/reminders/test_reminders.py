"""Reminders over HTTP and on people's streams: each once, also after a restart and a move."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.media.server.service import Service, running

MINUTE = 60.0


def at(**after: float) -> str:
    return (datetime.now(UTC) + timedelta(**after)).isoformat()


async def scheduled(service: Service, **body: Any) -> str:
    space = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": at(hours=2), **body})
    return space["id"]


class Diary:
    """What people are told on their streams, from when it is opened."""

    def __init__(self, service: Service) -> None:
        self.reminders = service.app.state.reminders
        self.events: list[tuple[str, str, str]] = []
        service.app.state.hub.publish_to_user = self.publish

    def publish(self, user_id: str, name: str, data: Any) -> None:
        if name in ("reminder", "canceled"):
            self.events.append((user_id, data.when if name == "reminder" else name, data.title))

    async def now(self) -> list[tuple[str, str, str]]:
        """What was told since this was last asked: (who, what, title)."""
        await self.reminders.sweep()
        events, self.events = self.events, []
        return sorted(events)


async def test_people_who_set_a_reminder_are_told_twice(service: Service) -> None:
    diary, space = Diary(service), await scheduled(service, title="Launch")
    path = f"/users/me/reminders/{space}"
    shown = await service.ok("ben", "PUT", path)
    start = datetime.fromisoformat(shown["space"]["scheduled_start"])
    assert start - datetime.fromisoformat(shown["remind_at"]) == timedelta(minutes=30)
    for name in ("ben", "cem", "dag"):
        await service.ok(name, "PUT", path)
    await service.ok("dag", "DELETE", path)
    await service.ok("dag", "DELETE", path)
    assert (await service.ok("ana", "GET", f"/spaces/{space}"))["subscriber_count"] == 2
    assert [r["space"]["id"] for r in (await service.ok("ben", "GET", "/users/me/reminders"))["data"]] == [space]
    service.clock.ahead = 89 * MINUTE
    assert await diary.now() == []
    service.clock.ahead = 90 * MINUTE + 1
    assert await diary.now() == [("ben", "soon", "Launch"), ("cem", "soon", "Launch")]
    assert await diary.now() == []
    await service.ok("eve", "PUT", path)
    service.clock.ahead = 119 * MINUTE
    assert await diary.now() == []
    await service.ok("ana", "POST", f"/spaces/{space}/start")
    assert await diary.now() == [(name, "start", "Launch") for name in ("ben", "cem", "eve")]
    assert await diary.now() == []
    assert (await service.ok("ana", "GET", f"/spaces/{space}"))["subscriber_count"] == 3
    assert (await service.ok("ben", "GET", "/users/me/reminders"))["data"] == []
    refused = await service.call("fay", "PUT", path)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:spaces-lab:problem:wrong-state")


async def test_a_restart_forgets_nobody_and_tells_nobody_twice(tmp_path: Path, database: str) -> None:
    async with running(tmp_path, database=database) as first:
        diary = Diary(first)
        spaces = [await scheduled(first, title=title) for title in ("a", "b", "c")]
        for space in spaces:
            await first.ok("ben", "PUT", f"/users/me/reminders/{space}")
        first.clock.ahead = 95 * MINUTE
        assert [what for _, what, _ in await diary.now()] == ["soon"] * 3
        await first.app.state.reminders.close()  # what happens from now on, the next process has to tell
        first.app.state.reminders._task = None
        await first.ok("ana", "POST", f"/spaces/{spaces[1]}/cancel")
        await first.ok("ana", "POST", f"/spaces/{spaces[2]}/schedule", json={"scheduled_start": at(hours=9)})
    async with running(tmp_path, database=database) as second:
        shown = await second.ok("ana", "GET", f"/spaces/{spaces[0]}")
        assert shown["subscriber_count"] == 1
        diary = Diary(second)
        second.clock.ahead = 95 * MINUTE
        await diary.now()
        left = {r["space"]["title"] for r in (await second.ok("ben", "GET", "/users/me/reminders"))["data"]}
        assert left == {"a", "c"}, "of the one that was canceled they have been told"
        assert await diary.now() == []
        second.clock.ahead = 8.6 * 60 * MINUTE
        assert await diary.now() == [("ben", "soon", "c")]


async def test_a_move_and_a_cancellation_are_told(service: Service) -> None:
    space = await scheduled(service, title="Launch")
    await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    diary = Diary(service)
    body = {"scheduled_start": at(hours=5)}
    await service.ok("ana", "POST", f"/spaces/{space}/schedule", json=body)
    assert await diary.now() == [("ben", "moved", "Launch")]
    shown = await service.ok("ben", "GET", "/users/me/reminders")
    assert shown["data"][0]["space"]["scheduled_start"] == body["scheduled_start"].replace("+00:00", "Z")
    await service.ok("ana", "POST", f"/spaces/{space}/cancel")
    assert await diary.now() == [("ben", "canceled", "Launch")]


async def test_a_space_that_nobody_started_is_told_as_canceled(service: Service) -> None:
    diary, space = Diary(service), await scheduled(service, title="Launch")
    await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    service.clock.ahead = 3 * 3600 + 1
    service.app.state.timers.fire()
    await service.settle()
    assert await diary.now() == [("ben", "canceled", "Launch")]
    assert (await service.ok("ben", "GET", "/users/me/reminders"))["data"] == []


async def test_the_clock_tells_by_itself(service: Service) -> None:
    diary = Diary(service)
    space = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": at(seconds=1800.3)})
    await service.ok("ben", "PUT", f"/users/me/reminders/{space['id']}")
    async with asyncio.timeout(10):
        while not diary.events:
            await asyncio.sleep(0.02)
    assert [what for _, what, _ in diary.events] == ["soon"]


@pytest.mark.parametrize("state", ["draft", "live", "unknown"])
async def test_only_scheduled_spaces_can_be_reminded_of(service: Service, state: str) -> None:
    path = await service.live() if state == "live" else "/spaces/nowhere"
    if state == "draft":
        path = f"/spaces/{(await service.ok('ana', 'POST', '/spaces', json={}))['id']}"
    refused = await service.call("ben", "PUT", f"/users/me/reminders/{path[8:]}")
    assert refused.status_code == (409 if state == "live" else 404), "a draft is as unknown as none"
    if state == "draft":
        assert (await service.call("ana", "PUT", f"/users/me/reminders/{path[8:]}")).status_code == 409


async def test_whoever_is_blocked_is_not_reminded(service: Service) -> None:
    space = await scheduled(service)
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "ben"})
    assert (await service.call("ben", "PUT", f"/users/me/reminders/{space}")).status_code == 403


async def test_lists_go_on_from_page_to_page(service: Service) -> None:
    spaces = [await scheduled(service, title=str(n)) for n in range(5)]
    for space in spaces:
        await service.ok("ben", "PUT", f"/users/me/reminders/{space}")
    seen, token = [], None
    while True:
        query = "?max_results=2" + (f"&pagination_token={token}" if token else "")
        page = await service.ok("ben", "GET", f"/users/me/reminders{query}")
        seen += [r["space"]["title"] for r in page["data"]]
        token = page["meta"]["next_token"]
        if token is None:
            break
    assert seen == ["0", "1", "2", "3", "4"]
    bad = await service.call("ben", "GET", "/users/me/reminders?pagination_token=YWJj")
    assert bad.status_code == 422
