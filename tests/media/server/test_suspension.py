"""Suspended accounts: gone from the sound at once, refused everywhere, and back when it is lifted."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from media.audio.opus import Encoder
from media.server.auth import issue_from
from tests.media.relay.sound import FRAME, RATE, strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import Process
from tests.media.server.service import SDP, Service, running


@pytest.fixture
async def service(tmp_path: Path, database: str) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        yield one


async def suspend(service: Service, name: str) -> Any:
    return await service.ok("root", "PUT", f"/users/{name}/suspension", json={"reason": "noise"})


async def refusal(service: Service, name: str, method: str, path: str, **more: Any) -> str:
    response = await service.call(name, method, path, **more)
    assert response.status_code == 403, response.text
    return response.json()["type"].rpartition(":")[2]


async def test_every_session_ends_and_none_begins_until_it_is_lifted(service: Service) -> None:
    rooms = [await service.live(speak_policy="everyone") for _ in range(3)]
    await service.ok("ben", "POST", f"{rooms[0]}/requests")
    await service.connect("ben", rooms[0], "whip")
    await service.connect("ben", rooms[0])
    await service.connect("ben", rooms[1])
    offer = await service.call("ben", "POST", f"{rooms[2]}/whep", content="v=0", headers=SDP)
    assert offer.status_code == 201  # answered, and not up yet
    await service.connect("cem", rooms[1])
    service.plane.taken()
    assert (await suspend(service, "ben"))["suspended"]
    assert {who for _, who in service.plane.sessions.values()} == {"cem"}
    assert service.plane.taken()[:3] == [("drop_participant", "ben")] * 3, "before anything else"
    await service.settle()
    assert [await service.count(path) for path in rooms] == [0, 1, 0]
    for path in rooms:
        assert await refusal(service, "ben", "POST", f"{path}/whep", content="v=0", headers=SDP) == "suspended"
    for path in ("/spaces", "/users/me", f"{rooms[0]}/participants"):
        assert await refusal(service, "ben", "GET", path) == "suspended"
    shown = await service.ok("root", "GET", "/users/ben/suspension")
    assert shown == {"user_id": "ben", "suspended": True, "reason": "noise"}
    await service.ok("root", "DELETE", "/users/ben/suspension")
    assert not (await service.ok("root", "GET", "/users/ben/suspension"))["suspended"]
    await service.connect("ben", rooms[0])
    assert (await service.ok("ben", "GET", f"{rooms[0]}/participants/me"))["standing"] == "listener"


async def test_the_space_of_a_suspended_host_ends_at_once_if_no_cohost_is_there(service: Service) -> None:
    path = await service.live()
    await service.connect("ana", path, "whip")
    await service.connect("cem", path)
    await suspend(service, "ana")
    assert service.plane.sessions == {}
    assert ("close_room",) in service.plane.taken()
    assert (await service.ok("cem", "GET", path))["state"] == "ended"


async def test_the_space_of_a_suspended_host_goes_on_with_a_cohost_who_is_there(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.connect("ana", path, "whip")
    await service.ok("cem", "POST", f"{path}/requests")
    cohost = await service.connect("cem", path, "whip")
    await service.ok("ana", "POST", f"{path}/participants/cem/promote")
    await suspend(service, "ana")
    assert {who for _, who in service.plane.sessions.values()} == {"cem"}
    space = await service.ok("cem", "GET", path)
    assert (space["state"], space["participant_count"]) == ("live", 1)
    await service.connect("dag", path)
    service.lose(cohost)
    await service.settle()
    service.clock.ahead = 299
    service.app.state.timers.fire()
    await service.settle()
    assert (await service.ok("cem", "GET", path))["state"] == "live"
    service.clock.ahead = 301
    service.app.state.timers.fire()
    await service.settle()
    assert (await service.ok("cem", "GET", path))["state"] == "ended"


async def test_a_suspension_that_comes_while_the_relay_answers_ends_the_session(service: Service) -> None:
    path, work = await service.live(), []
    service.plane.while_answering = lambda: work.append(
        asyncio.get_running_loop().create_task(service.app.state.guard.suspend("ben", "root", ""))
    )
    answering = service.plane.add_session

    async def slowly(*arguments: str) -> str:
        answer = await answering(*arguments)
        await asyncio.sleep(0.01)
        return answer

    service.plane.add_session = slowly
    assert await refusal(service, "ben", "POST", f"{path}/whep", content="v=0", headers=SDP) == "suspended"
    await asyncio.gather(*work)
    assert service.plane.sessions == {}


async def test_a_restart_knows_who_is_suspended_and_blocked(tmp_path: Path, database: str) -> None:
    async with running(tmp_path, database=database) as first:
        path = await first.live()
        await suspend(first, "ben")
        await first.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "cem"})
    async with running(tmp_path, database=database) as second:
        for name, why in (("ben", "suspended"), ("cem", "blocked")):
            assert await refusal(second, name, "POST", f"{path}/whep", content="v=0", headers=SDP) == why


async def test_a_suspended_speaker_is_heard_no_more_by_the_real_relay(tmp_path: Path) -> None:
    server = Process(tmp_path)
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(450.0, 0))]), Peer("recvonly")
    try:
        path, root = server.live("ana"), issue_from(tmp_path, "root", is_admin=True, ttl=60)
        server.call(server.token("ana"), "PATCH", path, json={"speak_policy": "everyone"})
        server.call(server.token("ben"), "POST", f"{path}/requests")
        await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ben"))
        await listener.join(f"{server.base}{path}/whep", server.token("lea"))
        await listener.hear(50)
        assert strength(listener.sound()[-RATE // 4 :], 450.0) > 0.1
        server.call(root, "PUT", "/users/ben/suspension", json={})
        deadline = time.monotonic() + 30
        while not speaker.goodbye:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # what was under way has come
        before = len(listener.packets)
        await asyncio.sleep(0.5)
        after = listener.sound()[before * FRAME :]  # of a Space in which nobody talks, little or nothing
        assert strength(after, 450.0) < 0.001
        again = server.http.post(f"{path}/whep", headers={"Authorization": f"Bearer {server.token('ben')}"})
        assert (again.status_code, again.json()["type"]) == (403, "urn:spaces-lab:problem:suspended")
    finally:
        speaker.close()
        listener.close()
        server.put_away()


async def test_what_a_suspended_host_has_scheduled_is_canceled_and_told(service: Service) -> None:
    start = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    space = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": start})
    other = await service.ok("cem", "POST", "/spaces", json={"scheduled_start": start})
    draft = await service.ok("ana", "POST", "/spaces", json={})
    await service.ok("ben", "PUT", f"/users/me/reminders/{space['id']}")
    told: list[tuple[str, str]] = []
    service.app.state.hub.publish_to_user = lambda person, name, _: told.append((person, name))
    await suspend(service, "ana")
    await service.app.state.reminders.sweep()
    assert ("ben", "canceled") in told
    states = [(await service.ok("root", "GET", f"/spaces/{s['id']}"))["state"] for s in (space, other, draft)]
    assert states == ["canceled", "scheduled", "draft"]
