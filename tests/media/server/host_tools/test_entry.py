"""The rules of entry where they count: on the way to the sound, and to what is written beside it."""

from tests.media.server.service import SDP, Service


async def follow(service: Service, one: str, other: str) -> None:
    for name in (one, other):
        await service.call(name, "POST", "/users", json={"username": name, "name": name})
    await service.ok(one, "POST", "/users/me/following", json={"target_user_id": other})


async def offered(service: Service, name: str | None, path: str, kind: str = "whep") -> tuple[int, str]:
    """Offer; return the status, and the sentence of a refusal."""
    response = await service.call(name, "POST", f"{path}/{kind}", content="v=0", headers=SDP)
    if response.is_success:
        service.plane.connect(response.headers["Location"].rpartition("/")[2])
        await service.settle()
        return response.status_code, ""
    return response.status_code, response.json()["detail"]


async def test_a_locked_space_lets_nobody_new_in(service: Service) -> None:
    path = await service.live(anonymous_listening=True)
    session = await service.connect("eve", path)
    await service.connect(None, path)
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "hal"})
    link = await service.ok("ana", "POST", f"{path}/invitation-links", json={"role": "speaker"})
    locked = await service.ok("ana", "PATCH", path, json={"locked": True})
    assert (locked["locked"], locked["participant_count"]) == (True, 2), "nobody is put out"
    for stranger in ("sam", None):
        status, sentence = await offered(service, stranger, path)
        assert (status, "is locked" in sentence) == (403, True)
    for way in ("/requests", f"/invitation-links/{link['code']}/accept"):
        assert (await service.call("sam", "POST", path + way)).status_code == 403
    assert (
        (await service.call("sam", "GET", f"{path}/messages")).json()["detail"].startswith("This Space is locked")
    )
    assert (await service.call("sam", "GET", path)).status_code == 200, "the card says why"
    assert (await offered(service, "hal", path))[0] == 201
    service.lose(session)
    await service.settle()
    assert (await offered(service, "eve", path))[0] == 201, "a lost connection costs nobody the way back"
    await service.ok("ana", "PATCH", path, json={"locked": False})
    assert (await offered(service, "sam", path))[0] == 201


async def test_the_way_back_is_open_for_as_long_as_a_role_waits(service: Service) -> None:
    path = await service.live()
    service.lose(await service.connect("eve", path))
    await service.settle()
    await service.ok("ana", "PATCH", path, json={"locked": True})
    assert (await service.call("eve", "GET", f"{path}/messages")).is_success
    service.clock.ahead += 31
    assert (await offered(service, "eve", path))[0] == 403
    assert (await service.call("eve", "GET", f"{path}/messages")).status_code == 403


async def test_a_lock_meets_an_offer_that_is_being_answered(service: Service) -> None:
    path = await service.live()

    space = service.app.state.spaces.held(path[8:])
    service.plane.while_answering = lambda: space.set_entry("ana", service.clock(), locked=True) and None
    assert (await offered(service, "sam", path))[0] == 403
    assert not service.plane.sessions, "what was made meanwhile is gone"


async def test_only_people_whom_the_host_follows(service: Service) -> None:
    await follow(service, "ana", "fay")
    path = await service.live(entry_policy="following", anonymous_listening=True)
    await service.connect("fay", path)
    for stranger in ("sam", None):
        status, sentence = await offered(service, stranger, path)
        assert (status, sentence.startswith("Only people whom the host follows")) == (403, True)
    refused = await service.call("sam", "POST", f"{path}/requests")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "no-entry")
    assert (await service.call("sam", "GET", f"{path}/messages")).status_code == 403
    assert (await service.call(None, "GET", f"{path}/messages")).status_code in (401, 403)
    await service.ok("fay", "POST", f"{path}/requests")
    link = await service.ok("ana", "POST", f"{path}/invitation-links", json={"role": "speaker"})
    await service.ok("lea", "POST", f"{path}/invitation-links/{link['code']}/accept")
    assert (await offered(service, "lea", path, "whip"))[0] == 201


async def test_newcomers_come_in_slowly_and_in_their_turn(service: Service) -> None:
    service.clock.stop()
    path = await service.live(entry_rate=6)
    assert (await offered(service, "first", path))[0] == 201
    response = await service.call("ben", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "10")
    assert response.json()["detail"] == "This Space lets people in one after another; it is your turn in 10 s."
    assert (await service.call("cem", "POST", f"{path}/whep", content="v=0", headers=SDP)).headers[
        "Retry-After"
    ] == "20"
    assert (await offered(service, "first", path))[0] == 201, "who is in connects again as they like"
    service.clock.ahead += 10
    assert (await offered(service, "cem", path))[0] == 429
    assert (await offered(service, "ben", path))[0] == 201


async def test_a_cohost_holds_the_door_and_new_speakers_are_muted(service: Service) -> None:
    path = await service.live(mute_on_entry=True)
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "ben", "role": "cohost"})
    await service.ok("ben", "POST", f"{path}/invitations/me/accept")
    await service.ok("ben", "PATCH", path, json={"speak_policy": "everyone", "entry_rate": 0})
    await service.connect("cem", path)
    await service.ok("cem", "POST", f"{path}/requests")
    response = await service.call("cem", "POST", f"{path}/whip?muted=false", content="v=0", headers=SDP)
    assert response.status_code == 201
    assert ("mute", "cem", False) not in service.plane.taken()
    assert (await service.ok("cem", "GET", f"{path}/participants/cem"))["muted_by_admin"]
    assert (await service.call("cem", "POST", f"{path}/participants/me/unmute")).status_code == 409
    await service.ok("ben", "POST", f"{path}/participants/cem/unmute")
    await service.ok("cem", "POST", f"{path}/participants/me/unmute")
    response = await service.call("ben", "PATCH", path, json={"locked": True, "title": "mine"})
    assert response.status_code == 403
    assert not (await service.ok("ana", "GET", path))["locked"], "all of it or nothing"


async def test_what_no_door_can_be(service: Service) -> None:
    path = await service.live()
    for body in ({"entry_rate": -1}, {"entry_rate": 60_001}, {"locked": 1}, {"entry_policy": "nobody"}):
        assert (await service.call("ana", "PATCH", path, json=body)).status_code == 422
