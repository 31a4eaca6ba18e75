"""A whole control plane on real HTTP semantics and a real database, over a plane that records."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from fastapi import FastAPI

from media.server.app import create_app
from media.server.captions.engine import CaptionEngine
from media.server.config import Config
from tests.media.server.recording import RecordingPlane

SDP = {"Content-Type": "application/sdp"}


class Clock:
    """The wall clock, with hands that a test can move."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stopped: float | None = None

    def __call__(self) -> float:
        return (time.time() if self._stopped is None else self._stopped) + self.ahead

    def stop(self) -> None:
        """Move only when a hand does."""
        self._stopped = time.time()


def located(response: httpx.Response) -> str:
    """The path that an answer's Location leads to."""
    return urlsplit(urljoin(str(response.url), response.headers["Location"])).path


class Service:
    """One running server, and clients that speak to it under any name."""

    def __init__(self, app: FastAPI, plane: RecordingPlane, clock: Clock) -> None:
        self.app, self.plane, self.clock = app, plane, clock
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://spaces")

    def token(self, name: str, **claims: Any) -> str:
        return self.app.state.tokens.issue(name, now=time.time(), **claims)

    async def call(self, name: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a request as somebody; ``root`` is an admin, None has no token."""
        headers = dict(more.pop("headers", {}))
        if name is not None:
            headers["Authorization"] = f"Bearer {self.token(name, admin=name == 'root')}"
        return await self.http.request(method, path, headers=headers, **more)

    async def ok(self, name: str | None, method: str, path: str, **more: Any) -> Any:
        response = await self.call(name, method, path, **more)
        assert response.is_success, response.text
        is_json = response.headers.get("content-type") == "application/json"
        return response.json() if is_json and response.content else response

    async def live(self, **body: Any) -> str:
        """Make a live Space of host ana; return its path."""
        space = await self.ok("ana", "POST", "/spaces", json=body)
        await self.ok("ana", "POST", f"/spaces/{space['id']}/start")
        self.plane.taken()
        return f"/spaces/{space['id']}"

    async def connect(self, name: str | None, path: str, kind: str = "whep") -> str:
        """Offer, and let media flow; return the path of the session."""
        response = await self.call(name, "POST", f"{path}/{kind}", content="v=0", headers=SDP)
        assert response.status_code == 201, response.text
        location = located(response)
        self.plane.connect(location.rpartition("/")[2])
        await self.settle()
        return location

    def lose(self, location: str) -> None:
        self.plane.lose(location.rpartition("/")[2])

    async def settle(self) -> None:
        """Let everything happen that is due."""
        for _ in range(20):
            await asyncio.sleep(0)
        while self.app.state.spaces._tasks:
            await asyncio.sleep(0.001)

    async def count(self, path: str) -> int:
        return (await self.ok("ana", "GET", path))["participant_count"]


@asynccontextmanager
async def running(
    data: Path,
    plane: RecordingPlane | None = None,
    machine: Callable[[], float] | None = None,
    **options: Any,
) -> AsyncGenerator[Service]:
    """Run a server in this process; ``machine`` is a clock in the place of the one that a test can move."""
    plane, clock = plane or RecordingPlane(), Clock()
    captioning = CaptionEngine(options["captions"], data / "models") if "captions" in options else None
    app = create_app(Config(data, **options), plane, clock=machine or clock, captioning=captioning)
    async with app.router.lifespan_context(app):
        service = Service(app, plane, clock)
        async with service.http:
            yield service
