"""All light listeners of one engine, as Python drives them: a table of seats, and the thread that hears for them.

What the thread does is compiled (:mod:`loadtest.engine.receive`); here seats are given and taken away, and what it
has counted or left to Python is read.
"""

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtest.engine.ear import (
    BINS,
    EAR,
    EMPTY,
    JOINING,
    LISTENING,
    MISSING,
    OCTETS,
    OVERFLOWS,
    PACKETS,
    READ,
    REJECTED,
    ROUND_MAX_NS,
    ROUNDS,
    STOP,
    WRITTEN,
)
from loadtest.engine.receive import BATCH, CONTROL, DATAGRAM_MAX, RING, receive
from media.rtc.aesgcm import KEYS, derive
from media.rtc.mmsg import Messages
from media.rtc.srtp import SrtpContext
from media.rtc.vector import AVAILABLE


@dataclass(frozen=True, slots=True)
class Heard:
    """Something for Python from the loop."""

    seat: int
    kind: int
    """``FIRST_PACKET``, ``DATAGRAM`` or ``REPORT`` of :mod:`loadtest.engine.receive`."""
    data: bytes
    when: float
    """Unix time of its arrival in seconds."""


class Ears:
    """All listeners of one engine.

    :meth:`watch` gives a socket to the loop; :meth:`join`, :meth:`add` and :meth:`remove` say what becomes of the
    datagrams for a seat. ``bell`` becomes readable when :meth:`heard` has something.

    ``descriptors``: sockets there may be; ``shared``: seats in rows there may be, a multiple of 64.
    """

    def __init__(self, descriptors: int, shared: int = 0) -> None:
        self.shared = range(descriptors, descriptors + shared)
        """Numbers of the seats in rows; a lower number is the descriptor of a socket with one seat."""
        self._table = np.zeros(descriptors + shared, EAR)
        self._keys = np.zeros(descriptors + shared, KEYS)
        self._rows = np.zeros(descriptors, np.int64)
        self._buffers = np.zeros((BATCH, DATAGRAM_MAX), np.uint8)
        self._controls = np.zeros((BATCH, CONTROL), np.uint8)
        self._messages = Messages(self._buffers, DATAGRAM_MAX - 16, controls=self._controls)
        self._state = np.zeros(16, np.int64)
        self._ring = np.zeros((RING, DATAGRAM_MAX), np.uint8)
        self._entries = np.zeros((RING, 4), np.int64)
        self.delays: NDArray[np.int64] = np.zeros(BINS, np.int64)
        """Histogram of mouth-to-ear delay (capture time to arrival), bins of 0.25 ms; only ever growing."""
        self.jitters: NDArray[np.int64] = np.zeros(BINS, np.int64)
        """Histogram of the change of transit time from packet to packet, likewise."""
        self._epoll = select.epoll()
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="ears", daemon=True)

    def start(self) -> None:
        """Compile or load the loop, then run it."""
        self._state[STOP] = 1
        self._run()
        self._state[STOP] = 0
        self._thread.start()

    def stop(self) -> None:
        """End the loop."""
        self._state[STOP] = 1
        self._thread.join()
        self._epoll.close()
        os.close(self.bell)

    def _run(self) -> None:
        receive(
            *(self._epoll.fileno(), self.bell, self._messages.headers, self._buffers, self._controls),
            *(self._rows, self._table, self._keys, self._state),
            *(self._ring, self._entries, self.delays, self.jitters),
        )

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the loop's thread."""
        if not self._thread.is_alive():
            return 0.0
        assert self._thread.ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident))

    @property
    def rounds(self) -> int:
        """How often the loop has gone round; what was removed two rounds ago is no longer in use."""
        return int(self._state[ROUNDS])

    @property
    def packets(self) -> int:
        """Authentic RTP packets received."""
        return int(self._state[PACKETS])

    @property
    def octets(self) -> int:
        """Their bytes, as they came in."""
        return int(self._state[OCTETS])

    @property
    def rejected(self) -> int:
        """SRTP and SRTCP packets that were not authentic, or replayed."""
        return int(self._state[REJECTED])

    @property
    def overflows(self) -> int:
        """Datagrams Python was too slow to take; anything but 0 means the generator is saturated."""
        return int(self._state[OVERFLOWS])

    def take_round_max(self) -> float:
        """Longest round in seconds since the last call: how long a packet may have waited for the generator."""
        longest, self._state[ROUND_MAX_NS] = int(self._state[ROUND_MAX_NS]), 0
        return longest * 1e-9

    def watch(self, fd: int, row: int = 0) -> None:
        """Read this socket from now on; ``row`` is the number of its first seat if it has more than one."""
        self._rows[fd] = row
        self._epoll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Read it no more; it may be closed two rounds later."""
        self._epoll.unregister(fd)

    def join(self, seat: int) -> None:
        """Hand every datagram for this seat to Python, until :meth:`add`."""
        record = np.zeros(1, EAR)
        record["state"] = JOINING
        self._table[seat] = record[0]

    def add(self, seat: int, context: SrtpContext, capture_id: int) -> None:
        """Listen there with the keys of ``context``, which must outlive :meth:`remove` by two rounds."""
        record = np.zeros(1, EAR)
        record["srtp"], record["first_sequence"], record["capture_id"] = context.address, -1, capture_id
        record["state"] = LISTENING
        master = context.lend() if AVAILABLE else None
        if master:
            derive(self._keys, seat, master)
            record["sealed"] = 1
        self._table[seat] = record[0]

    def remove(self, seat: int) -> None:
        """Listen there no more."""
        self._table[seat]["state"] = EMPTY

    def totals(self) -> tuple[int, int]:
        """(packets that should have come, packets that came) over all listeners, those that left included."""
        received = self.packets
        return received + int(self._state[MISSING]), received

    def record(self, seat: int) -> Any:
        """One listener's numbers, of :data:`loadtest.engine.ear.EAR`."""
        return self._table[seat]

    def heard(self) -> Iterator[Heard]:
        """What the loop handed over since the last call."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.bell)
        while self._state[READ] < self._state[WRITTEN]:
            place = int(self._state[READ]) % RING
            seat, kind, size, when = self._entries[place].tolist()
            data = self._ring[place, :size].tobytes()
            self._state[READ] += 1
            yield Heard(seat, kind, data, when * 1e-9)
