"""What one listener knows of its stream, and what a packet does to that: is it authentic, and what does it say.

Most of a swarm's work is done here, once for each packet of each listener: so a listener is a record in a table,
and the kernels touch nothing but that, two histograms and one count of the crowd's. Sockets and threads are in
:mod:`loadtest.engine.ears`.
"""

from typing import Any

import numpy as np
from numba import njit

from media.rtc.aesgcm import TAG, authentic
from media.rtc.native import SRTP_OK, srtp_unprotect
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

RESOLUTION = 4000
"""Bins a second in the histograms of delay and jitter: 0.25 ms each."""
BINS = 8000
"""2 s; what is longer falls into the last bin."""

STOP, ROUNDS, PACKETS, OCTETS, REJECTED, WRITTEN, READ, OVERFLOWS, ROUND_MAX_NS, MISSING = range(10)
"""Places in the int64 state that all ears, their loop and Python share."""


@njit(nogil=True, cache=True)
def _bin(seconds: float) -> int:  # pragma: no cover
    return min(BINS - 1, max(0, int(seconds * RESOLUTION)))


@njit(nogil=True, cache=True)
def account(
    state: Any, ear: Any, packet: Any, size: int, wall: int, delays: Any, jitters: Any
) -> bool:  # pragma: no cover
    """Book one authentic RTP packet that came at ``wall`` (Unix time, ns); True if it is the listener's first."""
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
def _header(packet: Any, size: int) -> Any:  # pragma: no cover
    """Bytes of an RTP header (RFC 3550 §5.1, §5.3.1); more than ``size`` if it is cut short."""
    length = 12 + 4 * (np.int64(packet[0]) & 0x0F)
    if packet[0] & 0x10:
        if length + 4 > size:
            return size + 1
        length += 4 + 4 * get16(packet, length + 2)
    return length


@njit(nogil=True, cache=True)
def opens(ear: Any, keys: int, packet: Any, size: int, length: Any) -> bool:  # pragma: no cover
    """Whether a packet is authentic and new; only then is anything changed.

    ``keys`` is the address of the listener's :data:`media.rtc.aesgcm.KEYS`.
    """
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
