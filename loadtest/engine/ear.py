"""The ears of the crowd: one compiled loop that receives, authenticates and counts for every light listener.

It runs on a thread of its own without the GIL, over ``epoll``, ``recvmmsg`` and a table of seats. A socket is one
seat, whose number is its descriptor; or it is a row of 64, told apart by the loopback address that a datagram was
sent to (see :mod:`loadtest.engine.seats`). What is not RTP (STUN, DTLS, and RTCP once decrypted) the loop hands to
Python through a ring, with an eventfd as the bell: a few datagrams a second per listener at most, never the sound.
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

from media.rtc.aesgcm import KEYS, SIZE, TAG, authentic, derive
from media.rtc.mmsg import Messages
from media.rtc.native import (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    MSG_DONTWAIT,
    SRTP_OK,
    clock_gettime,
    epoll_wait,
    recvmmsg,
    srtp_unprotect,
    srtp_unprotect_rtcp,
    usleep,
    write,
)
from media.rtc.srtp import SrtpContext
from media.rtc.vector import AVAILABLE
from media.rtc.words import get16, get32

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
        ("seen", "u8"),  # the last 64 sequence numbers, the highest in bit 0
        ("state", "i4"),
        ("early", "i4"),  # packets of sound while joining
        ("sealed", "i4"),  # 1: checked with the table of keys, 0: by libsrtp
    ]
)

EMPTY, JOINING, LISTENING = 0, 1, 2
"""States of a seat: nobody there; Python gets every datagram; sound is counted here."""

ROW = 64
"""Seats of a row."""
RESOLUTION = 4000
"""Bins a second in the histograms of delay and jitter: 0.25 ms each."""
BINS = 8000
"""2 s; what is longer falls into the last bin."""
RING = 4096
"""Datagrams that may wait for Python."""
_DATAGRAM = 2048
_BATCH = 64
"""Datagrams a ``recvmmsg``."""
_CONTROL = 32
"""Bytes of control data: one ``IP_PKTINFO``, whose last four are the address the datagram was sent to."""
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
    state: Any, ring: Any, entries: Any, seat: int, kind: int, buffer: Any, size: int, when: int
) -> None:
    written = state[WRITTEN]
    if written - state[READ] >= RING:
        state[OVERFLOWS] += 1
        return
    place = written % RING
    ring[place, :size] = buffer[:size]
    entries[place, 0] = seat
    entries[place, 1] = kind
    entries[place, 2] = size
    entries[place, 3] = when
    state[WRITTEN] = written + 1


@njit(nogil=True, cache=True)
def _account(
    state: Any, ear: Any, packet: Any, size: int, wall: int, delays: Any, jitters: Any
) -> bool:  # pragma: no cover
    """Book one authentic RTP packet; True if it is the listener's first."""
    sequence = get16(packet, 2)
    timestamp = get32(packet, 4)
    arrival = wall * 1e-9
    ear.received += 1
    ear.octets += size
    first = ear.first_sequence < 0
    # Only differences of transit matter, so the arrival wraps with the 32-bit RTP clock.
    transit = (arrival - timestamp / 48000.0) % (4294967296.0 / 48000.0)
    if first:
        ear.first_sequence = ear.highest_sequence = sequence
        ear.ssrc = get32(packet, 8)
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
        seconds = get32(packet, 17)
        fraction = get32(packet, 21)
        captured = (seconds - 2208988800) + fraction / 4294967296.0
        delays[_bin(arrival - captured)] += 1
    return first


@njit(nogil=True, cache=True)
def _header(packet: Any, size: int) -> int:  # pragma: no cover
    """Bytes of an RTP header (RFC 3550 §5.1, §5.3.1); more than ``size`` if it is cut short."""
    length = 12 + 4 * (np.int64(packet[0]) & 0x0F)
    if packet[0] & 0x10:
        if length + 4 > size:
            return size + 1
        length += 4 + 4 * get16(packet, length + 2)
    return length


@njit(nogil=True, cache=True)
def _opens(ear: Any, keys: int, packet: Any, size: int, length: Any) -> bool:  # pragma: no cover
    """The packet is authentic and new; only then is anything changed."""
    if not ear.sealed:
        length[0] = size
        return srtp_unprotect(ear.srtp, packet.ctypes.data, length.ctypes.data) == SRTP_OK
    header = _header(packet, size)
    if header + TAG > size:
        return False
    sequence = get16(packet, 2)
    ssrc = get32(packet, 8)
    index, step = sequence, np.int64(64)
    if ear.first_sequence >= 0:
        step = ((sequence - ear.highest_sequence + 32768) & 0xFFFF) - 32768
        index = ear.highest_sequence + step
        if index < 0 or step <= -64 or (step <= 0 and ear.seen >> np.uint64(-step) & np.uint64(1)):
            return False
    if not authentic(keys, packet.ctypes.data, header, size - header - TAG, ssrc, index >> 16, sequence):
        return False
    if step <= 0:
        ear.seen |= np.uint64(1) << np.uint64(-step)
    elif step < 64:
        ear.seen = ear.seen << np.uint64(step) | np.uint64(1)
    else:
        ear.seen = np.uint64(1)
    return True


@njit(nogil=True, cache=True)
def _take(  # pragma: no cover
    ears: Any,
    seat: int,
    keys: int,
    packet: Any,
    size: int,
    wall: int,
    length: Any,
    state: Any,
    ring: Any,
    entries: Any,
    delays: Any,
    jitters: Any,
) -> None:
    """One datagram for one seat."""
    ear = ears[seat]
    if size == 0 or ear.state == EMPTY:
        return
    media = 128 <= packet[0] <= 191 and size >= 12
    if ear.state == JOINING and media and not 192 <= packet[1] <= 223:
        ear.early += 1
        if ear.early > 1:
            return  # sound that comes before its keys: one packet tells Python that it does
    if ear.state == JOINING or not media:
        _hand_over(state, ring, entries, seat, DATAGRAM, packet, size, wall)
        return
    if 192 <= packet[1] <= 223:
        length[0] = size
        if srtp_unprotect_rtcp(ear.srtp, packet.ctypes.data, length.ctypes.data) == SRTP_OK:
            _hand_over(state, ring, entries, seat, REPORT, packet, length[0], wall)
            return
    elif _opens(ear, keys, packet, size, length):
        state[PACKETS] += 1
        state[OCTETS] += size
        if _account(state, ear, packet, size, wall, delays, jitters):
            _hand_over(state, ring, entries, seat, FIRST_PACKET, packet, 0, wall)
        return
    state[REJECTED] += 1
    ear.rejected += 1


@njit(nogil=True, cache=True)
def _listen(  # pragma: no cover
    epoll: int,
    bell: int,
    headers: Any,
    buffers: Any,
    controls: Any,
    rows: Any,
    ears: Any,
    keys: Any,
    state: Any,
    ring: Any,
    entries: Any,
    delays: Any,
    jitters: Any,
) -> None:
    events = np.zeros((_EVENTS, _EVENT_WORDS), np.uint32)
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
        for event in range(count):
            fd = np.int64(events[event, _EVENT_FD])
            for index in range(_BATCH):
                headers[index].control_size = _CONTROL
            taken = recvmmsg(fd, headers.ctypes.data, _BATCH, MSG_DONTWAIT, 0)
            wall = _now(CLOCK_REALTIME, timespec)
            for index in range(taken):
                seat = fd
                if rows[fd] > 0:
                    seat = rows[fd] + (controls[index, 27] & (ROW - 1))
                key = keys.ctypes.data + seat * SIZE
                size = np.int64(headers[index].length)
                _take(ears, seat, key, buffers[index], size, wall, length, state, ring, entries, delays, jitters)
        if state[WRITTEN] != handed:
            write(bell, one.ctypes.data, 8)
        state[ROUND_MAX_NS] = max(state[ROUND_MAX_NS], _now(CLOCK_MONOTONIC, timespec) - start)


@dataclass(frozen=True, slots=True)
class Heard:
    """Something for Python from the loop."""

    seat: int
    kind: int
    """:data:`FIRST_PACKET`, :data:`DATAGRAM` or :data:`REPORT`."""
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
        self._buffers = np.zeros((_BATCH, _DATAGRAM), np.uint8)
        self._controls = np.zeros((_BATCH, _CONTROL), np.uint8)
        self._messages = Messages(self._buffers, _DATAGRAM - 16, controls=self._controls)
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
        """One listener's numbers, of :data:`EAR`."""
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
