"""A relay in this process: the data plane's interface over a media thread."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from media.relay.core import RelayCore
from media.relay.garbage import Sweeper
from media.relay.plane import Link, OfferError, PlaneEvent, RelayLostError
from media.relay.port import bind, local_ips
from media.relay.stats import RelayStats
from media.relay.thread import MediaThread
from media.rtc.sdp import SdpError, parse_sdp
from media.rtc.sdpfrag import parse_fragment
from media.rtc.stun import Address

Result = TypeVar("Result")

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that waits for the GIL gets it; Python's default of 5 ms would make ticks late."""


class Relay:
    """Implements :class:`media.relay.plane.RelayPlane`, from one event loop, between ``start`` and ``stop``."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        public_ips: tuple[str, ...] = (),
        *,
        sock: socket.socket | None = None,
        sweeper: Sweeper | None = None,
    ) -> None:
        """Take a bound UDP socket instead of host and port, and a sweeper where the process is the relay's own."""
        self._host, self._port = host, port
        self._given = sock
        self._sweeper = sweeper
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
        self._socket = self._given or bind(self._host, self._port)
        host, port = self.address
        candidates = tuple((ip, port) for ip in self._public_ips or local_ips(host))
        self._core = RelayCore(candidates, self._send, self._notify)
        after = (self._sweeper.after_tick,) if self._sweeper else ()
        self._thread = MediaThread(self._socket, self._core, *after)
        await asyncio.to_thread(self._thread.warm)
        sys.setswitchinterval(SWITCH_INTERVAL)
        if self._sweeper:
            self._sweeper.start()
        self._thread.start()
        self.ready = True

    async def stop(self) -> None:
        """End all sessions, with a goodbye to each, and free the port."""
        self.ready = False
        await asyncio.to_thread(self._thread.stop)
        self._socket.close()
        await asyncio.sleep(0)  # let the events of the ended sessions reach their listeners

    def stats(self) -> RelayStats:
        """A copy of the counters."""
        copy = self._core.stats.copy()
        copy.reception = self._core.reception()
        return copy

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
        try:
            description = parse_sdp(offer)
            _ = description.audio
        except SdpError as error:
            raise OfferError(str(error)) from error
        return await self._call(
            lambda: self._core.add_session(room, participant, session, description, time.monotonic())
        )

    async def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an ICE restart."""
        try:
            parsed = parse_fragment(fragment)
        except SdpError as error:
            raise OfferError(str(error)) from error
        return await self._call(lambda: self._core.restart_ice(session, parsed, time.monotonic()))

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

        self._thread.call(run)
        return await future

    def _notify(self, event: PlaneEvent) -> None:
        self._loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: PlaneEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def _send(self, datagram: bytes, address: Address) -> None:
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self._core.stats.send_failures += 1


def _succeed(future: "asyncio.Future[Result]", result: Result) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Result]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
