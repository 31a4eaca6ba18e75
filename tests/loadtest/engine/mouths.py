"""Relays that are only a socket and a key: they send protected RTP to an ear on loopback."""

import socket
import time
from collections.abc import Callable

from loadtest.engine.ears import Ears, Heard
from media.rtc.rtp import RtpPacket, build_rtp, ntp_time
from media.rtc.srtp import AES_128_GCM, SrtpContext

KEY = bytes(range(28))
CAPTURE_ID = 2


class Mouth:
    """Sends to one listening socket, as the relay would to one listener."""

    def __init__(self, ears: Ears, capture_id: int = CAPTURE_ID) -> None:
        self.ears = ears
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.listener.bind(("127.0.0.1", 0))
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._out.connect(self.listener.getsockname())
        self.sender = SrtpContext(AES_128_GCM, KEY, ssrc=7)
        self.receiver = SrtpContext(AES_128_GCM, KEY)
        self.fd = self.listener.fileno()
        ears.watch(self.fd)
        ears.add(self.fd, self.receiver, capture_id)

    def packet(self, sequence: int, timestamp: int | None = None, captured: float | None = None) -> bytes:
        """A protected packet of 20 ms of sound."""
        extensions = None if captured is None else {CAPTURE_ID: ntp_time(captured).to_bytes(8, "big")}
        at = 960 * sequence if timestamp is None else timestamp
        packet = RtpPacket(111, sequence & 0xFFFF, at & 0xFFFF_FFFF, 7, b"sound", False, extensions)
        return self.sender.protect(build_rtp(packet))

    def say(self, *sequences: int) -> None:
        """Send packets of these numbers."""
        for sequence in sequences:
            self.send(self.packet(sequence))

    def send(self, datagram: bytes) -> None:
        """Send anything."""
        self._out.send(datagram)

    def close(self) -> None:
        """Take the ear away, as the engine does: its key is freed two rounds later."""
        self.ears.unwatch(self.fd)
        self.ears.remove(self.fd)
        rounds = self.ears.rounds
        until(lambda: self.ears.rounds >= rounds + 2)
        self.receiver.close()
        self.sender.close()
        self.listener.close()
        self._out.close()


def protected(key: bytes, sequence: int) -> bytes:
    """A packet as some relay with this key would send it."""
    sender = SrtpContext(AES_128_GCM, key, ssrc=7)
    packet = sender.protect(build_rtp(RtpPacket(111, sequence, 960 * sequence, 7, b"sound", False, None)))
    sender.close()
    return packet


def until(reached: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for another thread to come so far; how long it takes is the machine's affair."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.001)


def collect(ears: Ears, count: int) -> list[Heard]:
    """The next ``count`` things that the loop hands over."""
    heard: list[Heard] = []

    def enough() -> bool:
        heard.extend(ears.heard())
        return len(heard) >= count

    until(enough)
    return heard
