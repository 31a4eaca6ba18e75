"""The test stand: a server in a process of its own, an engine in this one, and a Space where they meet."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import Progress

from loadtest.engine.engine import Engine
from loadtest.lab import Server, server
from loadtest.recorder import RelayProbe
from loadtest.venue import Host, Venue


@dataclass
class Stand:
    """Everything a benchmark needs."""

    server: Server
    venue: Venue
    engine: Engine
    probe: RelayProbe

    async def speak(self, number: int) -> None:
        """Let one more speaker take a seat and talk without a pause; number 0 is the host, who has one."""
        token = self.venue.speaker_tokens[number]
        if number:
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
                (await client.post(self.venue.requests())).raise_for_status()
        await self.engine.join("speaker", self.venue.whip, token, seed=number, continuous=True)


@asynccontextmanager
async def stand(title: str, speakers: int, address: str = "") -> AsyncIterator[Stand]:
    """Build it up, with the speakers talking, and take it down; ``address`` is the engine's ``host``."""
    with server() as where, Host(where.base, where.token) as host:
        venue = host.open(title, speakers)
        engine = Engine(host=address)
        await engine.start()
        try:
            built = Stand(where, venue, engine, RelayProbe(where.base))
            for number in range(speakers):
                await built.speak(number)
            yield built
        finally:
            await engine.stop()


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def bar() -> Progress:
    """A progress bar on standard error, so that standard output stays JSON."""
    return Progress(console=Console(stderr=True))
