"""How long an Opus packet is, read from its first bytes and without decoding it (RFC 6716 §3.1 and §3.2.5)."""

from typing import Final

_SILK: Final = (480, 960, 1920, 2880)
"""Samples at 48 kHz of a frame of configurations 0 to 11: 10, 20, 40 and 60 ms."""
_HYBRID: Final = (480, 960)
"""Of configurations 12 to 15: 10 and 20 ms."""
_CELT: Final = (120, 240, 480, 960)
"""Of configurations 16 to 31: 2.5, 5, 10 and 20 ms."""


def samples_of(packet: bytes) -> int:
    """Return how many samples at 48 kHz a packet is; 0 of one that is none."""
    if not packet:
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = _SILK[configuration & 3]
    elif configuration < 16:
        frame = _HYBRID[configuration & 1]
    else:
        frame = _CELT[configuration & 3]
    if code == 3:
        return frame * (packet[1] & 0x3F) if len(packet) > 1 else 0
    return frame * (1, 2, 2)[code]
