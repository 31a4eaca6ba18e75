"""Datagrams that mean nothing, from many sources, as fast as one core sends them."""

import socket
import threading
import time
from typing import Any

import numpy as np
from numba import njit

from media.rtc.inbox import key_of
from media.rtc.mmsg import ADDRESS_SIZE, MMSGHDR_SIZE, Messages
from media.rtc.native import sendmmsg
from media.rtc.stun import Address

SIZE = 20
"""Bytes: the length of a STUN header, which is the most that costs nothing to send."""
KINDS = (
    b"\x00\x01\x00\x00\x21\x12\xa4\x42",  # a STUN check without attributes
    b"\x16\xfe\xfd\x00\x00\x00\x00\x00",  # DTLS
    b"\x80\x6f\x00\x01\x00\x00\x00\x00",  # RTP
    b"\x81\xc9\x00\x07\x00\x00\x00\x00",  # RTCP
    b"\xff\xff\xff\xff\xff\xff\xff\xff",  # nothing
)
"""How a datagram begins; the rest is random."""
BURST = len(KINDS)
"""Datagrams of one source in one call, one of each kind."""
PACE = 0.01
"""Seconds between two waves."""


@njit(nogil=True, cache=True)
def _wave(descriptors: Any, headers: Any, first: int, calls: int, burst: int) -> int:  # pragma: no cover
    """Send a burst from each of so many sources, beginning with number ``first``."""
    sent = 0
    for index in range(calls):
        descriptor = descriptors[(first + index) % len(descriptors)]
        done = sendmmsg(descriptor, headers.ctypes.data, burst, 0)
        sent += max(done, 0)
    return sent


class Junk:
    """A flood from so many sources, each with an address of its own in 127/8, until :meth:`stop`."""

    def __init__(self, target: Address, sources: int, per_second: float) -> None:
        self.sent = 0
        """Datagrams."""
        self.answered = 0
        """Bytes that came back."""
        self._sockets = [self._source(number) for number in range(sources)]
        self._descriptors = np.array([each.fileno() for each in self._sockets], np.int32)
        payload = np.random.default_rng(1).integers(0, 256, (len(KINDS), SIZE), np.uint8)
        payload[:, : len(KINDS[0])] = [list(kind) for kind in KINDS]
        addresses = np.zeros((BURST, 2), np.uint64)
        addresses[:, 0] = key_of(target)
        self._messages = Messages(payload, SIZE, addresses)
        self._messages.headers["name_size"] = ADDRESS_SIZE
        assert self._messages.headers.itemsize == MMSGHDR_SIZE
        self._calls = max(1, round(per_second * PACE / BURST))
        self._over = threading.Event()
        _wave(self._descriptors, self._messages.headers, 0, 0, BURST)  # compile or load
        self._thread = threading.Thread(target=self._flood, name="junk", daemon=True)
        self._begun = time.monotonic()
        self._thread.start()

    def stop(self) -> float:
        """End the flood; return datagrams a second."""
        self._over.set()
        self._thread.join()
        elapsed = time.monotonic() - self._begun
        for each in self._sockets:
            self.answered += _waiting(each)
            each.close()
        return self.sent / elapsed

    def _flood(self) -> None:
        due = time.monotonic()
        wave = 0
        while not self._over.is_set():
            self.sent += _wave(self._descriptors, self._messages.headers, wave * self._calls, self._calls, BURST)
            wave += 1
            due = max(due + PACE, time.monotonic() - PACE)
            time.sleep(max(0.0, due - time.monotonic()))

    @staticmethod
    def _source(number: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((f"127.99.{number // 250}.{1 + number % 250}", 0))
        made.setblocking(False)
        return made


def _waiting(source: socket.socket) -> int:
    """Bytes that a socket has received."""
    total = 0
    try:
        while True:
            total += len(source.recv(2048))
    except OSError:
        return total
