"""Someone with a WebRTC connection over real HTTP and UDP, who counts every packet."""

import asyncio
import socket
import time
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import httpx
import numpy as np

from media.audio.opus import Decoder
from media.rtc.client import Client
from media.rtc.description import Direction
from media.rtc.dtls import Identity
from media.rtc.events import Connected, RtcpReceived, RtpReceived
from media.rtc.rtp import RtpPacket, build_rtp
from tests.media.relay.sound import Pcm

FRAME_TIME = 0.02


class Peer:
    """Joins, and is served by its tasks until it is closed."""

    def __init__(self, direction: Direction, says: Sequence[bytes] = ()) -> None:
        self.client = Client(Identity(), direction)
        self.packets: list[RtpPacket] = []
        self.spoken: list[bytes] = []
        """Protected packets, as they were sent."""
        self.goodbye = False
        """The relay ended the session, and said so (RTCP BYE)."""
        self._says = says
        self._connected = asyncio.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.setblocking(False)
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, url: str, token: str | None) -> None:
        headers = {"Content-Type": "application/sdp"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with httpx.AsyncClient() as http:
            response = await http.post(url, content=self.client.offer, headers=headers)
        assert response.status_code == 201, response.text
        self.resource = urlsplit(urljoin(url, response.headers["Location"])).path
        self.answer = response.text
        self.session, self.tag = urljoin(url, response.headers["Location"]), response.headers["ETag"]
        self.client.accept(self.answer, time.monotonic())
        assert self.client.remote is not None
        self.socket.connect(self.client.remote)
        asyncio.get_running_loop().add_reader(self.socket, self._read)
        self._tasks.append(asyncio.create_task(self._keep_time()))
        async with asyncio.timeout(10):
            await self._connected.wait()
        if self._says:
            self._tasks.append(asyncio.create_task(self._speak()))

    async def walk(self, token: str) -> httpx.Response:
        """Change to another network and restart ICE there."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.socket)
        self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        assert self.client.remote is not None
        self.socket.connect(self.client.remote)
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
            response = await http.patch(self.session, content=self.client.restart(), headers=headers)
        assert response.status_code == 200, response.text
        loop.add_reader(self.socket, self._read)
        self.client.accept_restart(response.text, time.monotonic())
        return response

    async def hear(self, packets: int) -> None:
        """Wait for so many packets more."""
        wanted = len(self.packets) + packets
        async with asyncio.timeout(10):
            while len(self.packets) < wanted:
                await asyncio.sleep(FRAME_TIME)

    def sound(self) -> Pcm:
        decoder = Decoder()
        return np.concatenate([decoder.decode(packet.payload) for packet in self.packets])

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        asyncio.get_running_loop().remove_reader(self.socket)
        self.client.close()
        self.socket.close()

    async def _keep_time(self) -> None:
        while True:
            due = self.client.next_timer
            if due is not None and due <= time.monotonic():
                self.client.handle_timer(due)
            self._flush()
            await asyncio.sleep(FRAME_TIME)

    async def _speak(self) -> None:
        transport, start = self.client.transport, time.monotonic()
        assert transport is not None and transport.sender is not None
        for number in range(1 << 16):
            packet = RtpPacket(111, number, 960 * number, self.client.ssrc, self._says[number % len(self._says)])
            self.spoken.append(transport.sender.protect(build_rtp(packet)))
            self.socket.send(self.spoken[-1])
            await asyncio.sleep(max(0.0, start + (number + 1) * FRAME_TIME - time.monotonic()))

    def _read(self) -> None:
        try:
            while True:
                self._take(self.socket.recv(2048))
        except OSError:  # nothing more, or nobody at the other end any more
            self._flush()

    def _take(self, datagram: bytes) -> None:
        for event in self.client.receive(datagram, time.monotonic()):
            match event:
                case RtpReceived(packet):
                    self.packets.append(packet)
                case Connected():
                    self._connected.set()
                case RtcpReceived(compound):
                    self.goodbye = self.goodbye or bool(compound.bye)
                case _:
                    pass

    def _flush(self) -> None:
        datagrams, self.client.outbox[:] = [*self.client.outbox], []
        for datagram in datagrams:
            self.socket.send(datagram)
