"""A control plane behind a real socket, and readers of its streams: what does not stream cannot be tried."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.media.server.served import served
from tests.media.server.service import Service, running

PATIENCE = 30.0
"""Seconds for what comes within milliseconds."""


def events_of(received: bytes) -> list[tuple[int | None, str, Any]]:
    """Take apart what was received: number, name and data of each whole event."""
    found = []
    for block in received.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            found.append((number, fields["event"], json.loads(fields["data"])))
    return found


class Stream:
    """The lines of one stream, parsed after WHATWG HTML as far as ours go."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id: str | None = None
        self.retry: int | None = None
        self.lines = response.aiter_lines()

    async def next(self, *names: str) -> tuple[str, Any]:
        """Return the next event, or the next of these names."""
        while True:
            async with asyncio.timeout(PATIENCE):
                event = await self._read()
            if not names or event[0] in names:
                return event

    async def rest(self) -> list[str]:
        """Return the names of all events until the end."""
        names = []
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    names.append((await self._read())[0])
        except StopAsyncIteration:
            return names

    async def _read(self) -> tuple[str, Any]:
        name, data = "message", ""
        while line := await anext(self.lines):
            field, _, value = line.partition(": ")
            match field:
                case "id":
                    self.last_id = value
                case "event":
                    name = value
                case "data":
                    data = value
                case "retry":
                    self.retry = int(value)
                case _:
                    assert line.startswith(":"), line
        return (name, json.loads(data)) if data else await self._read()


class Streaming(Service):
    """A service whose requests go over TCP."""

    @asynccontextmanager
    async def stream(
        self, name: str | None, path: str, after: str | None = None, **headers: str
    ) -> AsyncIterator[Stream]:
        if name is not None:
            headers.setdefault("Authorization", f"Bearer {self.token(name)}")
        if after is not None:
            headers["Last-Event-ID"] = after
        async with self.http.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            yield Stream(response)


@asynccontextmanager
async def streaming(data: Path, **options: Any) -> AsyncIterator[Streaming]:
    async with running(data, **options) as inner, served(inner) as base:
        service = Streaming(inner.app, inner.plane, inner.clock)
        service.http = httpx.AsyncClient(base_url=base, limits=httpx.Limits(), timeout=PATIENCE)
        async with service.http:
            yield service
