"""An anonymous listener takes a name, and the sound goes on."""

from tests.media.server.room.test_room import problem
from tests.media.server.service import SDP, Service, located


async def test_an_anonymous_listener_takes_a_name_and_then_asks_to_speak(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    session = await service.connect(None, path)
    other = await service.connect(None, path)
    assert await problem(service, None, "POST", f"{path}/requests") == (401, "no-token")
    service.plane.taken()
    named = await service.ok("ben", "POST", f"{session}/name")
    assert (named["standing"], named["connected"]) == ("listener", True)
    assert await service.ok("ben", "POST", f"{session}/name") == named
    renamed = ("rename_session", session.rpartition("/")[2], "ben")
    assert (service.plane.taken(), await service.count(path)) == ([renamed], 2)
    assert (await service.ok("ben", "POST", f"{path}/requests"))["status"] == "queued"
    assert (await service.ok("ana", "POST", f"{path}/requests/ben/approve"))["status"] == "granted"
    assert (await service.ok("ana", "GET", f"{path}/participants/ben"))["connected"]
    assert await service.count(path) == 2
    assert await problem(service, "cem", "POST", f"{session}/name") == (403, "not-owner")
    service.lose(session)
    await service.settle()
    assert not (await service.ok("ana", "GET", f"{path}/participants/ben"))["connected"]
    service.lose(other)
    await service.settle()
    assert await service.count(path) == 0


async def test_a_person_who_was_anonymous_is_removed_with_all_their_sessions(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    first, second = await service.connect(None, path), await service.connect(None, path)
    await service.connect("ben", path)
    for session in (first, second):
        await service.ok("ben", "POST", f"{session}/name")
    assert await service.count(path) == 1
    await service.ok("ana", "DELETE", f"{path}/participants/ben")
    await service.settle()
    assert (service.plane.sessions, await service.count(path)) == ({}, 0)


async def test_leaving_and_being_suspended_end_a_session_that_was_anonymous(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    await service.ok("ben", "POST", f"{await service.connect(None, path)}/name")
    await service.ok("ben", "DELETE", f"{path}/participants/me")
    await service.settle()
    assert (service.plane.sessions, await service.count(path)) == ({}, 0)
    await service.ok("cem", "POST", f"{await service.connect(None, path)}/name")
    await service.ok("root", "PUT", "/users/cem/suspension", json={})
    await service.settle()
    assert (service.plane.sessions, await service.count(path)) == ({}, 0)


async def test_a_seat_that_waited_for_its_person_is_taken_by_naming(service: Service) -> None:
    path = await service.live(anonymous_listening=True, speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    session = await service.connect(None, path)
    named = await service.ok("ben", "POST", f"{session}/name")
    assert (named["standing"], named["connected"], await service.count(path)) == ("speaker", True, 1)


async def test_who_is_kept_out_cannot_take_a_name(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    session = await service.connect(None, path)
    await service.ok("ana", "DELETE", f"{path}/participants/ben")
    assert await problem(service, "ben", "POST", f"{session}/name") == (403, "removed")
    assert await problem(service, None, "POST", f"{session}/name") == (401, "no-token")
    assert await problem(service, "cem", "POST", f"{path}/whep/nothing/name") == (404, "unknown-session")


async def test_a_session_that_is_still_being_made_can_be_named(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    made = await service.call(None, "POST", f"{path}/whep", content="v=0", headers=SDP)
    session = located(made)
    assert (await service.ok("ben", "POST", f"{session}/name"))["standing"] == "outside"
    service.plane.connect(session.rpartition("/")[2])
    assert (await service.ok("ben", "GET", f"{path}/participants/me"))["standing"] == "listener"
    assert await service.count(path) == 1


async def test_no_more_anonymous_listening_ends_the_sessions_of_those_who_do(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    await service.connect(None, path)
    await service.connect("ben", path)
    await service.ok("cem", "POST", f"{await service.connect(None, path)}/name")
    await service.ok("ana", "PATCH", path, json={"anonymous_listening": False})
    await service.settle()
    assert await service.count(path) == 2
    assert await problem(service, None, "POST", f"{path}/whep", content="v=0", headers=SDP) == (401, "no-token")
