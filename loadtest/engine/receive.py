"""The loop of the ears: receives on every socket of the crowd, and gives each datagram to its listener.

It runs without the GIL, over ``epoll``, ``recvmmsg`` and the table of :mod:`loadtest.engine.ear`. A socket is one
seat, whose number is its descriptor; or it is a row of 64, told apart by the loopback address that a datagram was
sent to (see :mod:`loadtest.engine.seats`). What is not RTP (STUN, DTLS, and RTCP once decrypted) goes to Python
through a ring, with an eventfd as the bell: a few datagrams a second per listener at most, never the sound.
"""

import platform
from typing import Any

import numpy as np
from numba import njit

from loadtest.engine.ear import (
    EMPTY,
    JOINING,
    OCTETS,
    OVERFLOWS,
    PACKETS,
    READ,
    REJECTED,
    ROUND_MAX_NS,
    ROUNDS,
    STOP,
    WRITTEN,
    account,
    opens,
)
from media.rtc.aesgcm import SIZE
from media.rtc.native import (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    MSG_DONTWAIT,
    SRTP_OK,
    clock_gettime,
    epoll_wait,
    recvmmsg,
    srtp_unprotect_rtcp,
    usleep,
    write,
)

ROW = 64
"""Seats of a row."""
RING = 4096
"""Datagrams that may wait for Python."""
DATAGRAM_MAX = 2048
"""Bytes received of a datagram."""
BATCH = 64
"""Datagrams a ``recvmmsg``."""
CONTROL = 32
"""Bytes of control data: one ``IP_PKTINFO``, whose last four are the address the datagram was sent to."""
_EVENTS = 256
_EVENT_WORDS, _EVENT_FD = (3, 1) if platform.machine() == "x86_64" else (4, 2)
"""``struct epoll_event`` in 32-bit words: packed on x86-64, aligned elsewhere."""
_NAP_US = 500
"""The loop looks at its sockets every 0.5 ms instead of waiting to be woken: a wake-up for each packet would be
paid by who sends it, and on one machine that is the relay under test. Arrivals are late by 0.25 ms in the mean."""

FIRST_PACKET, DATAGRAM, REPORT = 0, 1, 2
"""Kinds of entries in the ring."""


@njit(nogil=True, cache=True)
def _now(clock: int, timespec: Any) -> int:  # pragma: no cover
    clock_gettime(clock, timespec.ctypes.data)
    return timespec[0] * 1_000_000_000 + timespec[1]


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
def _take(  # pragma: no cover
    ears: Any,
    seat: Any,
    keys: int,
    packet: Any,
    size: Any,
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
    elif opens(ear, keys, packet, size, length):
        state[PACKETS] += 1
        state[OCTETS] += size
        if account(state, ear, packet, size, wall, delays, jitters):
            _hand_over(state, ring, entries, seat, FIRST_PACKET, packet, 0, wall)
        return
    state[REJECTED] += 1
    ear.rejected += 1


@njit(nogil=True, cache=True)
def receive(  # pragma: no cover
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
    """Go round until ``state[STOP]`` is set; the arrays are those of :class:`loadtest.engine.ears.Ears`.

    ``epoll`` and ``bell`` are descriptors; the bell rings once a round in which something went into ``ring``.
    """
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
            for index in range(BATCH):
                headers[index].control_size = CONTROL
            taken = recvmmsg(fd, headers.ctypes.data, BATCH, MSG_DONTWAIT, 0)
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
