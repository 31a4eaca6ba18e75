"""Connections that come and go: grace times, the host's absence, and rights that reach the media first."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

from media.space.policy import DEFAULT
from media.space.space import Space
from tests.media.server.recording import RecordingPlane
from tests.media.server.service import SDP, Service, running


async def speaker(service: Service, path: str, name: str) -> str:
    await service.ok(name, "POST", f"{path}/requests")
    return await service.connect(name, path, "whip")


async def test_a_dropped_speaker_keeps_the_role_for_30_seconds(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.connect("ana", path, "whip")
    session = await speaker(service, path, "ben")
    service.plane.taken()
    service.lose(session)
    await service.settle()
    assert await service.count(path) == 1
    service.clock.ahead = 29
    service.app.state.timers.fire()
    await service.settle()
    assert service.plane.taken() == []
    await service.connect("ben", path, "whip")  # back in time, role kept
    assert await service.count(path) == 2
    await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    service.plane.taken()
    for session in list(service.plane.sessions):
        if service.plane.sessions[session][1] == "ben":
            service.plane.lose(session)
    await service.settle()
    service.clock.ahead += 31
    service.app.state.timers.fire()
    await service.settle()
    assert service.plane.taken() == [("let_talk", "ben", False)]
    assert (await service.call("ben", "POST", f"{path}/whip", content="v=0", headers=SDP)).status_code == 403


async def test_the_clock_runs_by_itself(service: Service) -> None:
    service.app.state.spaces.policy = replace(DEFAULT, grace=0.25)
    path = await service.live(speak_policy="everyone")
    await service.connect("ana", path, "whip")
    session = await speaker(service, path, "ben")
    service.plane.taken()
    service.lose(session)
    await asyncio.sleep(0.15)
    assert service.plane.taken() == []
    await asyncio.sleep(0.2)
    assert service.plane.taken() == [("let_talk", "ben", False)]


async def test_a_space_ends_when_its_host_is_gone(service: Service) -> None:
    path = await service.live()
    session = await service.connect("ana", path, "whip")
    await service.connect("ben", path)
    service.lose(session)
    await service.settle()
    service.clock.ahead = 299
    service.app.state.timers.fire()
    assert (await service.ok("ben", "GET", path))["state"] == "live"
    service.clock.ahead = 301
    service.app.state.timers.fire()
    await service.settle()
    assert ("close_room",) in service.plane.taken()
    assert (await service.ok("ben", "GET", path))["state"] == "ended"
    assert service.plane.sessions == {}


async def test_a_right_is_gone_from_the_media_before_it_is_written_down(service: Service, tmp_path: Path) -> None:
    path = await service.live(speak_policy="everyone")
    await speaker(service, path, "ben")
    service.plane.taken()
    disk = sqlite3.connect(tmp_path / "spaces.db")
    disk.execute("BEGIN EXCLUSIVE")  # a disk that takes its time
    request = asyncio.create_task(service.call("ana", "DELETE", f"{path}/participants/ben"))
    while not service.plane.commands:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    assert service.plane.taken() == [("let_talk", "ben", False), ("drop_participant", "ben")]
    assert not request.done()  # and not answered before it is written
    disk.rollback()
    disk.close()
    assert (await request).status_code == 204


async def test_commands_reach_the_plane_in_the_order_of_the_decisions(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ben", "POST", f"{path}/participants/me/unmute")
    service.plane.taken()
    spaces, steps = service.app.state.spaces, (Space.mute, Space.unmute) * 3
    await asyncio.gather(
        *(spaces.act(path[8:], lambda s, now, step=step: step(s, "ana", "ben", now)) for step in steps)
    )
    assert service.plane.taken() == [("mute", "ben", muted) for muted in (True, False) * 3]


async def test_a_restart_knows_live_spaces_roles_removals_and_mutes(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        path = await first.live(speak_policy="everyone", title="still here")
        draft = (await first.ok("ana", "POST", "/spaces", json={}))["id"]
        await speaker(first, path, "ben")
        await first.ok("ben", "POST", f"{path}/participants/me/unmute")
        await first.ok("ana", "POST", f"{path}/participants/ben/mute")
        await first.ok("ana", "DELETE", f"{path}/participants/cem")
        await first.connect("dag", path)
    plane = RecordingPlane()
    async with running(tmp_path, plane) as second:
        assert plane.taken() == [
            ("open_room",),
            ("mute", "ana", True),
            ("let_talk", "ana", True),
            ("mute", "ben", True),
            ("let_talk", "ben", True),
        ]
        space = await second.ok("ana", "GET", path)
        assert (space["state"], space["title"], space["participant_count"]) == ("live", "still here", 0)
        await second.connect("ben", path, "whip")
        ben = await second.ok("ana", "GET", f"{path}/participants/ben")
        assert (ben["connected"], ben["muted_by_self"], ben["muted_by_admin"]) == (True, False, True)
        removed = await second.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)
        assert removed.status_code == 403
        assert (await second.ok("ana", "GET", f"/spaces/{draft}"))["state"] == "draft"


async def test_sessions_that_end_with_the_process_cost_nobody_a_role(service: Service) -> None:
    path = await service.live(speak_policy="everyone")
    session = await speaker(service, path, "ben")
    service.plane.lose(session.rpartition("/")[2], "shutdown")
    await service.settle()
    assert (await service.ok("ana", "GET", f"{path}/participants/ben"))["standing"] == "speaker"


async def test_a_session_whose_request_was_given_up_is_ended(service: Service) -> None:
    path = await service.live()
    service.plane.sessions["forgotten"] = (path[8:], "ben")
    service.plane.connect("forgotten")
    await service.settle()
    assert ("drop_session", "forgotten") in service.plane.taken()
    assert await service.count(path) == 0
