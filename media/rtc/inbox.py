"""The receive side of the one UDP port: many datagrams a system call, in buffers that are reused for ever.

:class:`media.rtc.door.Door` looks at a batch first and leaves the rest to Python in two queues; what it has not
looked at is Python's too, in the order it came in.

Each datagram has the kernel's time of its arrival (``SO_TIMESTAMPNS``), where the port asks for it: what is read
late, after a fan-out, would look like jitter of the network.
"""

import socket
import struct
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.arrival import SO_TIMESTAMPNS
from media.rtc.mmsg import ADDRESS_SIZE, MSG_TRUNC, Messages
from media.rtc.native import CLOCK_MONOTONIC, CLOCK_REALTIME, MSG_DONTWAIT, clock_gettime, recvmmsg
from media.rtc.sound import SOUND
from media.rtc.stun import Address

BATCH = 64
"""Datagrams a ``recvmmsg``."""
DATAGRAM_MAX = 2048
"""Bytes; nothing a WebRTC peer sends is larger than an Ethernet frame, what is larger is dropped."""

FILLED, LOOKED, KNOWN, STRANGERS, SOUNDS, TURN = range(6)
"""Places in ``state``: datagrams of this batch, those the door has dealt with, those it left to Python in each
queue, those of them that are sound, and the number of the batch."""
OPENED = 1 << 16
"""Added to a queue's entry: a compound of reports that has been decrypted in place."""


SOL_SOCKET = 1
STAMPED = SOL_SOCKET | SO_TIMESTAMPNS << 32
"""Level and type of that message, as one word; it has four: size, these, seconds and nanoseconds."""
LONGEST_WAIT = 1_000_000_000
"""Nanoseconds that a datagram may have waited in the socket; beyond, the wall clock has been set meanwhile."""


@njit(nogil=True, cache=True)
def waited(now: Any, stamp: Any) -> int:  # pragma: no cover
    """Nanoseconds between two of the wall clock's ``timespec``s (int64[2]); 0 if it has been set in between."""
    seconds = now[0] - stamp[0]
    if not 0 <= seconds <= 2:
        return 0
    wait = seconds * 1_000_000_000 + now[1] - stamp[1]
    return wait if 0 <= wait <= LONGEST_WAIT else 0


@njit(nogil=True, cache=True)
def _receive(fd: int, headers: Any, stamps: Any, arrivals: Any, timespecs: Any) -> int:  # pragma: no cover
    """What recvmmsg(2) returns; ``arrivals`` are seconds of CLOCK_MONOTONIC."""
    for index in range(headers.shape[0]):
        headers[index].name_size = ADDRESS_SIZE
        headers[index].control_size = 8 * stamps.shape[1]
        headers[index].flags = 0
        stamps[index, 1] = 0
    count = recvmmsg(fd, headers.ctypes.data, headers.shape[0], MSG_DONTWAIT, 0)
    if count > 0:
        clock_gettime(CLOCK_REALTIME, timespecs[0].ctypes.data)
        clock_gettime(CLOCK_MONOTONIC, timespecs[1].ctypes.data)
        for index in range(count):
            wait = waited(timespecs[0], stamps[index, 2:]) if stamps[index, 1] == STAMPED else 0
            arrivals[index] = timespecs[1, 0] + 1e-9 * (timespecs[1, 1] - wait)
    return count


class Inbox:
    """One batch of received datagrams, read by :meth:`pop` one after the other."""

    def __init__(self) -> None:
        self.data = np.zeros((BATCH, DATAGRAM_MAX), np.uint8)
        self.addresses = np.zeros((BATCH, 2), np.uint64)
        """A ``sockaddr_in`` each."""
        self.arrivals = np.zeros(BATCH)
        """Seconds of ``time.monotonic``."""
        self._stamps, self._timespecs = np.zeros((BATCH, 4), np.int64), np.zeros((2, 2), np.int64)
        self._messages = Messages(self.data, DATAGRAM_MAX, self.addresses, self._stamps.view(np.uint8))
        self.headers = self._messages.headers
        self._flags, self._lengths = self.headers["flags"], self.headers["length"]
        self.state = np.zeros(8, np.int64)
        self.queues = np.zeros((2, BATCH), np.int32)
        """Of those who are known, and of strangers: indices, some with :data:`OPENED`."""
        self.sounds: NDArray[Any] = np.zeros(BATCH, SOUND)
        """What the door has taken of known speakers, as many as ``state[SOUNDS]``."""
        self._popped = [0, 0]
        self._view = self.data.data.cast("B")
        self.truncated = 0
        self.arrival = 0.0
        """When the datagram that :meth:`pop` gave last had come, in seconds of ``time.monotonic``."""

    def __len__(self) -> int:
        """Datagrams that Python has to read, as far as one can tell."""
        filled, looked, known, strangers = self.state[:4].tolist()
        return filled - looked + known + strangers - sum(self._popped)

    @property
    def unseen(self) -> int:
        """Datagrams that the door has not looked at."""
        return int(self.state[FILLED] - self.state[LOOKED])

    @property
    def known(self) -> int:
        """Datagrams for Python from those whom the door knows."""
        return int(self.state[KNOWN]) - self._popped[0]

    @property
    def full(self) -> bool:
        """The batch was a whole one, so more may wait in the socket."""
        return int(self.state[FILLED]) == BATCH

    def fill(self, fd: int) -> int:
        """Take what waits in the socket, at most :data:`BATCH`; the batch before must be read to its end."""
        count = max(0, _receive(fd, self.headers, self._stamps, self.arrivals, self._timespecs))
        self._begin(count)
        return count

    def put(self, datagrams: list[tuple[bytes, int]]) -> None:
        """A batch that came some other way: datagrams, each with the key of its source."""
        for index, (datagram, key) in enumerate(datagrams):
            self.data[index, : len(datagram)] = np.frombuffer(datagram, np.uint8)
            self.addresses[index, 0] = key
            self._flags[index], self._lengths[index] = 0, len(datagram)
        self._begin(len(datagrams))

    def pop(self) -> tuple[bytes, int, bool]:
        """The next datagram (empty if it was too large), and the key of its source (see :func:`address_of`).

        The third is true if it is a compound of reports that the door has decrypted.
        """
        entry = self._next()
        index = entry & ~OPENED
        self.arrival = float(self.arrivals[index])
        if int(self._flags[index]) & MSG_TRUNC:
            self.truncated += 1
            return b"", 0, False
        start = index * DATAGRAM_MAX
        size = int(self._lengths[index])
        source = int(self.addresses[index, 0])
        return bytes(self._view[start : start + size]), source, entry >= OPENED

    def warm(self) -> None:
        """Compile or load the kernel now."""
        self.fill(-1)

    def _begin(self, count: int) -> None:
        self.state[:TURN] = (count, 0, 0, 0, 0)
        self.state[TURN] += 1
        self._popped = [0, 0]

    def _next(self) -> int:
        for queue in range(2):
            if self._popped[queue] < self.state[KNOWN + queue]:
                self._popped[queue] += 1
                return int(self.queues[queue, self._popped[queue] - 1])
        self.state[LOOKED] += 1
        return int(self.state[LOOKED] - 1)


def address_of(key: int) -> Address:
    """The address whose ``sockaddr_in`` starts with these 8 bytes: family, port, IPv4 address."""
    packed = struct.pack("=Q", key)
    return socket.inet_ntoa(packed[4:]), int.from_bytes(packed[2:4], "big")


def key_of(address: Address) -> int:
    """The inverse of :func:`address_of`."""
    host, port = address
    packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host)
    return struct.unpack("=Q", packed)[0]
