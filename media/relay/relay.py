"""A relay in this process: the data plane's interface over a media thread."""

import asyncio
import gc
import socket
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from media.relay.core import RelayCore
from media.relay.plane import OfferError, PlaneError, PlaneEvent
from media.relay.stats import RelayStats
from media.relay.thread import MediaThread
from media.rtc.sdp import SdpError, parse_sdp
from media.rtc.stun import Address

Result = TypeVar("Result")

SOCKET_BUFFER = 8 << 20
"""Bytes asked for in each direction: 0.1 s of 4,000 listeners. The system may grant less."""
SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that waits for the GIL gets it; Python's default of 5 ms would make ticks late."""

_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
"""From Linux's asm-generic/socket.h; Python does not name them."""


class Relay:
    """Implements :class:`media.relay.plane.DataPlane`. Use from one event loop, between ``start`` and ``stop``."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, public_ips: tuple[str, ...] = ()) -> None:
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
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((self._host, self._port))
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        _enlarge_buffers(self._socket)
        port = self.address[1]
        candidates = tuple((ip, port) for ip in self._public_ips or local_ips(self._host))
        self._core = RelayCore(candidates, self._send, self._notify)
        self._thread = MediaThread(self._socket, self._core)
        await asyncio.to_thread(self._thread.warm)
        sys.setswitchinterval(SWITCH_INTERVAL)
        gc.collect()
        gc.freeze()  # what lives now lives for ever: a full collection need not walk it again, ticks would wait
        self._thread.start()
        self.ready = True

    async def stop(self) -> None:
        """End all sessions, with a goodbye to each, and free the port."""
        self.ready = False
        await asyncio.to_thread(self._thread.stop)
        self._socket.close()
        gc.unfreeze()
        await asyncio.sleep(0)  # let the events of the ended sessions reach their listeners

    def stats(self) -> RelayStats:
        """A copy of the counters."""
        return self._core.stats.copy()

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

    async def _call(self, command: Callable[[], Result]) -> Result:
        """Run ``command`` on the media thread and bring its result or error back."""
        if not self.ready:
            raise PlaneError("The relay is not running.")
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


def _enlarge_buffers(sock: socket.socket) -> None:
    """Ask for :data:`SOCKET_BUFFER`, beyond the system's limit where the process may."""
    for option, forced in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)


def local_ips(host: str) -> tuple[str, ...]:
    """The IPv4 addresses under which a port bound to ``host`` can be reached from this machine's network."""
    if host != "0.0.0.0":  # noqa: S104 (a comparison)
        return (socket.gethostbyname(host),)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737): picks the route, sends nothing
            return (probe.getsockname()[0], "127.0.0.1")
        except OSError:
            return ("127.0.0.1",)
