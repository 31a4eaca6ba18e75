"""One synthetic person: joins over HTTP, ICE and DTLS, then is all ears (and perhaps a voice)."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urljoin

import aiohttp

from loadtest.engine.ears import Ears
from loadtest.engine.seats import Seat, Seats
from media.rtc.client import Client
from media.rtc.description import SdpError
from media.rtc.dtls import Identity
from media.rtc.events import Closed, Connected, RtpReceived, SessionEvent
from media.rtc.stun import Address

Kind = Literal["listener", "speaker"]

FIRST_PACKET_TIMEOUT = 15.0
"""Seconds from the request to the first packet of sound; then the join has failed."""
ERROR_LENGTH = 300


class JoinError(RuntimeError):
    """A join that failed; the message says at which step and why."""


@dataclass
class Timings:
    """How long a join took, in milliseconds, each step after the one before."""

    signalling_ms: float = 0.0
    """HTTP request to answer."""
    connect_ms: float = 0.0
    """First connectivity check to the end of the DTLS handshake."""
    first_packet_ms: float = 0.0
    """From the request to the first authentic packet of sound."""


class Member:
    """One client with its seat, or with a socket of its own. Runs on the engine's event loop."""

    def __init__(
        self,
        kind: Kind,
        url: str,
        token: str | None,
        http: aiohttp.ClientSession,
        identity: Identity,
        ears: Ears,
        seats: Seats,
        ended: Callable[["Member", str], None],
        host: str = "",
    ) -> None:
        self.kind = kind
        self.timings = Timings()
        self._url, self._http = url, http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._ears, self._seats = ears, seats
        self._seat: Seat | None = None
        self._socket: socket.socket | None = None
        self._closing: list[socket.socket] = []
        self._host = host
        if host:
            self._stand()
        own = (self.address,) if host else ()
        self.client = Client(identity, "sendrecv" if kind == "speaker" else "recvonly", own)
        self._resource: str | None = None
        self._deleted = self._up = False
        self._timer: asyncio.TimerHandle | None = None
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._first_packet: asyncio.Future[float] = self._loop.create_future()
        self._started = 0.0

    @property
    def address(self) -> Address:
        """Where it hears; a socket of its own does on any address of this machine."""
        if self._seat:
            return self._seat.address
        assert self._socket is not None
        return self._host or "127.0.0.1", self._socket.getsockname()[1]

    @property
    def seat(self) -> int:
        """This member's number in the tables of the compiled loop."""
        return self._seat.number if self._seat else self._socket.fileno() if self._socket else -1

    async def connect(self, seated: Callable[[], None]) -> None:
        """Get an answer and a connection; :raises JoinError: it cannot be had.

        ``seated`` is called as soon as :attr:`seat` is known.
        """
        self._started = time.time()
        answer = await self._negotiate()
        self.timings.signalling_ms = 1e3 * (time.time() - self._started)
        begun = time.monotonic()
        try:
            self.client.accept(answer, begun)
        except SdpError as error:
            raise JoinError(f"answer: {error}") from error
        assert self.client.remote is not None
        if self.seat < 0:
            self._sit_down(self.client.remote)
        seated()
        self._flush()
        await self._connected
        self.timings.connect_ms = 1e3 * (time.monotonic() - begun)

    async def hear(self) -> None:
        """Wait for the first packet; :raises JoinError: none came in time."""
        left = FIRST_PACKET_TIMEOUT - (time.time() - self._started)
        try:
            arrived = await asyncio.wait_for(asyncio.shield(self._first_packet), left)
        except TimeoutError:
            raise JoinError(f"sound: no packet within {FIRST_PACKET_TIMEOUT:.0f} s of the request") from None
        self.timings.first_packet_ms = 1e3 * (arrived - self._started)

    def listen(self, capture_id: int) -> None:
        """The compiled loop counts what comes from now on."""
        assert self.client.transport is not None and self.client.transport.receiver is not None
        self._ears.add(self.seat, self.client.transport.receiver, capture_id)

    def first_packet(self, when: float) -> None:
        """The compiled loop heard the first packet, at a Unix time."""
        if not self._first_packet.done():
            self._first_packet.set_result(when)

    def unheard(self, reason: str) -> bool:
        """The relay ended the session; True if that is a join that failed, which :meth:`hear` then says."""
        if self._first_packet.done():
            return self._first_packet.exception() is not None
        self._first_packet.set_exception(JoinError(f"sound: {reason}"))
        return True

    def datagram(self, data: bytes) -> None:
        """A datagram that is no sound."""
        self._handle(self.client.receive(data, time.monotonic()))

    def send(self, datagram: bytes) -> None:
        """To the relay; what the system does not take is lost, as on any network."""
        assert self.client.remote is not None
        with suppress(OSError):
            if self._seat:
                self._seat.send(datagram, self.client.remote)
            elif self._socket:
                self._socket.sendto(datagram, self.client.remote)

    async def leave(self) -> None:
        """DELETE the session, as WHIP and WHEP want it."""
        self.quiet()
        if self._resource:
            try:
                async with self._http.delete(self._resource, headers=self._headers) as response:
                    self._deleted = response.status == HTTPStatus.NO_CONTENT
            except (aiohttp.ClientError, TimeoutError):
                return  # the relay is gone, and the session with it

    def quiet(self) -> None:
        """No more timers."""
        if self._timer:
            self._timer.cancel()

    def get_up(self) -> None:
        """The compiled loop leaves the seat alone; :meth:`close` may follow two of its rounds later."""
        if self._seat and not self._up:
            self._closing += self._seats.vacate(self._seat)
        elif self._socket and not self._up:
            self._ears.unwatch(self._socket.fileno())
            self._ears.remove(self._socket.fileno())
            self._closing.append(self._socket)
        self._up = True

    def close(self) -> None:
        """Free everything, with a goodbye if DELETE was not heard; nothing else may use the SRTP contexts then."""
        self.quiet()
        self.client.close()
        for datagram in [] if self._deleted else self.client.outbox:
            self.send(datagram)
        for own in self._closing:
            own.close()

    def _sit_down(self, remote: Address) -> None:
        """Take a seat if the relay is on this machine, else have a socket; :raises JoinError: there is none."""
        try:
            self._seat = self._seats.take() if remote[0].startswith("127.") else None
        except OSError as error:
            raise JoinError(f"socket: {error}") from error
        if self._seat is None:
            self._stand()

    def _stand(self) -> None:
        """Have a socket of one's own."""
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._socket.bind(("", 0))
            self._ears.watch(self._socket.fileno())
            self._ears.join(self._socket.fileno())
        except OSError as error:
            raise JoinError(f"socket: {error}") from error

    async def _negotiate(self) -> str:
        headers = {"Content-Type": "application/sdp", **self._headers}
        try:
            async with self._http.post(self._url, data=self.client.offer, headers=headers) as response:
                text = await response.text()
                if response.status != HTTPStatus.CREATED:
                    raise JoinError(f"HTTP {response.status}: {text[:ERROR_LENGTH]}")
                if "Location" not in response.headers:
                    raise JoinError("HTTP: the answer has no Location, so the session could not be ended again")
                self._resource = urljoin(self._url, response.headers["Location"])
                return text
        except aiohttp.ClientError as error:
            raise JoinError(f"HTTP: {error or type(error).__name__}") from error
        except TimeoutError as error:
            raise JoinError("HTTP: no answer in time") from error

    def _handle(self, events: list[SessionEvent]) -> None:
        for event in events:
            if isinstance(event, Connected) and not self._connected.done():
                self._connected.set_result(None)
            elif isinstance(event, RtpReceived):  # before the compiled loop has the keys
                self.first_packet(time.time())
            elif isinstance(event, Closed):
                self._end(f"{event.reason} {event.detail}".strip())
                return
        self._flush()

    def _end(self, reason: str) -> None:
        self.quiet()
        if not self._connected.done():
            self._connected.set_exception(JoinError(f"connection: {reason}"))
        else:
            self._ended(self, reason)

    def _flush(self) -> None:
        for datagram in self.client.outbox:
            self.send(datagram)
        self.client.outbox.clear()
        if self._timer:
            self._timer.cancel()
        due = self.client.next_timer
        if due is not None:
            self._timer = self._loop.call_at(due + self._loop.time() - time.monotonic(), self._timeout)

    def _timeout(self) -> None:
        self._handle(self.client.handle_timer(time.monotonic()))
