"""Our relay, as ``python -m media`` runs it: two speakers mixed, one encode for all who listen."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loadtest.bench.rivals.island import HOST
from loadtest.bench.rivals.stage import Stage
from loadtest.bench.stand import stand

SPEAKERS = 2


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """The relay with a Space in which two people talk."""
    async with stand("peers", SPEAKERS, HOST) as built:
        yield Stage(built.engine, built.venue.whep, built.server.pid)
