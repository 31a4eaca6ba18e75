"""Probes beside a crowd: what they hear becomes rows, and what they receive is the engine's."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError
from loadtest.lab import Server
from loadtest.venue import Host
from sim.schema import SCHEMA


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine()
    await made.start()
    yield made
    await made.stop()


def number_heard(rows: list[dict[str, float]], probe: int) -> int:
    """How many chirps a probe heard; on a busy machine it may miss some of the first."""
    return sum(row["probe"] == probe and row["mouth_to_ear_ms"] is not None for row in rows)


async def test_all_probes_hear_one_mouth_among_others_who_speak(engine: Engine, host: Host) -> None:
    venue = host.open("Probes", 1, probe=True)
    await engine.join("speaker", venue.whip, venue.speaker_tokens[0], seed=1, continuous=True)
    headers = {"Authorization": f"Bearer {venue.probe_token}"}
    host._client.post(venue.requests(), headers=headers).raise_for_status()
    assert engine.heard() == []
    await engine.listen_in(venue.whip, venue.probe_token, venue.whep, 2)
    with pytest.raises(JoinError, match="there are some already"):
        await engine.listen_in(venue.whip, venue.probe_token, venue.whep, 1)
    engine.snapshot()
    rows: list[dict[str, float]] = []
    async with asyncio.timeout(20):
        while min([number_heard(rows, number) for number in (1, 2)]) < 4:
            await asyncio.sleep(0.1)
            rows += engine.heard()
    assert all(row.keys() == SCHEMA["probes"].keys() - {"worker"} for row in rows)
    heard = [row["mouth_to_ear_ms"] for row in rows if row["mouth_to_ear_ms"] is not None]
    assert len(heard) > len(rows) / 2 and 33 < min(heard) < 500, "a packet and two encoders' look-ahead at least"
    said = [row["t"] for row in rows if row["probe"] == 1]
    assert [after - before for before, after in pairwise(said)] == pytest.approx([0.25] * (len(said) - 1))
    row = engine.snapshot()
    assert (row["listeners"], row["speakers"]) == (2, 2)
    assert row["packets"] > 1.5 * sum(each["packets"] for each in rows) / 2, "those of probes and of the speaker"


async def test_probes_whose_session_ends_say_so_once_they_have_said_all(engine: Engine, host: Host) -> None:
    venue = host.open("Probes", 0, probe=True)
    headers = {"Authorization": f"Bearer {venue.probe_token}"}
    host._client.post(venue.requests(), headers=headers).raise_for_status()
    await engine.listen_in(venue.whip, venue.probe_token, venue.whep, 1)
    host.close()
    async with asyncio.timeout(10):
        with pytest.raises(JoinError, match="a probe's session has ended"):
            while True:
                engine.heard()
                await asyncio.sleep(0.05)


async def test_probes_that_may_not_speak_or_cannot_join_say_why_and_are_not_counted(
    engine: Engine, server: Server, host: Host
) -> None:
    venue = host.open("Probes", 1, probe=True)
    with pytest.raises(JoinError, match=r"HTTP 403: .*no right to speak"):
        await engine.listen_in(venue.whip, venue.probe_token, venue.whep, 1)
    with pytest.raises(JoinError, match="HTTP 401"):
        await engine.listen_in(venue.whip, venue.speaker_tokens[0], f"{server.base}/spaces/none/whep", 1)
    assert (engine.heard(), engine.snapshot()["listeners"]) == ([], 0)
