"""The test stand: a server in a process of its own, an engine in this one, and a Space where they meet."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import Progress

from loadtest.engine.engine import Engine
from loadtest.engine.member import Timings
from loadtest.lab import Server, server
from loadtest.recorder import LATE, RelayProbe
from loadtest.venue import Host, Venue

SETTLE = 2.0
"""Seconds after the last join, and after each change of who sends, before anything is measured."""
LATE_AFTER = 0.01
"""Seconds; a tick later than this is late."""
PTIMES = (20, 40, 60)
"""Milliseconds of sound in a packet that a listener may ask for."""
SHORT = PTIMES[0]
"""What it gets if it does not ask."""
SPEAKER_SEATS = 10
"""Seats beside those of host and co-hosts, by the default policy: who is one too many becomes a co-host."""


@dataclass
class Stand:
    """Everything a benchmark needs."""

    server: Server
    venue: Venue
    engine: Engine
    probe: RelayProbe

    async def speak(self, number: int, continuous: bool = True) -> None:
        """Let one more speaker take a seat and talk; number 0 is the host, who has one."""
        await speak(self.engine, self.venue, number, number, continuous)


async def speak(engine: Engine, venue: Venue, number: int, seed: int, continuous: bool) -> None:
    """Let a Space's speaker take a seat and talk, without a pause or in talk-spurts after ITU-T P.59."""
    token = venue.speaker_tokens[number]
    if number:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            (await client.post(venue.requests())).raise_for_status()
    if 0 < number <= len(venue.speaker_tokens) - 1 - SPEAKER_SEATS:
        host = {"Authorization": f"Bearer {venue.speaker_tokens[0]}"}
        async with httpx.AsyncClient(headers=host) as client:
            person = f"{venue.base}/spaces/{venue.space}/participants/speaker{number + 1}"
            (await client.post(f"{person}/promote")).raise_for_status()
    await engine.join("speaker", venue.whip, token, seed=seed, continuous=continuous)


@asynccontextmanager
async def stand(
    title: str,
    speakers: int,
    address: str = "",
    *,
    continuous: bool = True,
    options: Sequence[str] = (),
    prefix: Sequence[str] = (),
) -> AsyncGenerator[Stand]:
    """Build it up, with the speakers talking, and take it down.

    ``address`` is the engine's ``host``, ``options`` and ``prefix`` are the server's.
    """
    with server(*options, prefix=prefix) as where, Host(where.base, where.token) as host:
        venue = host.open(title, speakers)
        engine = Engine(host=address)
        await engine.start()
        try:
            built = Stand(where, venue, engine, RelayProbe(where.base))
            for number in range(speakers):
                await built.speak(number, continuous)
            yield built
        finally:
            await engine.stop()


async def join_all(
    built: Stand, listeners: int, rate: float, progress: Progress, ptime: int = SHORT
) -> list[Timings]:
    """Let listeners join evenly spaced, asking for so many ms of sound in a packet; returns their timings."""
    whep = built.venue.whep if ptime == SHORT else f"{built.venue.whep}?ptime={ptime}"
    return await join_at(built.engine, [whep], listeners, rate, progress)


async def join_at(
    engine: Engine, places: Sequence[str], listeners: int, rate: float, progress: Progress, who: str = "joining"
) -> list[Timings]:
    """The same at any server that speaks WHEP, the next listener at the next of its addresses."""
    task = progress.add_task(who, total=listeners)

    async def join(number: int) -> Timings:
        await asyncio.sleep(number / rate)
        _, timings = await engine.join("listener", places[number % len(places)])
        progress.advance(task)
        return timings

    return await asyncio.gather(*(join(number) for number in range(listeners)))


def late_ticks(probe: RelayProbe) -> int:
    """How many ticks of the probe's last row were late."""
    return probe.longer(LATE, LATE_AFTER)


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def bar() -> Progress:
    """A progress bar on standard error, so that standard output stays JSON."""
    return Progress(console=Console(stderr=True))
