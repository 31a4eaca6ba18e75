"""A reviewer hears what was reported: the real sound of a real Space, for a reason that is noted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media.audio.opus import Encoder
from media.server.auth import Role, issue_from
from tests.media.relay.sound import tone
from tests.media.server.peer import Peer
from tests.media.server.process import Process

WHY = {"reason": "To decide the case."}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.put_away()


async def test_the_clip_of_a_case_is_heard_for_a_reason_only(server: Process, tmp_path: Path) -> None:
    path = server.live("ana")
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(440.0, 0))]), Peer("recvonly")
    await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
    await listener.join(f"{server.base}{path}/whep", server.token("lea"))
    await listener.hear(150)
    body = {"space_id": path.rpartition("/")[2], "user_id": "ana", "category": "disturbance"}
    server.call(server.token("lea"), "POST", "/2/reports", json=body)
    await listener.hear(300)
    token = issue_from(tmp_path, "rita", is_admin=False, ttl=600, roles=[Role.REVIEWER])
    case = server.call(token, "POST", "/2/moderation/claims", json={})["data"]["id"]
    headers = {"Authorization": f"Bearer {token}"}

    def look(part: str, **parameters: str) -> Any:
        return server.http.get(f"/2/moderation/cases/{case}/{part}", params=parameters, headers=headers)

    heard = look("clip", **WHY)
    assert heard.status_code == 200 and heard.headers["Content-Type"] == "audio/ogg", heard.text
    assert heard.content.startswith(b"OggS") and len(heard.content) > 5_000
    alone = look("clip", user_id="ana", **WHY)
    assert alone.content.startswith(b"OggS")
    waveform = look("waveform", **WHY).json()["data"]
    assert min(waveform["levels"]) < 40 and waveform["step_ms"] == 20
    words = look("words", **WHY).json()["data"]
    assert {spurt["user_id"] for spurt in words["spurts"]} == {"ana"} and words["lines"] == []
    assert look("clip").status_code == 422
    nobody = look("clip", user_id="zoe", **WHY)
    assert (nobody.status_code, nobody.json()["type"]) == (404, "urn:spaces-lab:problem:evidence-gone")
    log = server.http.get("/2/moderation/audit", headers={"Authorization": f"Bearer {server.admin_token()}"}).text
    looks = [entry for entry in map(json.loads, log.splitlines()) if entry["act"].startswith("look at")]
    assert [entry["act"].rpartition(" ")[2] for entry in looks] == ["clip", "clip", "waveform", "words", "clip"]
    assert {(entry["actor"], entry["details"]["reason"]) for entry in looks} == {("rita", WHY["reason"])}
    speaker.close()
    listener.close()
