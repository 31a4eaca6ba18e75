"""A relay in this process: the data plane's interface over a media thread."""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from media.relay.commands import Commands
from media.relay.core import RelayCore
from media.relay.loop import MediaLoop
from media.relay.plane import Link, PlaneEvent, RelayLostError
from media.relay.port import bind, candidates_of
from media.relay.stats import RelayStats
from media.rtc.stun import Address

Result = TypeVar("Result")

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
        if not self._waiting:
            return False
        self._waiting.popleft()()
        return True

    def close(self) -> None:
        os.close(self._wake)


class Relay:
    """Implements :class:`media.relay.plane.RelayPlane`, from one event loop, between ``start`` and ``stop``."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        public_ips: tuple[str, ...] = (),
    ) -> None:
        self._host, self._port = host, port
        self._public_ips = public_ips
        self._listeners: list[Callable[[PlaneEvent], None]] = []
        self.ready = False
        """Sockets are open, kernels compiled."""

    @property
    def address(self) -> Address:
        """Where the port is bound."""
        return self._socket.getsockname()

    async def start(self) -> None:
        """Bind the port, compile the kernels, start the thread; :raises OSError: the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._socket = bind(self._host, self._port)
        self._core = RelayCore(candidates_of(self._socket, self._public_ips), self._socket.sendto, self._notify)
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

    def subscribe(self, listener: Callable[[PlaneEvent], None]) -> None:
        """See :class:`media.relay.plane.DataPlane`; so for the methods below."""
        self._listeners.append(listener)

    async def open_room(self, room: str) -> None:
        """Make a room."""
        await self._call(lambda: self._core.open_room(room))

    async def close_room(self, room: str) -> None:
        """End every session of the room and forget it."""
        await self._call(lambda: self._core.close_room(room))

    async def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        """Answer an SDP offer."""
        return await self._call(lambda: self._commands.add_session(room, participant, session, offer))

    async def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an ICE restart."""
        return await self._call(lambda: self._commands.restart_ice(session, fragment))

    async def drop_session(self, session: str) -> None:
        """End one session."""
        await self._call(lambda: self._core.drop_session(session))

    async def drop_participant(self, room: str, participant: str) -> None:
        """End all sessions of a participant."""
        await self._call(lambda: self._core.drop_participant(room, participant))

    async def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard."""
        await self._call(lambda: self._core.let_talk(room, participant, allowed))

    async def mute(self, room: str, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        await self._call(lambda: self._core.mute(room, participant, muted))

    async def feed(self, link: Link) -> None:
        """Send a room's mix along a link."""
        await self._call(lambda: self._core.feed(link))

    async def follow(self, link: Link) -> None:
        """Take a room's mix from a link."""
        await self._call(lambda: self._core.follow(link))

    async def cut(self, link: Link) -> None:
        """Use a link no more."""
        await self._call(lambda: self._core.cut(link))

    async def read_stats(self) -> RelayStats:
        """See :meth:`stats`."""
        return self.stats()

    async def _call(self, command: Callable[[], Result]) -> Result:
        """Run ``command`` on the media thread and bring its result or error back."""
        if not self.ready:
            raise RelayLostError("The relay is not running.")
        future: asyncio.Future[Result] = self._loop.create_future()

        def run() -> None:
            try:
                result = command()
            except Exception as error:
                self._loop.call_soon_threadsafe(_fail, future, error)
            else:
                self._loop.call_soon_threadsafe(_succeed, future, result)

        self._queue.put(run)
        return await future

    def _notify(self, event: PlaneEvent) -> None:
        self._loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: PlaneEvent) -> None:
        for listener in self._listeners:
            listener(event)


def _succeed(future: "asyncio.Future[Result]", result: Result) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Result]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
