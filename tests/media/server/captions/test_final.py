"""When a Space is over, lines that follow each other are heard once more; corrected ones stay."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.server.captions.talking import PATIENCE, lines, ready
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, captions="tones") as one:
        yield one


async def transcript(service: Service, path: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE):
        while True:
            found = json.loads((await service.ok("ana", "GET", f"/2{path}/transcript.json")).text)["lines"]
            if len(found) == count:
                return found
            await asyncio.sleep(0.1)


async def test_a_transcript_is_made_anew_from_the_recording(service: Service) -> None:
    path = await service.live()
    space_id = path.rpartition("/")[2]
    recorder = await ready(service)
    service.app.state.captions.transcribe_from(recorder.packets)
    await service.ok("ana", "PUT", f"/2{path}/captions/consent")
    for words in (["we", "know"], ["that", "good"], ["new"], ["old", "here"]):
        recorder.speak(space_id, "ana", words, silence=0.7)
    recorder.speak(space_id, "ana", ["now"], silence=1.0)
    live = await lines(service, path, 5)
    await service.ok("ana", "PUT", f"/2{path}/captions/{live[2]['id']}", json={"text": "Knew!"})
    await service.ok("ana", "POST", f"{path}/end")
    final = await transcript(service, path, 3)
    assert [line["text"] for line in final] == ["we know that good", "Knew!", "old here now"]
    assert [line["corrected"] for line in final] == [False, True, False]
    assert (final[0]["start_ms"], final[0]["end_ms"]) == (live[0]["start_ms"], live[1]["end_ms"])


async def test_without_a_recording_the_live_lines_stay(service: Service) -> None:
    path = await service.live()
    space_id = path.rpartition("/")[2]
    recorder = await ready(service)
    await service.ok("ana", "PUT", f"/2{path}/captions/consent")
    for words in (["we"], ["know"]):
        recorder.speak(space_id, "ana", words, silence=0.7)
    live = await lines(service, path, 2)
    await service.ok("ana", "POST", f"{path}/end")
    final = service.app.state.captions.final
    await final.rewrite(space_id)
    assert [line["text"] for line in await transcript(service, path, 2)] == [line["text"] for line in live]
