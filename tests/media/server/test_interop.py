"""A publisher that is not ours speaks in a Space and a stock client hears it, over real HTTP and real UDP."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aioice.ice
import httpx
import pytest
import uvicorn
from aiortc import RTCSessionDescription
from fastapi import FastAPI

from media.relay.relay import Relay
from media.server.app import create_app
from media.server.config import Config
from tests.clients.table import CLIENTS, Task
from tests.media.relay.people import Person
from tests.media.relay.sound import RATE, loudest, strength

TONE = 523.0
SDP = {"Content-Type": "application/sdp"}


class Server:
    """The whole product in this process: control plane on TCP, relay on UDP."""

    def __init__(self, app: FastAPI, relay: Relay, port: int) -> None:
        self.app, self.relay = app, relay
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=self.url)

    def token(self, name: str) -> str:
        """A bearer token."""
        return self.app.state.tokens.issue(name, now=time.time())

    async def call(self, name: str, method: str, path: str, **more: object) -> httpx.Response:
        """A request that succeeds."""
        headers = {"Authorization": f"Bearer {self.token(name)}", **more.pop("headers", {})}  # type: ignore[dict-item]
        response = await self.http.request(method, path, headers=headers, **more)  # type: ignore[arg-type]
        assert response.is_success, response.text
        return response

    async def live(self, host: str) -> str:
        """Path of a Space that has begun."""
        path = f"/spaces/{(await self.call(host, 'POST', '/spaces', json={})).json()['id']}"
        await self.call(host, "POST", f"{path}/start")
        return path

    async def listen(self, name: str, path: str) -> Person:
        """Someone with aiortc, connected over WHEP."""
        person = Person()
        connection = person.connection
        connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        answer = await self.call(name, "POST", f"{path}/whep", content=offer, headers=SDP)
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        return person


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    # aioice leaves loopback out, where the relay is.
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    relay = Relay()
    await relay.start()
    app = create_app(Config(tmp_path), relay)
    web = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    serving = asyncio.create_task(web.serve())
    while not web.started:
        await asyncio.sleep(0.01)
    made = Server(app, relay, web.servers[0].sockets[0].getsockname()[1])
    yield made
    await made.http.aclose()
    web.should_exit = True
    await serving
    await relay.stop()


async def test_ffmpeg_speaks_over_whip_and_is_heard_over_whep(server: Server):
    space = await server.live("ana")
    listener = await server.listen("lea", space)
    endpoint = f"{server.url}{space}/whip?muted=false"
    task = Task("speaks", endpoint, server.token("ana"), ("audio",), "balanced", TONE, seconds=3.0, sound="")
    publisher = await asyncio.create_subprocess_exec(*CLIENTS["ffmpeg"].argv(task), stderr=asyncio.subprocess.PIPE)
    assert publisher.stderr
    errors = await publisher.stderr.read()
    assert await publisher.wait() == 0, errors.decode()
    pcm = listener.heard()
    await listener.leave()
    assert pcm.size >= RATE
    assert strength(pcm, TONE) > 0.1
    assert abs(loudest(pcm) - TONE) < 3
    async with asyncio.timeout(30):
        while server.relay.stats().sessions:  # FFmpeg deletes its session, and the listener said goodbye
            await asyncio.sleep(0.02)
    assert server.relay.stats().faults == 0
