"""The ears of the crowd: one compiled loop that receives, authenticates and counts for every light listener.

It runs on a thread of its own without the GIL, over ``epoll`` and a table that is indexed by file descriptor. What
is not RTP (STUN, DTLS, and RTCP once decrypted) it hands to Python through a ring, with an eventfd as the bell:
that is a few datagrams a second per listener at most, never the sound.
"""

import os
import platform
import select
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.native import (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    MSG_DONTWAIT,
    SRTP_OK,
    clock_gettime,
    epoll_wait,
    recv,
    srtp_unprotect,
    srtp_unprotect_rtcp,
    usleep,
    write,
)
from media.rtc.srtp import SrtpContext

EAR = np.dtype(
    [
        ("srtp", "u8"),  # inbound context; 0: nobody listens here
        ("received", "i8"),
        ("octets", "i8"),
        ("first_sequence", "i8"),  # -1 before the first packet
        ("highest_sequence", "i8"),  # unwrapped
        ("last_transit", "f8"),  # arrival minus RTP time, s
        ("jitter", "f8"),  # RFC 3550 §6.4.1, s
        ("rejected", "i8"),  # forged, replayed or malformed
        ("capture_id", "i8"),
        ("ssrc", "i8"),
    ]
)

RESOLUTION = 4000
"""Bins a second in the histograms of delay and jitter: 0.25 ms each."""
BINS = 8000
"""2 s; what is longer falls into the last bin."""
RING = 4096
"""Datagrams that may wait for Python."""
_DATAGRAM = 2048
_EVENTS = 256
_EVENT_WORDS, _EVENT_FD = (3, 1) if platform.machine() == "x86_64" else (4, 2)
"""``struct epoll_event`` in 32-bit words: packed on x86-64, aligned elsewhere."""
_NAP_US = 500
"""The loop looks at its sockets every 0.5 ms instead of waiting to be woken: a wake-up for each packet would be
paid by who sends it, and on one machine that is the relay under test. Arrivals are late by 0.25 ms in the mean."""

FIRST_PACKET, DATAGRAM, REPORT = 0, 1, 2
"""Kinds of entries in the ring."""

STOP, ROUNDS, PACKETS, OCTETS, REJECTED, WRITTEN, READ, OVERFLOWS, ROUND_MAX_NS, MISSING = range(10)
"""Places in the shared int64 state."""


@njit(nogil=True, cache=True)
def _now(clock: int, timespec: Any) -> int:  # pragma: no cover
    clock_gettime(clock, timespec.ctypes.data)
    return timespec[0] * 1_000_000_000 + timespec[1]


@njit(nogil=True, cache=True)
def _bin(seconds: float) -> int:  # pragma: no cover
    return min(BINS - 1, max(0, int(seconds * RESOLUTION)))


@njit(nogil=True, cache=True)
def _hand_over(  # pragma: no cover
    state: Any, ring: Any, entries: Any, fd: int, kind: int, buffer: Any, size: int, when: int
) -> None:
    written = state[WRITTEN]
    if written - state[READ] >= RING:
        state[OVERFLOWS] += 1
        return
    place = written % RING
    ring[place, :size] = buffer[:size]
    entries[place, 0] = fd
    entries[place, 1] = kind
    entries[place, 2] = size
    entries[place, 3] = when
    state[WRITTEN] = written + 1


@njit(nogil=True, cache=True)
def _account(
    state: Any, ears: Any, fd: int, packet: Any, size: int, wall: int, delays: Any, jitters: Any
) -> bool:  # pragma: no cover
    """Book one authentic RTP packet; True if it is the listener's first."""
    ear = ears[fd]
    sequence = np.int64(packet[2]) << 8 | packet[3]
    timestamp = np.int64(packet[4]) << 24 | np.int64(packet[5]) << 16 | np.int64(packet[6]) << 8 | packet[7]
    arrival = wall * 1e-9
    ear.received += 1
    ear.octets += size
    first = ear.first_sequence < 0
    # Only differences of transit matter, so the arrival wraps with the 32-bit RTP clock.
    transit = (arrival - timestamp / 48000.0) % (4294967296.0 / 48000.0)
    if first:
        ear.first_sequence = ear.highest_sequence = sequence
        ear.ssrc = np.int64(packet[8]) << 24 | np.int64(packet[9]) << 16 | np.int64(packet[10]) << 8 | packet[11]
    else:
        step = ((sequence - ear.highest_sequence + 32768) & 0xFFFF) - 32768
        if step > 0:
            ear.highest_sequence += step
            state[MISSING] += step - 1
        else:
            state[MISSING] -= 1  # late, not lost; SRTP lets nothing through twice
        change = abs(transit - ear.last_transit)
        if change < 1.0:
            ear.jitter += (change - ear.jitter) / 16.0
            jitters[_bin(change)] += 1
    ear.last_transit = transit
    if packet[0] & 0x10 and ear.capture_id > 0 and packet[16] >> 4 == ear.capture_id:
        seconds = np.int64(packet[17]) << 24 | np.int64(packet[18]) << 16 | np.int64(packet[19]) << 8 | packet[20]
        fraction = np.int64(packet[21]) << 24 | np.int64(packet[22]) << 16 | np.int64(packet[23]) << 8 | packet[24]
        captured = (seconds - 2208988800) + fraction / 4294967296.0
        delays[_bin(arrival - captured)] += 1
    return first


@njit(nogil=True, cache=True)
def _listen(  # pragma: no cover
    epoll: int, bell: int, ears: Any, state: Any, ring: Any, entries: Any, delays: Any, jitters: Any
) -> None:
    events = np.zeros((_EVENTS, _EVENT_WORDS), np.uint32)
    buffer = np.zeros(_DATAGRAM, np.uint8)
    length = np.zeros(1, np.int32)
    timespec = np.zeros(2, np.int64)
    one = np.ones(1, np.uint64)
    while state[STOP] == 0:
        count = epoll_wait(epoll, events.ctypes.data, _EVENTS, 0)
        if count <= 0:
            usleep(_NAP_US)
            state[ROUNDS] += 1
            continue
        start = _now(CLOCK_MONOTONIC, timespec)
        handed = state[WRITTEN]
        for index in range(count):
            fd = np.int64(events[index, _EVENT_FD])
            size = recv(fd, buffer.ctypes.data, _DATAGRAM, MSG_DONTWAIT)
            context = ears[fd].srtp
            if size <= 0 or context == 0:
                continue
            wall = _now(CLOCK_REALTIME, timespec)
            if not 128 <= buffer[0] <= 191 or size < 12:
                _hand_over(state, ring, entries, fd, DATAGRAM, buffer, size, wall)
                continue
            length[0] = size
            if 192 <= buffer[1] <= 223:
                if srtp_unprotect_rtcp(context, buffer.ctypes.data, length.ctypes.data) == SRTP_OK:
                    _hand_over(state, ring, entries, fd, REPORT, buffer, length[0], wall)
                else:
                    state[REJECTED] += 1
                    ears[fd].rejected += 1
                continue
            if srtp_unprotect(context, buffer.ctypes.data, length.ctypes.data) != SRTP_OK:
                state[REJECTED] += 1
                ears[fd].rejected += 1
                continue
            state[PACKETS] += 1
            state[OCTETS] += size
            if _account(state, ears, fd, buffer, size, wall, delays, jitters):
                _hand_over(state, ring, entries, fd, FIRST_PACKET, buffer, 0, wall)
        if state[WRITTEN] != handed:
            write(bell, one.ctypes.data, 8)
        state[ROUND_MAX_NS] = max(state[ROUND_MAX_NS], _now(CLOCK_MONOTONIC, timespec) - start)


@dataclass(frozen=True, slots=True)
class Heard:
    """Something for Python from the loop."""

    fd: int
    kind: int
    """:data:`FIRST_PACKET`, :data:`DATAGRAM` or :data:`REPORT`."""
    data: bytes
    when: float
    """Unix time of its arrival in seconds."""


class Ears:
    """All listeners of one engine.

    :meth:`add` gives a connected socket to the loop, :meth:`remove` takes it back. ``bell`` becomes readable when
    :meth:`heard` has something.
    """

    def __init__(self, descriptors: int) -> None:
        self._table = np.zeros(descriptors, EAR)
        self._state = np.zeros(16, np.int64)
        self._ring = np.zeros((RING, _DATAGRAM), np.uint8)
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
        _listen(
            *(self._epoll.fileno(), self.bell, self._table, self._state),
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

    def add(self, fd: int, context: SrtpContext, capture_id: int) -> None:
        """Listen on a connected socket; ``context`` must outlive :meth:`remove` by two rounds."""
        record = np.zeros(1, EAR)
        record["srtp"], record["first_sequence"], record["capture_id"] = context.address, -1, capture_id
        self._table[fd] = record[0]
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Listen there no more."""
        self._epoll.unregister(fd)
        self._table[fd]["srtp"] = 0

    def totals(self) -> tuple[int, int]:
        """(packets that should have come, packets that came) over all listeners, those that left included."""
        received = self.packets
        return received + int(self._state[MISSING]), received

    def record(self, fd: int) -> Any:
        """One listener's numbers, of :data:`EAR`."""
        return self._table[fd]

    def heard(self) -> Iterator[Heard]:
        """What the loop handed over since the last call."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.bell)
        while self._state[READ] < self._state[WRITTEN]:
            place = int(self._state[READ]) % RING
            fd, kind, size, when = self._entries[place].tolist()
            data = self._ring[place, :size].tobytes()
            self._state[READ] += 1
            yield Heard(fd, kind, data, when * 1e-9)
