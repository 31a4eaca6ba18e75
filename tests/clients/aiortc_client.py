"""aiortc as WHIP and WHEP client: it speaks a tone, or keeps the samples it hears.

A program for one task, its argument as JSON (see table.py); and, as a class, the other side of every trial.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)

from tests.clients.table import Task
from tests.clients.tone import Pcm, mono, to_bytes
from tests.media.relay.people import Microphone, steady

PATIENCE = 10.0
"""Seconds until connected."""


class Client:
    """One connection."""

    def __init__(self, task: Task) -> None:
        policy = RTCBundlePolicy(task.bundle)
        self.task = task
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=policy))
        self.connection.on("track", self._on_track)
        self._location = ""
        self._heard: list[Pcm] = []
        self._listening: list[asyncio.Task[None]] = []

    async def connect(self, http: httpx.AsyncClient) -> None:
        """Offer, be answered, and wait for the connection."""
        speaks = self.task.role == "speaks"
        for section in self.task.sections:
            if section == "data":
                self.connection.createDataChannel("test")
            elif speaks:
                track = Microphone(steady(self.task.hertz)) if section == "audio" else VideoStreamTrack()
                self.connection.addTransceiver(track, direction="sendonly")
            else:
                self.connection.addTransceiver(section, direction="recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = self.connection.localDescription.sdp
        headers = self._authorization | {"Content-Type": "application/sdp"}
        response = await http.post(self.task.endpoint, content=sdp, headers=headers)
        if response.status_code != 201:
            raise ConnectionError(f"{response.status_code}: {response.text}")
        self._location = urljoin(self.task.endpoint, response.headers["Location"])
        await self.connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        async with asyncio.timeout(PATIENCE):
            while self.connection.connectionState != "connected":
                await asyncio.sleep(0.01)

    async def close(self, http: httpx.AsyncClient) -> Pcm:
        """End the session; returns all that was heard."""
        if self._location:
            await http.delete(self._location, headers=self._authorization)
        await self.connection.close()
        for listening in self._listening:
            listening.cancel()
        return mono(self._heard)

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.task.token}"}

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._listening.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame: Any = await track.recv()
            self._heard.append(frame.to_ndarray().reshape(-1, len(frame.layout.channels)).mean(axis=1) / 32_768)


async def _main(task: Task) -> None:
    client = Client(task)
    async with httpx.AsyncClient() as http:
        await client.connect(http)
        await asyncio.sleep(task.seconds)
        heard = await client.close(http)
    if task.role == "listens":
        await asyncio.to_thread(Path(task.sound).write_bytes, to_bytes(heard))


if __name__ == "__main__":
    asyncio.run(_main(Task(**json.loads(sys.argv[1]))))
