"""The engine against a real server: people join, hear, leave, and say precisely why they could not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from aiohttp import web

from loadtest.engine import engine as engine_module
from loadtest.engine import member as member_module
from loadtest.engine.engine import Engine, JoinError, quantile_ms
from loadtest.lab import Server, free_port
from loadtest.venue import Host, Venue
from sim.schema import SCHEMA

GRACE = 20.0
OPEN = Path("/proc/self/fd")


class Crowd(Engine):
    """An engine that remembers whom the relay threw out."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str]] = []
        super().__init__(lambda number, reason: self.ends.append((number, reason)))


@pytest.fixture
async def engine() -> AsyncIterator[Crowd]:
    made = Crowd()
    await made.start()
    yield made
    await made.stop()


async def metric(server: Server, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{server.base}/metrics")).text
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))


async def until(reached: object, seconds: float = GRACE) -> None:
    """Wait for a condition (a function, or a coroutine function) to hold."""
    async with asyncio.timeout(seconds):
        while True:
            answer = reached()  # type: ignore[operator]
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.02)


def sockets() -> int:
    """UDP sockets open in this process."""
    ours = {f"socket:[{line.split()[9]}]" for line in Path("/proc/self/net/udp").read_text().splitlines()[1:]}
    names: list[str] = []
    for entry in OPEN.iterdir():
        with contextlib.suppress(OSError):  # the listing's own
            names.append(str(entry.readlink()))
    return sum(name in ours for name in names)


def descriptors() -> int:
    """Everything open in this process."""
    return len([*OPEN.iterdir()])


async def test_a_speaker_is_heard_and_everyone_leaves_without_a_trace(
    server: Server, venue: Venue, engine: Crowd
) -> None:
    speaker, spoken = await engine.join("speaker", venue.whip, venue.speaker_tokens[0], continuous=True)
    listener, timings = await engine.join("listener", venue.whep)
    assert 0 < timings.signalling_ms < timings.first_packet_ms
    assert timings.connect_ms > 0
    assert spoken.first_packet_ms > 0
    await until(lambda: engine.totals()["received"] > 100)

    row = engine.snapshot()
    assert (row["listeners"], row["speakers"], row["lost"]) == (1, 1, 0)
    assert row["packets"] > 100
    assert 0 < row["mouth_to_ear_p50_ms"] <= row["mouth_to_ear_p95_ms"] <= row["mouth_to_ear_p99_ms"]
    await engine.leave(speaker)
    await engine.leave(listener)
    await engine.leave(listener)
    await engine.leave(4711)
    assert (sockets(), engine.totals()["members"], engine.totals()["rejected"]) == (0, 0, 0)
    assert engine.ends == []

    async def empty() -> bool:
        return await metric(server, "spaces_relay_sessions") == 0

    await until(empty)


async def test_a_snapshot_is_a_row_of_the_clients_table(engine: Crowd, venue: Venue) -> None:
    empty = engine.snapshot()
    assert [*empty] == [name for name in SCHEMA["clients"] if name not in ("t", "worker")]
    assert (empty["packets"], empty["lost"], empty["jitter_p99_ms"], empty["mouth_to_ear_p50_ms"]) == (
        0,
        0,
        None,
        None,
    )
    await engine.join("listener", venue.whep)
    await until(lambda: engine.snapshot()["packets"] > 0)


async def test_reports_of_what_was_received_reach_the_relay(
    server: Server, venue: Venue, engine: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "REPORT_INTERVAL", 0.1)
    other = Engine()
    await other.start()
    try:
        await other.join("listener", venue.whep)
        before = await metric(server, "spaces_relay_datagrams_received_total")

        async def reported() -> bool:
            checks = 5  # at most, in the time this waits
            return await metric(server, "spaces_relay_datagrams_received_total") >= before + checks + 15

        await until(reported)

        async def round_trip_known() -> bool:
            return await metric(server, "spaces_relay_listener_round_trip_seconds_count") == 1

        await until(round_trip_known)  # from the first sender report on, which comes within 5 s
        assert 0 <= await metric(server, "spaces_relay_listener_round_trip_seconds_sum") < 1.0
        assert await metric(server, "spaces_relay_listener_loss_ratio_sum") == 0.0
        assert await metric(server, "spaces_relay_reports_read_total") >= 15
        assert await metric(server, "spaces_relay_sessions") == 1
        assert other.totals()["rejected"] == 0
    finally:
        await other.stop()


async def test_the_relay_ending_the_space_is_told_once_for_each(host: Host, venue: Venue, engine: Crowd) -> None:
    numbers = {(await engine.join("listener", venue.whep))[0] for _ in range(3)}
    numbers.add((await engine.join("speaker", venue.whip, venue.speaker_tokens[0]))[0])
    await asyncio.to_thread(host.close)
    await until(lambda: len(engine.ends) >= 4)
    await until(lambda: sockets() == 0)
    assert sorted(number for number, _ in engine.ends) == sorted(numbers)
    assert all(reason for _, reason in engine.ends)
    assert engine.totals()["members"] == 0
    with pytest.raises(JoinError, match="HTTP 409: "):
        await engine.join("listener", venue.whep, venue.speaker_tokens[1])


@pytest.mark.parametrize("failure", ["no server", "no space", "no token", "bad token", "no address"])
async def test_a_join_that_fails_says_where_and_why_and_leaves_nothing(
    server: Server, venue: Venue, engine: Crowd, failure: str
) -> None:
    url, token, why = {
        "no server": (f"http://127.0.0.1:{free_port()}/spaces/x/whep", None, "HTTP: Cannot connect"),
        "no space": (f"{server.base}/spaces/nowhere/whep", server.token, "HTTP 404: "),
        "no token": (venue.whip, None, "HTTP 401: "),
        "bad token": (venue.whep, "not.a.token", "HTTP 401: "),
        "no address": ("nonsense", None, "HTTP: "),
    }[failure]
    before = descriptors()
    for _ in range(3):
        with pytest.raises(JoinError, match=f"^{why}"):
            await engine.join("speaker" if failure == "no token" else "listener", url, token)
    assert sockets() == 0
    assert descriptors() <= before + 1, "a kept connection to the server at most"
    assert engine.totals()["members"] == 0


@pytest.fixture
async def strange() -> AsyncIterator[str]:
    """A server that answers an offer with what is no answer; returns its address."""

    async def no_location(_: web.Request) -> web.Response:
        return web.Response(status=201, text="v=0\r\n")

    async def no_sdp(_: web.Request) -> web.Response:
        return web.Response(status=201, text="hello", headers={"Location": "/session"})

    async def delete(_: web.Request) -> web.Response:
        deleted.append(1)
        return web.Response(status=204)

    deleted: list[int] = []
    app = web.Application()
    app.add_routes(
        [web.post("/no-location", no_location), web.post("/no-sdp", no_sdp), web.delete("/session", delete)]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()
    assert deleted in ([], [1])


@pytest.mark.parametrize(
    ("path", "why"), [("no-location", "HTTP: the answer has no Location"), ("no-sdp", "answer: ")]
)
async def test_an_answer_that_cannot_be_used_is_named(engine: Crowd, strange: str, path: str, why: str) -> None:
    with pytest.raises(JoinError, match=f"^{why}"):
        await engine.join("listener", f"{strange}/{path}")
    assert sockets() == 0


async def test_a_session_that_ends_before_it_is_heard_is_a_join_that_failed(
    host: Host, venue: Venue, engine: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_module.Member, "first_packet", lambda member, when: None)  # deaf
    joining = asyncio.create_task(engine.join("listener", venue.whep))
    await until(lambda: engine.totals()["members"] == 1)
    await asyncio.to_thread(host.close)
    with pytest.raises(JoinError, match=r"^sound: "):
        await joining
    assert (sockets(), engine.totals()["members"], engine.ends) == (0, 0, [])


async def test_silence_for_too_long_is_a_join_that_failed(
    venue: Venue, engine: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_module.Member, "first_packet", lambda member, when: None)
    monkeypatch.setattr(member_module, "FIRST_PACKET_TIMEOUT", 1.0)
    with pytest.raises(JoinError, match=r"^sound: no packet within 1 s of the request$"):
        await engine.join("listener", venue.whep)
    assert sockets() == 0


async def test_stopping_frees_everything_and_ends_every_session(server: Server, venue: Venue) -> None:
    before = descriptors()
    engine = Engine()
    await engine.start()
    await asyncio.gather(*(engine.join("listener", venue.whep) for _ in range(5)))
    given_up = asyncio.create_task(engine.join("listener", venue.whep))

    async def on_its_way() -> bool:
        return await metric(server, "spaces_relay_sessions") == 6

    await until(on_its_way)
    given_up.cancel()
    await engine.stop()
    await asyncio.gather(given_up, return_exceptions=True)
    await until(lambda: descriptors() <= before)

    async def empty() -> bool:
        return await metric(server, "spaces_relay_sessions") == 0

    await until(empty)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.5), (0.9, 0.75), (0.99, 100.25), (1.0, 100.25)])
def test_quantiles_of_a_histogram_are_the_upper_ends_of_its_bins(share: float, expected: float) -> None:
    histogram = np.zeros(8000, np.int64)
    histogram[[1, 2, 400]] = 50, 45, 5
    assert quantile_ms(histogram, share) == expected


def test_an_empty_histogram_has_no_quantile() -> None:
    assert quantile_ms(np.zeros(8000, np.int64), 0.99) is None
