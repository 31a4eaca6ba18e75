"""A recorder's end of the ring of captions: people who speak in tones."""

import asyncio
import time
from collections.abc import Callable, Sequence
from mmap import mmap
from typing import Any

from media.recording.ring import Heard, Ring, name_frame, packet_frame
from tests.media.captions.speaking import packets
from tests.media.server.service import Service

PATIENCE = 60.0


class Recorder:
    """Forwards whoever consents, as ``media.recorder`` does."""

    def __init__(self, service: Service) -> None:
        captions = service.app.state.captions
        self.ring = Ring(memoryview(mmap(captions.engine.memory, 0)))
        self.numbers: dict[tuple[str, str], int] = {}
        self._count = self._until_us = 0
        self._service = service
        self._kept: list[tuple[str, str, int, bytes]] = []
        captions.on_consent = self.on_consent

    def on_consent(self, space_id: str, user_id: str, on: bool) -> None:
        if not on:
            self.numbers.pop((space_id, user_id), None)
        elif (space_id, user_id) not in self.numbers:
            self._count += 1
            self.numbers[space_id, user_id] = self._count
            self.ring.write(name_frame(0, self._count, f"{space_id} {user_id}"))

    def speak(self, space_id: str, user_id: str, words: Sequence[str], silence: float = 1.0) -> None:
        """Say something now; of somebody who has not consented nothing is forwarded."""
        number = self.numbers.get((space_id, user_id))
        if number is None:
            return
        us = max(time.monotonic_ns() // 1000, self._until_us)
        for payload in packets(words, silence):
            self.ring.write(packet_frame(Heard(0, number, us, 960, 30, payload)))
            self._kept.append((space_id, user_id, us, payload))
            us += 20_000
        self._until_us = us

    async def packets(self, space_id: str, user_id: str, start_ms: int, end_ms: int) -> list[tuple[int, bytes]]:
        """What was recorded of somebody."""
        space = await self._service.app.state.spaces.get(space_id)
        origin_us = time.monotonic() * 1e6 - (self._service.clock() - space.started_at) * 1e6
        mine = [(us, payload) for *key, us, payload in self._kept if key == [space_id, user_id]]
        found = [(round((us - origin_us) / 1000), payload) for us, payload in mine]
        return [each for each in found if start_ms <= each[0] < end_ms]


async def until(fulfilled: Callable[[], Any]) -> Any:
    """Wait until something is so, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (value := fulfilled()):
            await asyncio.sleep(0.02)
    return value


async def ready(service: Service) -> Recorder:
    """Wait for the process of captions."""
    await until(lambda: service.app.state.captions.engine.alive)
    return Recorder(service)


async def lines(service: Service, path: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many lines are there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            data = (await service.ok("ana", "GET", f"/2{path}/captions"))["data"]
            if len(data) >= count:
                return data
            await asyncio.sleep(0.05)
