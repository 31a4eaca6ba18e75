"""A process of captions that ends, hangs or eats memory is started again, and captions go on."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.server.captions.engine import CaptionEngine
from tests.media.server.captions.talking import lines, ready, until
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, captions="tones") as one:
        yield one


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
async def test_captions_go_on_after_their_process_was_lost(service: Service, how: signal.Signals) -> None:
    path = await service.live()
    space_id = path.rpartition("/")[2]
    recorder = await ready(service)
    await service.ok("ana", "PUT", f"/2{path}/captions/consent")
    recorder.speak(space_id, "ana", ["we"])
    assert [line["text"] for line in await lines(service, path, 1)] == ["we"]
    engine: CaptionEngine = service.app.state.captions.engine
    assert engine.process is not None
    first = engine.process.pid
    os.kill(first, how)
    await until(lambda: engine.ended)
    await until(lambda: engine.alive)
    assert engine.process is not None and engine.process.pid != first
    recorder.speak(space_id, "ana", ["now"])
    assert [line["text"] for line in await lines(service, path, 2)] == ["we", "now"]


async def test_a_process_that_eats_memory_is_ended_and_the_room_goes_on(tmp_path: Path) -> None:
    engine = CaptionEngine("tones", tmp_path, memory_mib=20)
    engine.start()
    try:
        await until(lambda: engine.ended)
        assert engine.alive is None
    finally:
        await engine.stop()


async def test_the_process_ends_with_its_server(tmp_path: Path) -> None:
    async with running(tmp_path, captions="tones") as service:
        await ready(service)
        process = service.app.state.captions.engine.process
    assert process.returncode is not None
