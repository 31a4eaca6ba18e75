"""Numbers that wrap around, and two clocks that must be told apart from each other.

RTP counts packets in 16 bits and samples in 32 (RFC 3550 §5.1). Everything here works on counters that go on
for ever; only this file knows that the network's do not.
"""

from media.audio.packet import RATE

NTP_PER_SAMPLE = 2**32 / RATE
"""abs-capture-time counts seconds in 64 bits, 32 of them after the point (UQ32.32)."""

_NTP_MASK = 2**64 - 1


def unwrap(value: int, near: int, bits: int) -> int:
    """The number closest to ``near`` whose lowest ``bits`` are ``value``; of two equally close, the smaller."""
    half = 1 << bits - 1
    return near - half + (value - near + half & (1 << bits) - 1)


def capture_at(timestamp: int, known: int, known_timestamp: int) -> int:
    """Capture time (64-bit NTP) of the sample at ``timestamp``, from that of another in the same stream.

    Senders attach abs-capture-time to some packets only and let receivers work out the rest.
    """
    return known + round((timestamp - known_timestamp) * NTP_PER_SAMPLE) & _NTP_MASK
