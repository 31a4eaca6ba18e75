"""Captions through HTTP, with the real process and its recogniser of tones: consent, lines, corrections, files."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.space.permissions import Role
from tests.media.server.captions.talking import Recorder, lines, ready
from tests.media.server.events.streaming import Stream, streaming
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, captions="tones") as one:
        yield one


async def staged(service: Service) -> tuple[str, str, Recorder]:
    """A live Space of ana, in which ben speaks and eve listens; its path and its id."""
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/requests/ben/approve")
    for name in ("ana", "ben", "eve"):
        await service.connect(name, path)
    return path, path.rpartition("/")[2], await ready(service)


async def test_nobody_is_captioned_who_has_not_consented(service: Service) -> None:
    path, space_id, recorder = await staged(service)
    before = await service.ok("eve", "GET", f"/2{path}/captions")
    assert before == {"available": True, "user_ids": [], "paused": False, "data": []}
    await service.ok("ben", "PUT", f"/2{path}/captions/consent")
    recorder.on_consent(space_id, "ana", True)  # a recorder that forwards whom it should not
    recorder.speak(space_id, "ana", ["we", "say"])
    recorder.speak(space_id, "ben", ["that", "good"])
    (line,) = await lines(service, path, 1)
    assert (line["user_id"], line["text"], line["automatic"], line["corrected"]) == (
        "ben",
        "that good",
        True,
        False,
    )
    assert 0 <= line["start_ms"] < line["end_ms"]
    await service.ok("ben", "DELETE", f"/2{path}/captions/consent")
    recorder.on_consent(space_id, "ben", True)
    recorder.speak(space_id, "ben", ["old"])
    await service.ok("ana", "PUT", f"/2{path}/captions/consent")
    recorder.speak(space_id, "ana", ["now"])
    assert [line["text"] for line in await lines(service, path, 2)] == ["that good", "now"]


async def test_only_people_on_a_live_stage_can_consent(service: Service) -> None:
    path, _, _ = await staged(service)
    assert (await service.call("eve", "PUT", f"/2{path}/captions/consent")).status_code == 403
    assert (await service.call("zoe", "PUT", f"/2{path}/captions/consent")).status_code == 403
    assert (await service.call(None, "PUT", f"/2{path}/captions/consent")).status_code == 401
    assert (await service.call("ben", "PUT", f"/2{path}/captions/consent")).status_code == 204
    assert (await service.call("ben", "PUT", f"/2{path}/captions/consent")).status_code == 204
    await service.ok("ana", "POST", f"{path}/end")
    response = await service.call("ana", "PUT", f"/2{path}/captions/consent")
    assert (response.status_code, response.json()["detail"]) == (409, "Captions are for a Space that is live.")


@pytest.mark.parametrize("how", ["steps down", "is revoked", "is removed", "the Space ends"])
async def test_consent_ends_with_the_seat(service: Service, how: str) -> None:
    path, space_id, recorder = await staged(service)
    await service.ok("ben", "PUT", f"/2{path}/captions/consent")
    assert (await service.ok("eve", "GET", f"/2{path}/captions"))["user_ids"] == ["ben"]
    who, method, rest = {
        "steps down": ("ben", "POST", "/participants/me/step-down"),
        "is revoked": ("ana", "POST", "/participants/ben/step-down"),
        "is removed": ("ana", "DELETE", "/participants/ben"),
        "the Space ends": ("ana", "POST", "/end"),
    }[how]
    await service.ok(who, method, path + rest)
    assert (await service.ok("ana", "GET", f"/2{path}/captions"))["user_ids"] == []
    assert (space_id, "ben") not in recorder.numbers
    if how == "steps down":
        await service.ok("ben", "POST", f"{path}/requests")
        await service.ok("ana", "POST", f"{path}/requests/ben/approve")
        assert (await service.ok("ana", "GET", f"/2{path}/captions"))["user_ids"] == []


async def test_a_line_is_corrected_by_whoever_said_it(service: Service) -> None:
    path, space_id, recorder = await staged(service)
    await service.ok("ben", "PUT", f"/2{path}/captions/consent")
    recorder.speak(space_id, "ben", ["hear", "this"])
    (line,) = await lines(service, path, 1)
    address = f"/2{path}/captions/{line['id']}"
    for name, status in (("ana", 403), ("eve", 403), (None, 401)):
        response = await service.call(name, "PUT", address, json={"text": "no"})
        assert response.status_code == status, name
    assert (await service.call("ben", "PUT", address, json={"text": " \n "})).status_code == 422
    assert (await service.call("ben", "PUT", f"/2{path}/captions/0", json={"text": "x"})).status_code == 404
    changed = await service.ok("ben", "PUT", address, json={"text": "Here  this\n<b>!"})
    assert (changed["text"], changed["automatic"], changed["corrected"]) == ("Here this <b>!", False, True)
    assert await lines(service, path, 1) == [changed]


@pytest.mark.parametrize("over", [False, True])
async def test_a_transcript_is_all_for_the_host_and_ones_own_speech_for_who_spoke(
    service: Service, over: bool
) -> None:
    path, space_id, recorder = await staged(service)
    await service.ok("ben", "POST", "/users", json={"username": "ben", "name": "Ben & Co"})
    for name, words in (("ana", ["we", "know"]), ("ben", ["you", "ask"])):
        await service.ok(name, "PUT", f"/2{path}/captions/consent")
        recorder.speak(space_id, name, words)
    await lines(service, path, 2)
    if over:
        await service.ok("ana", "POST", f"{path}/end")
    everything = json.loads((await service.ok("ana", "GET", f"/2{path}/transcript.json")).text)
    assert {line["text"] for line in everything["lines"]} == {"we know", "you ask"}
    own = (await service.ok("ben", "GET", f"/2{path}/transcript.vtt")).text
    assert "<v.automatic Ben &amp; Co>you ask" in own and "we know" not in own
    subtitles = await service.ok("ana", "GET", f"/2{path}/transcript.srt")
    assert subtitles.text.startswith("1\n00:00:0") and "Ben & Co: you ask" in subtitles.text
    assert subtitles.headers["content-disposition"] == f'attachment; filename="{space_id}.srt"'
    for kind in ("vtt", "srt", "json"):
        for name, status in (("eve", 403), ("zoe", 403), (None, 401)):
            assert (await service.call(name, "GET", f"/2{path}/transcript.{kind}")).status_code == status


async def test_what_is_said_is_told_on_the_stream_as_it_is_said(tmp_path: Path) -> None:
    async with streaming(tmp_path, captions="tones") as service:
        path, space_id, recorder = await staged(service)
        async with service.stream("eve", f"{path}/events") as stream:
            await follow(service, path, space_id, recorder, stream)


async def follow(service: Service, path: str, space_id: str, recorder: Recorder, stream: Stream) -> None:
    await service.ok("ben", "PUT", f"/2{path}/captions/consent")
    assert await stream.next("captions") == ("captions", {"user_ids": ["ben"], "paused": False})
    recorder.speak(space_id, "ben", ["we", "hear", "that", "good"], silence=0.0)
    _, passing = await stream.next("caption")
    assert passing["id"] is None and "we hear that good".startswith(passing["text"]) and passing["text"]
    _, final = await stream.next("caption")
    while final["id"] is None:
        _, final = await stream.next("caption")
    assert (final["user_id"], final["text"]) == ("ben", "we hear that good")
    assert final["start_ms"] == passing["start_ms"]
    changed = {**final, "text": "We hear that: good.", "automatic": False, "corrected": True}
    await service.ok("ben", "PUT", f"/2{path}/captions/{final['id']}", json={"text": changed["text"]})
    assert await stream.next("caption") == ("caption", changed)


async def test_a_server_without_captions_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        path = await service.live()
        assert (await service.ok("ana", "GET", f"/2{path}/captions"))["available"] is False
        response = await service.call("ana", "PUT", f"/2{path}/captions/consent")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (409, "no-captions")


def test_the_rights_of_captions_are_those_of_the_table() -> None:
    from media.space.permissions import ALLOWED, Action

    assert ALLOWED[Action.BE_CAPTIONED] == {Role.HOST, Role.COHOST, Role.SPEAKER}
