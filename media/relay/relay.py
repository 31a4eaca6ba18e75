"""A relay in this process: the data plane's interface over a media thread."""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from mmap import mmap
from typing import Any

from media.relay.asking import Asking
from media.relay.commands import Commands
from media.relay.core import RelayCore
from media.relay.loop import MediaLoop
from media.relay.plane import PlaneEvent, RelayLostError
from media.relay.port import bind, candidates_of
from media.relay.stats import RelayStats
from media.relay.tap import Tap
from media.rtc.stun import Address

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that waits for the GIL gets it; Python's default of 5 ms would make ticks late."""


class _Queue:
    """Commands from another thread (see :class:`media.relay.loop.Desk`)."""

    unsent = ended = False

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._wake

    def put(self, command: Callable[[], None]) -> None:
        self._waiting.append(command)
        os.eventfd_write(self._wake, 1)

    def serve(self) -> bool:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        if self._waiting:
            self._waiting.popleft()()
        return bool(self._waiting)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        os.close(self._wake)


class Relay(Asking):
    """Implements :class:`media.relay.plane.RelayPlane`, from one event loop, between ``start`` and ``stop``."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        public_ips: tuple[str, ...] = (),
        ring: mmap | None = None,
    ) -> None:
        """``ring``: memory that a recorder reads."""
        super().__init__()
        self._tap = Tap(ring)
        self._host, self._port = host, port
        self._public_ips = public_ips

    @property
    def address(self) -> Address:
        """Where the port is bound."""
        return self._socket.getsockname()

    async def start(self) -> None:
        """Bind the port, compile the kernels, start the thread; :raises OSError: the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._socket = bind(self._host, self._port)
        candidates = candidates_of(self._socket, self._public_ips)
        self._core = RelayCore(candidates, self._socket.sendto, self._notify, self._tap)
        self._commands, self._queue = Commands(self._core), _Queue()
        self._media = MediaLoop(self._socket, self._core, self._queue)
        await asyncio.to_thread(self._media.warm)
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread = threading.Thread(target=self._media.run, name="media", daemon=True)
        self._thread.start()
        self.ready = True

    async def stop(self) -> None:
        """End all sessions, with a goodbye to each, and free the port."""
        self.ready = False
        self._queue.put(self._media.stop)
        await asyncio.to_thread(self._thread.join)
        self._queue.close()
        self._socket.close()
        await asyncio.sleep(0)  # let the events of the ended sessions reach their listeners

    def stats(self) -> RelayStats:
        """A copy of the counters."""
        return self._commands.read_stats()

    async def read_stats(self) -> RelayStats:
        """See :meth:`stats`."""
        return self.stats()

    async def _ask(self, command: str, *arguments: Any) -> Any:
        """Run a command on the media thread and bring its result or error back."""
        if not self.ready:
            raise RelayLostError("The relay is not running.")
        future: asyncio.Future[Any] = self._loop.create_future()

        def run() -> None:
            try:
                result = self._commands.run(command, *arguments)
            except Exception as error:
                self._loop.call_soon_threadsafe(_fail, future, error)
            else:
                self._loop.call_soon_threadsafe(_succeed, future, result)

        self._queue.put(run)
        return await future

    def _notify(self, event: PlaneEvent) -> None:
        self._loop.call_soon_threadsafe(self._deliver, event)


def _succeed(future: "asyncio.Future[Any]", result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
