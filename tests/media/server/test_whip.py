"""Signalling of media: WHIP and WHEP as the standards and the rules of a Space want them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from media.rtc.sdp import parse_sdp
from tests.media.rtc.offers import CHROMIUM
from tests.media.server.service import SDP, Service, located

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def test_whip_answers_with_the_session(service: Service) -> None:
    path = await service.live()
    response = await service.call("ana", "POST", f"{path}/whip", content="v=0", headers=SDP)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/sdp"
    assert response.text.startswith("v=0")
    location = located(response)
    assert location.startswith(f"{path}/whip/")
    assert response.headers["ETag"].strip('"')
    assert (await service.call("ben", "DELETE", location)).status_code == 403
    assert (await service.call(None, "DELETE", location)).status_code == 401
    assert (await service.call("ana", "DELETE", location.replace("whip", "whep"))).status_code == 404
    assert (await service.call("ana", "DELETE", location)).status_code == 204
    assert service.plane.sessions == {}
    assert (await service.call("ana", "DELETE", location)).status_code == 404


async def test_only_who_may_speak_connects_a_microphone(service: Service) -> None:
    path = await service.live()
    refused = await service.call("ben", "POST", f"{path}/whip", content="v=0", headers=SDP)
    assert refused.status_code == 403
    assert f"ask with POST {path}/requests" in refused.json()["detail"]
    await service.ok("ben", "POST", f"{path}/requests")
    assert (await service.call("ben", "POST", f"{path}/whip", content="v=0", headers=SDP)).status_code == 403
    await service.ok("ana", "POST", f"{path}/requests/ben/approve")
    assert (await service.call("ben", "POST", f"{path}/whip", content="v=0", headers=SDP)).status_code == 201


async def test_an_encoder_without_buttons_can_open_its_microphone(service: Service) -> None:
    path = await service.live()
    await service.ok("ana", "POST", f"{path}/whip?muted=false", content="v=0", headers=SDP)
    assert service.plane.taken() == [("mute", "ana", False)]
    await service.ok("root", "POST", f"{path}/participants/ana/mute")
    service.plane.taken()
    await service.ok("ana", "POST", f"{path}/whip?muted=false", content="v=0", headers=SDP)
    assert service.plane.taken() == []  # an admin's mute stays


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_states_in_which_nobody_connects(service: Service, kind: str) -> None:
    draft = (await service.ok("ana", "POST", "/spaces", json={}))["id"]
    early = await service.call("ana", "POST", f"/spaces/{draft}/{kind}", content="v=0", headers=SDP)
    assert early.status_code == 409
    path = await service.live()
    await service.ok("ana", "POST", f"{path}/end")
    late = await service.call("ana", "POST", f"{path}/{kind}", content="v=0", headers=SDP)
    assert (late.status_code, late.json()["detail"]) == (409, "Nobody can join a Space that is ended.")
    nowhere = await service.call("ana", "POST", f"/spaces/nowhere/{kind}", content="v=0", headers=SDP)
    assert nowhere.status_code == 404


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (SDP, b"", 400),
        (SDP, b"hello", 400),
        (SDP, b"v=0\xff", 400),
        ({"Content-Type": "application/json"}, b"v=0", 415),
        ({}, b"v=0", 415),
        (SDP | {"Accept": "text/html"}, b"v=0", 406),
        (SDP | {"Accept": "application/sdp;q=0, */*"}, b"v=0", 406),
        (SDP | {"Accept": "application/sdp;q=junk"}, b"v=0", 406),
        (SDP | {"Accept": "text/html, */*;q=0.1"}, b"v=0", 201),
        (SDP | {"Accept": "Application/SDP"}, b"v=0", 201),
        ({"Content-Type": "Application/SDP; charset=utf-8"}, b"v=0", 201),
        (SDP, b"v=0" + b" " * (64 * 1024 - 3), 201),
        (SDP, b"v=0" + b" " * (64 * 1024 - 2), 413),
    ],
)
async def test_what_can_be_posted(service: Service, headers: dict[str, str], content: bytes, status: int) -> None:
    path = await service.live()
    for kind in ("whip", "whep"):
        response = await service.call("ana", "POST", f"{path}/{kind}", content=content, headers=headers)
        assert response.status_code == status, response.text
        if status != 201:
            assert response.headers["Content-Type"] == "application/problem+json"
            assert service.plane.sessions == {}
        if status == 415:
            assert response.headers["Accept-Post"] == "application/sdp"


async def test_a_body_is_refused_while_it_streams(service: Service) -> None:
    path = await service.live()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 8192
            yield b" " * 8192

    response = await service.call("ana", "POST", f"{path}/whip", content=endless(), headers=SDP)
    assert (response.status_code, response.json()["type"]) == (413, "urn:spaces-lab:problem:content-too-large")
    assert sent <= 72 * 1024


async def test_a_full_relay_says_when_to_come_back(service: Service) -> None:
    path = await service.live()
    service.plane.places = 0
    response = await service.call("ana", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert await service.count(path) == 0


async def test_methods_that_are_for_later(service: Service) -> None:
    path = await service.live()
    location = await service.connect("ana", path, "whip")
    put = await service.call("ana", "PUT", location, content="v=0", headers=SDP)
    assert (put.status_code, put.headers["Allow"]) == (405, "DELETE, OPTIONS, PATCH")
    get = await service.call("ana", "GET", f"{path}/whip")
    assert (get.status_code, get.headers["Allow"]) == (405, "OPTIONS, POST")
    options = await service.call(None, "OPTIONS", f"{path}/whep")
    assert (options.status_code, options.headers["Accept-Post"]) == (204, "application/sdp")
    options = await service.call(None, "OPTIONS", location)
    assert options.headers["Allow"] == "DELETE, OPTIONS, PATCH"
    assert options.headers["Accept-Patch"] == FRAGMENT["Content-Type"]


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_ice_restart_gives_a_new_fragment_and_entity_tag(service: Service, kind: str) -> None:
    path = await service.live()
    made = await service.call("ana", "POST", f"{path}/{kind}", content="v=0", headers=SDP)
    location, tag = located(made), made.headers["ETag"]
    for condition in ("*", None):
        headers = FRAGMENT | {"If-Match": condition or tag}
        response = await service.call("ana", "PATCH", location, content="a=new", headers=headers)
        assert (response.status_code, response.text) == (200, "a=ice-lite\r\n")
        assert response.headers["Content-Type"] == FRAGMENT["Content-Type"]
        assert response.headers["ETag"] != tag
        late = await service.call("ana", "PATCH", location, content="a=x", headers=FRAGMENT | {"If-Match": tag})
        assert late.status_code == 412
        tag = response.headers["ETag"]


async def test_trickled_candidates_are_taken_and_change_nothing(service: Service) -> None:
    path = await service.live()
    made = await service.call("ana", "POST", f"{path}/whep", content="v=0", headers=SDP)
    headers = FRAGMENT | {"If-Match": f'"other", {made.headers["ETag"]}'}
    for _ in range(2):
        response = await service.call("ana", "PATCH", located(made), content="a=old", headers=headers)
        assert (response.status_code, response.text) == (204, "")
        assert "ETag" not in response.headers


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (SDP | {"If-Match": "*"}, b"a=new", 415),
        ({"If-Match": "*"}, b"a=new", 415),
        (FRAGMENT, b"a=new", 428),
        (FRAGMENT | {"If-Match": '"another"'}, b"a=new", 412),
        (FRAGMENT | {"If-Match": 'W/"{tag}"'}, b"a=new", 412),
        (FRAGMENT | {"If-Match": "{tag}"}, b"a=new", 412),
        (FRAGMENT | {"If-Match": ""}, b"a=new", 412),
        (FRAGMENT | {"If-Match": "*"}, b"", 400),
        (FRAGMENT | {"If-Match": "*"}, b"hello", 400),
        (FRAGMENT | {"If-Match": "*"}, b"a=\xff", 400),
        (FRAGMENT | {"If-Match": "*"}, b"a=new" + b" " * 64 * 1024, 413),
    ],
)
async def test_what_can_be_patched(service: Service, headers: dict[str, str], content: bytes, status: int) -> None:
    path = await service.live()
    made = await service.call("ana", "POST", f"{path}/whip", content="v=0", headers=SDP)
    tag = made.headers["ETag"].strip('"')
    filled = {name: value.replace("{tag}", tag) for name, value in headers.items()}
    response = await service.call("ana", "PATCH", located(made), content=content, headers=filled)
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    if status == 415:
        assert response.headers["Accept-Patch"] == FRAGMENT["Content-Type"]
    again = await service.call(
        "ana", "PATCH", located(made), content="a=x", headers=FRAGMENT | {"If-Match": f'"{tag}"'}
    )
    assert again.status_code == 204, "a refusal changes nothing"


async def test_only_its_owner_restarts_a_session(service: Service) -> None:
    path = await service.live()
    location = await service.connect("ana", path, "whip")
    headers = FRAGMENT | {"If-Match": "*"}
    assert (await service.call("ben", "PATCH", location, content="a=new", headers=headers)).status_code == 403
    assert (await service.call(None, "PATCH", location, content="a=new", headers=headers)).status_code == 401
    await service.call("ana", "DELETE", location)
    assert (await service.call("ana", "PATCH", location, content="a=new", headers=headers)).status_code == 404


async def test_a_page_from_elsewhere_may_call(service: Service) -> None:
    path = await service.live()
    asks = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    for method, place, names in (
        ("POST", "whip", "authorization,content-type"),
        ("PATCH", "whip/x", "authorization,content-type,etag"),  # @eyevinn/whip-web-client 1.1.7
        ("PATCH", "whep/x", "authorization,content-type,if-match,link"),
        ("DELETE", "whep/x", "authorization,cache-control,pragma,x-requested-with,x-session"),
    ):
        asks["Access-Control-Request-Method"] = method
        named = asks | {"Access-Control-Request-Headers": names}
        preflight = await service.call(None, "OPTIONS", f"{path}/{place}", headers=named)
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert preflight.headers["Access-Control-Allow-Headers"] == names
        assert method in preflight.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in preflight.headers
    answer = await service.call(
        "ana", "POST", f"{path}/whip", content="v=0", headers=SDP | {"Origin": "https://example.org"}
    )
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]


async def test_anonymous_listening_is_an_option_of_the_space(service: Service) -> None:
    closed = await service.live()
    refused = await service.call(None, "POST", f"{closed}/whep", content="v=0", headers=SDP)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    opened = await service.live(anonymous_listening=True)
    wrong = await service.call(
        None, "POST", f"{opened}/whep", content="v=0", headers=SDP | {"Authorization": "Bearer nonsense"}
    )
    assert wrong.status_code == 401
    assert (await service.call(None, "POST", f"{opened}/whip", content="v=0", headers=SDP)).status_code == 401
    first = await service.connect(None, opened)
    await service.connect(None, opened)
    assert await service.count(opened) == 2
    people = {person for _, person in service.plane.sessions.values()}
    assert len(people) == 2
    assert all(person.startswith("~") for person in people)
    assert (await service.call(None, "DELETE", first)).status_code == 204
    await service.settle()
    assert await service.count(opened) == 1


async def test_a_person_is_counted_once_for_all_sessions(service: Service) -> None:
    path = await service.live()
    speak, hear = await service.connect("ana", path, "whip"), await service.connect("ana", path)
    assert await service.count(path) == 1
    service.lose(speak)
    await service.settle()
    assert await service.count(path) == 1
    service.lose(hear)
    await service.settle()
    assert await service.count(path) == 0


async def test_only_media_that_flows_counts(service: Service) -> None:
    path = await service.live()
    response = await service.call("ben", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert await service.count(path) == 0
    session = located(response).rpartition("/")[2]
    service.plane.lose(session, "handshake failed")
    await service.settle()
    assert await service.count(path) == 0


async def test_a_person_removed_while_connecting_is_not_let_in(service: Service) -> None:
    path = await service.live()
    space = service.app.state.spaces
    service.plane.while_answering = lambda: space.note(
        path[8:], lambda s, now: s.remove("ana", "ben", now, present=False)
    )
    response = await service.call("ben", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert (response.status_code, response.json()["type"]) == (403, "urn:spaces-lab:problem:removed")
    await service.settle()
    assert service.plane.sessions == {}


async def test_a_space_that_ends_while_somebody_connects(service: Service) -> None:
    path = await service.live()
    spaces = service.app.state.spaces
    service.plane.while_answering = lambda: spaces.note(path[8:], lambda s, now: s.end("ana", now))
    response = await service.call("ben", "POST", f"{path}/whep", content="v=0", headers=SDP)
    assert response.status_code == 409
    await service.settle()
    assert service.plane.sessions == {}


async def test_a_listener_may_ask_for_longer_packets_in_the_address(service: Service) -> None:
    path = await service.live()
    for query in ("", "?ptime=40", "?ptime=60"):
        await service.ok("ben", "POST", f"{path}/whep{query}", content=CHROMIUM, headers=SDP)
    offers = [parse_sdp(offer).audio.ptime for offer in service.plane.offers]
    assert offers == [None, 40, 60]
    refused = await service.call("ben", "POST", f"{path}/whep?ptime=41", content=CHROMIUM, headers=SDP)
    assert refused.status_code == 422
    assert "20, 40 or 60" in refused.json()["detail"]


async def test_a_join_storm_is_counted_exactly(service: Service) -> None:
    path = await service.live()
    locations = await asyncio.gather(*(service.connect(f"u{n}", path) for n in range(200)))
    assert await service.count(path) == 200
    for location in locations[::2]:
        service.lose(location)
    await service.settle()
    assert await service.count(path) == 100
