"""The relay processes of this machine: started, watched, started again, ended; together one data plane."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Sequence

from media.kernels import complete
from media.recording.ring import PAGE, SIZE
from media.relay.placement import LISTENERS_PER_RELAY
from media.relay.plane import PlaneError, RelayLostError
from media.relay.pool import RelayPool
from media.relay.port import bind
from media.relay.remote import RemoteRelay
from media.relay.restarts import STEADY, restart_delay
from media.relay.stats import RelayStats, total

logger = logging.getLogger(__name__)

STATS_TIMEOUT = 0.5
"""Seconds that :meth:`RelayFleet.refresh` waits for a relay's counters; after that those from before stand."""


def new_ring() -> int:
    """Descriptor of new memory for a ring."""
    descriptor = os.memfd_create("spaces-ring", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, PAGE + SIZE)
    return descriptor


class Slot:
    """One UDP port and the processes that hold it one after the other."""

    def __init__(self, index: int, port: socket.socket, recorded: bool) -> None:
        self.index = index
        self.port = port
        self.ring = new_ring() if recorded else None
        """Descriptor of the memory that a recorder reads."""
        self.relay: RemoteRelay | None = None
        """The process that lives."""
        self.restarts = 0
        self.stats = RelayStats().past()
        """As it was when last read; all processes of the slot together."""
        self.past = RelayStats().past()
        """What those that have ended had counted."""


class RelayFleet(RelayPool):
    """Implements :class:`media.relay.plane.DataPlane` over as many relay processes as there are ports."""

    def __init__(
        self,
        host: str,
        port: int,
        count: int = 1,
        public_ips: Sequence[str] = (),
        listeners_per_relay: int = LISTENERS_PER_RELAY,
        recorded: bool = False,
    ) -> None:
        """Processes take ``port``, ``port`` + 1, … (0: any free ones), and rings if ``recorded``."""
        super().__init__(listeners_per_relay)
        self._ports = [(host, port + index if port else 0) for index in range(count)]
        self._public_ips, self._recorded = tuple(public_ips), recorded
        self._keepers: list[asyncio.Task[None]] = []
        self.slots: list[Slot] = []
        self._started = False

    @property
    def ready(self) -> bool:
        """All relays have been ready, and at least one is."""
        return self._started and bool(self.relays)

    def bind(self) -> None:
        """Take the ports; :raises PortTakenError: one cannot be had."""
        try:
            for index, (host, port) in enumerate(self._ports):
                self.slots.append(Slot(index, bind(host, port), self._recorded))
        except OSError:
            self._free()
            raise

    async def start(self) -> None:
        """Start every relay and wait until all are ready; :raises RelayLostError: one ended instead."""
        if not self.slots:
            self.bind()
        try:
            ended: list[asyncio.Event] = []
            if not complete():
                ended.append(await self._launch(self.slots[0]))  # alone: it compiles for all
            ended += await self._launch_all(self.slots[len(ended) :])
        except BaseException:
            await self.stop()
            raise
        self._started = True
        self._keepers = [
            asyncio.create_task(self._keep(slot, end)) for slot, end in zip(self.slots, ended, strict=True)
        ]

    async def stop(self) -> None:
        """End all sessions, with a goodbye to each, and every process."""
        self.ending, self._started = True, False
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(slot.relay.stop() for slot in self.slots if slot.relay))
        await self.settle()
        self._free()

    @property
    def rings(self) -> list[int]:
        """Descriptors of the memory that a recorder reads, one for each relay."""
        return [slot.ring for slot in self.slots if slot.ring is not None]

    async def refresh(self) -> None:
        """Read the counters of every relay that lives and answers soon."""

        async def read(slot: Slot) -> None:
            if slot.relay:
                with contextlib.suppress(PlaneError, TimeoutError):  # its last figures stand
                    async with asyncio.timeout(STATS_TIMEOUT):
                        slot.stats = total([slot.past, await slot.relay.read_stats()])

        await asyncio.gather(*map(read, self.slots))

    def stats(self) -> RelayStats:
        """All relays together, as :meth:`refresh` last read them."""
        return total([slot.stats for slot in self.slots])

    async def _launch_all(self, slots: Sequence[Slot]) -> list[asyncio.Event]:
        """Launch several at once; if one cannot be, none goes on being launched."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._launch(slot)) for slot in slots]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _launch(self, slot: Slot) -> asyncio.Event:
        """Start a slot's process and let the pool use it; the event is set when it has ended."""
        ended = asyncio.Event()

        def lost() -> None:
            slot.relay = None
            slot.past = slot.stats = slot.stats.past()
            self.lose(slot.index)
            ended.set()

        relay = RemoteRelay(slot.port, self._public_ips, f"relay {slot.index}", lost, slot.ring)
        await relay.start()
        slot.relay = relay
        self.add(slot.index, relay)
        return ended

    async def _keep(self, slot: Slot, ended: asyncio.Event) -> None:
        """Start a slot's relay again whenever it has ended; later and later if it does not last."""
        failures = 0
        while True:
            begun = time.monotonic()
            await ended.wait()
            logger.error("relay %d is lost; its sessions are over, and it is started again", slot.index)
            if time.monotonic() - begun > STEADY:
                failures = 0
            while ended.is_set():
                await asyncio.sleep(restart_delay(failures))
                failures += 1
                with contextlib.suppress(RelayLostError, TimeoutError, OSError):
                    ended = await self._launch(slot)
            slot.restarts += 1
            logger.info("relay %d is back", slot.index)

    def _free(self) -> None:
        for slot in self.slots:
            slot.port.close()
            if slot.ring is not None:
                os.close(slot.ring)
        self.slots.clear()
