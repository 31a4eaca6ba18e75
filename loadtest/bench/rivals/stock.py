"""aiortc as its documentation uses it, in a process of its own: one encoder for each listener."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp

from loadtest.bench.rivals.stage import Stage, engine, folder
from loadtest.lab import LabError, free_port, process

HOST = "127.0.0.1"
START_TIMEOUT = 15.0


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """The server of :mod:`loadtest.bench.rivals.stock_server`, with one speaker."""
    port = free_port()
    url = f"http://{HOST}:{port}/"
    command = [sys.executable, "-m", "loadtest.bench.rivals.stock_server", HOST, str(port)]
    with folder() as place, process(command, place / "log") as running:
        async with aiohttp.ClientSession() as http:
            deadline = asyncio.get_running_loop().time() + START_TIMEOUT
            while not await _answers(http, url):
                if running.poll() is not None or asyncio.get_running_loop().time() > deadline:
                    raise LabError(f"aiortc did not start. It said last:\n{(place / 'log').read_text()[-1500:]}")
                await asyncio.sleep(0.1)
        async with engine(HOST) as members:
            await members.join("speaker", url + "whip", continuous=True)
            yield Stage(members, url + "whep", running.pid)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url):
            return True
    except aiohttp.ClientError:
        return False
