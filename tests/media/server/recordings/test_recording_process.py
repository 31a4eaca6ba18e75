"""Evidence of a real Space: recorded through kills of recorder and server, and read again."""

import asyncio
import itertools
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from media.audio.opus import Decoder, Encoder
from media.server.recordings.evidence import Evidence, read_evidence
from media.server.recordings.evidence_keys import EvidenceKeys, load_master
from media.server.recordings.slot_file import SlotFile
from tests.media.relay.sound import strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import START, Process

HERTZ = 440.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.put_away()


def recorder_of(server: Process) -> int:
    pid = server.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"media.recorder" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return 0


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + START
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def opened(data: Path, space_id: str) -> Evidence:
    """The evidence of a Space, as whoever has the keys opens it."""
    with sqlite3.connect(data / "spaces.db") as database:
        query = "SELECT slot, commitment FROM recordings WHERE space_id = ?"
        slot, commitment = database.execute(query, (space_id,)).fetchone()
    keys = EvidenceKeys(load_master(data), SlotFile(data / "evidence.slots"))
    try:
        return read_evidence(data / "recordings" / space_id, keys.key(space_id, slot, commitment))
    finally:
        keys.close()


def sound(evidence: Evidence, user_id: str | None, start_ms: int, end_ms: int) -> np.ndarray:
    decoder = Decoder()
    packets = evidence.tracks[user_id].packets(start_ms, end_ms)
    return np.concatenate([decoder.decode(packet.payload) for packet in packets])


async def test_a_space_is_recorded_and_opens_under_its_key(server: Process, tmp_path: Path) -> None:
    path = server.live("ana")
    space_id = path.rpartition("/")[2]
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(HERTZ, 0))]), Peer("recvonly")
    await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
    await listener.join(f"{server.base}{path}/whep", server.token("lea"))
    await listener.hear(150)
    assert "spaces_recorded_spaces 1.0" in server.metrics()
    server.call(server.token("ana"), "POST", f"{path}/end")
    await until(lambda: "spaces_recorded_spaces 0.0" in server.metrics())
    speaker.close()
    listener.close()
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0, server.said()
    evidence = opened(tmp_path, space_id)
    assert set(evidence.tracks) == {None, "ana"}
    for user_id in (None, "ana"):
        spurts = evidence.tracks[user_id].spurts(0, 600_000)  # several if this machine stood still
        assert sum(spurt.end_ms - spurt.start_ms for spurt in spurts) >= 2_500
        assert strength(sound(evidence, user_id, spurts[0].start_ms, spurts[-1].end_ms), HERTZ) > 0.1
    assert {"SpaceStarted", "MuteChanged", "SpaceEnded"} <= {event["event"] for event in evidence.events}
    files = b"".join(file.read_bytes() for file in (tmp_path / "recordings" / space_id).iterdir())
    assert b"OggS" not in files and b"ana" not in files


@pytest.mark.parametrize("killed", ["recorder", "server"])
async def test_at_most_a_second_is_lost_whoever_is_killed(server: Process, tmp_path: Path, killed: str) -> None:
    path = server.live("ana")
    space_id = path.rpartition("/")[2]
    speaker = Peer("sendrecv", [Encoder().encode(tone(HERTZ, 0))])
    await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
    await until(lambda: len(speaker.spoken) > 130)
    await until(lambda: recorder_of(server))
    first = recorder_of(server)
    if killed == "recorder":
        os.kill(first, signal.SIGKILL)
        await until(lambda: recorder_of(server) not in (0, first))
        before = len(speaker.spoken)
        await until(lambda: len(speaker.spoken) > before + 100)
        server.call(server.token("ana"), "POST", f"{path}/end")
        spoken = len(speaker.spoken)
        assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0, server.said()
    else:
        spoken = len(speaker.spoken)
        server.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.process.wait)
        await until(lambda: not Path(f"/proc/{first}").exists())
    speaker.close()
    track = opened(tmp_path, space_id).tracks["ana"]
    kept = sum(packet.samples for packet in track.packets(0, 600_000) if packet.level < 60) / 960
    assert spoken - kept <= 60, "a second, and what was under way"


async def test_the_space_goes_on_recording_after_the_server_was_killed(server: Process, tmp_path: Path) -> None:
    path = server.live("ana")
    space_id = path.rpartition("/")[2]
    for _ in range(2):
        speaker = Peer("sendrecv", [Encoder().encode(tone(HERTZ, 0))])
        await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ana"))
        await until(lambda talking=speaker: len(talking.spoken) > 100)
        await asyncio.to_thread(server.kill_and_start_again)
        speaker.close()
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0, server.said()
    heard = [packet.start_ms for packet in opened(tmp_path, space_id).tracks["ana"].packets(0, 600_000)]
    assert len(heard) >= 2 * 40
    assert max(later - sooner for sooner, later in itertools.pairwise(heard)) > 1_000, "two processes"


async def test_a_space_that_is_over_at_once_leaves_nothing_open(server: Process, tmp_path: Path) -> None:
    for _ in range(5):
        path = server.live("ana")
        server.call(server.token("ana"), "POST", f"{path}/end")
    await until(lambda: "spaces_recorded_spaces 0.0" in server.metrics())
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0, server.said()
    with sqlite3.connect(tmp_path / "spaces.db") as database:
        rows = database.execute("SELECT ended_at FROM recordings").fetchall()
    assert all(ended_at is not None for (ended_at,) in rows)
