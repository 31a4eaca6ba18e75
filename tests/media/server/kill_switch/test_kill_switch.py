"""The kill switch: everything live ends in the media path first, once, and also while the store is away."""

from pathlib import Path

import pytest

from media.server.kill_switch.command import end_all
from tests.media.server.outage.outages import back, outage_of
from tests.media.server.process import Process, free_port, run
from tests.media.server.service import Service, running

PATH = "/2/moderation/end-spaces"


async def live_of(service: Service, host: str) -> str:
    space = await service.ok(host, "POST", "/spaces", json={"anonymous_listening": True})
    await service.ok(host, "POST", f"/spaces/{space['id']}/start")
    return f"/spaces/{space['id']}"


async def ended(service: Service, **body: str) -> int:
    return (await service.ok("root", "POST", PATH, json=body))["data"]["ended_count"]


async def test_all_of_one_host_and_then_all_of_everybody(service: Service) -> None:
    spaces = [await live_of(service, host) for host in ("ana", "ana", "ben", "cem")]
    draft = (await service.ok("ana", "POST", "/spaces", json={}))["id"]
    for path in spaces:
        for listener in ("eve", None):
            await service.connect(listener, path)
    assert await ended(service, host="ana") == 2
    assert {room for room, _ in service.plane.sessions.values()} == {path[8:] for path in spaces[2:]}
    assert await ended(service, host="ana") == 0, "what is ended stays ended"
    assert await ended(service) == 2
    assert not service.plane.sessions and not service.plane.rooms
    for path in spaces:
        assert (await service.ok("root", "GET", path))["state"] == "ended"
    assert (await service.ok("ana", "GET", f"/spaces/{draft}"))["state"] == "draft"
    log = (await service.call("root", "GET", "/2/moderation/audit")).text
    assert log.count("end all Spaces") == 3


async def test_it_is_for_admins(service: Service) -> None:
    path = await live_of(service, "ana")
    for who, status in (("ana", 403), (None, 401)):
        assert (await service.call(who, "POST", PATH, json={})).status_code == status
    assert (await service.ok("ana", "GET", path))["state"] == "live"
    for body in ({"host": "no name"}, {"hots": "ana"}):
        assert (await service.call("root", "POST", PATH, json=body)).status_code == 422


@pytest.mark.parametrize("kind", ["locked", "moved"])
async def test_while_the_store_is_away_the_sound_ends_and_the_rest_follows(kind: str, tmp_path: Path) -> None:
    with outage_of(kind, tmp_path) as outage:
        async with running(tmp_path, database=outage.url) as service:
            spaces = [await live_of(service, host) for host in ("ana", "ben")]
            for path in spaces:
                await service.connect("eve", path)
            outage.begin()
            for count in (2, 0):
                response = await service.call("root", "POST", PATH, json={})
                assert response.status_code == 503
                assert response.json()["detail"].startswith(f"{count} Spaces are ended for everyone and stay so")
                assert not service.plane.sessions and not service.plane.rooms
            outage.end()
            await back(service)
            assert await ended(service) == 0
    async with running(tmp_path, database=outage.url) as service:
        for path in spaces:
            assert (await service.ok("root", "GET", path))["state"] == "ended"
        log = (await service.call("root", "GET", "/2/moderation/audit")).text
        assert log.count("end all Spaces") == 3


def test_one_command_ends_them(tmp_path: Path) -> None:
    server = Process(tmp_path)
    try:
        paths = [server.live(host) for host in ("ana", "ana", "ben")]
        ports = ("--port", str(server.port), "--data", tmp_path)
        for more, count in ((("--host", "ana"), 2), ((), 1), ((), 0)):
            done = run(*ports, "end-all", *more)
            assert (done.returncode, done.stdout) == (0, f"{count} Spaces ended.\n"), done.stderr
        for path in paths:
            assert server.call(server.token("eve"), "GET", path)["state"] == "ended"
    finally:
        server.put_away()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^No server answers at http://.*; name another with --server\.$"):
        end_all(tmp_path, f"http://127.0.0.1:{free_port()}", None)
