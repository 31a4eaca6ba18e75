"""Numbers that wrap around, and two clocks that must be told apart from each other.

RTP counts packets in 16 bits and samples in 32 (RFC 3550 §5.1). Everything here works on counters that go on
for ever; only this file knows that the network's do not.
"""

from typing import Any

import numpy as np
from numba import njit

from media.audio.packet import RATE

NTP_PER_SAMPLE = 2**32 / RATE
"""abs-capture-time counts seconds in 64 bits, 32 of them after the point (UQ32.32)."""


@njit(nogil=True, cache=True)
def unwrap(value: int, near: int, bits: int) -> int:  # pragma: no cover
    """The number closest to ``near`` whose lowest ``bits`` are ``value``; of two equally close, the smaller."""
    half = 1 << (bits - 1)
    return near - half + ((value - near + half) & ((1 << bits) - 1))


@njit(nogil=True, cache=True)
def captured_at(timestamp: int, known: Any, known_timestamp: int) -> Any:  # pragma: no cover
    """As :func:`capture_at`, of a ``known`` that is uint64."""
    return known + np.uint64(np.int64(round((timestamp - known_timestamp) * NTP_PER_SAMPLE)))


def capture_at(timestamp: int, known: int, known_timestamp: int) -> int:
    """Capture time (64-bit NTP) of the sample at ``timestamp``, from that of another in the same stream.

    Senders attach abs-capture-time to some packets only and let receivers work out the rest.
    """
    return int(captured_at(timestamp, np.uint64(known), known_timestamp))
