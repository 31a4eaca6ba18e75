"""What can be read from an Opus packet without decoding it (RFC 6716 §3).

The relay has to know how long a packet lasts before it decides whether to decode it at all, and whether the
packet after a lost one carries a spare copy of it. Both answers stand in the first bytes.
"""

RATE = 48_000
"""Samples per second of every array in this package, and of the RTP clock of Opus (RFC 7587 §4.1)."""

MAX_SAMPLES = 5_760
"""A packet lasts at most 120 ms (RFC 6716 §3.2.5, R5)."""

_MAX_FRAME_BYTES = 1_275
"""The longest frame (RFC 6716 §3.2.1)."""

_SILK_10_TO_60_MS = (480, 960, 1920, 2880)
_HYBRID_10_20_MS = (480, 960)
_CELT_2_5_TO_20_MS = (120, 240, 480, 960)
_FIRST_CELT_CONFIG = 16

FRAME_SAMPLES = _SILK_10_TO_60_MS * 3 + _HYBRID_10_20_MS * 2 + _CELT_2_5_TO_20_MS * 4
"""Samples at 48 kHz of one frame, by the five configuration bits of the TOC byte (RFC 6716, table 2)."""


class OpusError(ValueError):
    """A packet, a state or an argument that Opus cannot use; the message is one sentence."""


def packet_samples(payload: bytes) -> int:
    """Samples at 48 kHz that the packet lasts: 120 (2.5 ms) to 5,760 (120 ms).

    Raises ``OpusError`` if the packet is empty, inconsistent in its framing, or longer than 120 ms.
    """
    if not payload:
        raise OpusError("an Opus packet has at least one byte, this one is empty")
    code = payload[0] & 3
    frames = 1 if code == 0 else 2
    if code == 0:
        if len(payload) > _MAX_FRAME_BYTES + 1:
            raise OpusError(f"an Opus frame has at most 1,275 bytes, this one has {len(payload) - 1}")
    elif code == 1:
        if not len(payload) & 1 or len(payload) > 2 * _MAX_FRAME_BYTES + 1:
            raise OpusError(f"two Opus frames of equal size cannot fill {len(payload) - 1} bytes")
    elif code == 2:
        _length(payload, 1, len(payload))
    else:
        frames = _code3_frames(payload)
    samples = frames * FRAME_SAMPLES[payload[0] >> 3]
    if samples > MAX_SAMPLES:
        raise OpusError(f"an Opus packet lasts at most 120 ms, this one claims {samples / 48:g} ms")
    return samples


def has_fec(payload: bytes) -> bool:
    """True if the packet carries a low-bitrate copy (LBRR) of the frame before it.

    The flag follows the voice-activity flags, one per 20 ms, at the head of the first SILK frame (RFC 6716
    §4.2.3 and §4.2.4); CELT has none. Malformed packets have none either.
    """
    if len(payload) < 2 or payload[0] >> 3 >= _FIRST_CELT_CONFIG:
        return False
    try:
        start = _first_frame(payload)
    except OpusError:
        return False
    if start >= len(payload):
        return False
    frames = max(1, FRAME_SAMPLES[payload[0] >> 3] // 960)
    flags = payload[start] >> (7 - frames) & 1
    if payload[0] & 4:  # stereo: the side channel's flags follow the mid channel's
        flags |= payload[start] >> (6 - 2 * frames) & 1
    return bool(flags)


def is_dtx(payload: bytes) -> bool:
    """True for the packets an encoder sends in a pause: a TOC byte and at most one byte more."""
    return len(payload) <= 2


def _length(payload: bytes, at: int, end: int) -> tuple[int, int]:
    """Frame length coded at ``at`` (RFC 6716 §3.2.1) and the offset after it, both checked against ``end``."""
    if at >= end:
        raise OpusError("the Opus packet ends before the length of its frame")
    size, at = payload[at], at + 1
    if size >= 252:
        if at >= end:
            raise OpusError("the Opus packet ends within the length of its frame")
        size, at = size + 4 * payload[at], at + 1
    if at + size > end:
        raise OpusError(f"an Opus frame claims {size} bytes where {max(end - at, 0)} are left")
    return size, at


def _code3(payload: bytes) -> tuple[int, bool, int, int]:
    """Frames, whether their sizes vary, and where their sizes (or they) start and end, without padding."""
    if len(payload) < 2:
        raise OpusError("the Opus packet ends before its frame count")
    frames = payload[1] & 0x3F
    padded = bool(payload[1] & 0x40)
    variable = bool(payload[1] & 0x80)
    if frames == 0 or frames * FRAME_SAMPLES[payload[0] >> 3] > MAX_SAMPLES:
        raise OpusError(f"an Opus packet lasts up to 120 ms, this one claims {frames} frames")
    at, end = 2, len(payload)
    while padded:
        if at >= len(payload):
            raise OpusError("the Opus packet ends within the length of its padding")
        more = payload[at]
        at += 1
        end -= 254 if more == 255 else more
        padded = more == 255
    if end < at:
        raise OpusError("the padding of the Opus packet is longer than the packet")
    return frames, variable, at, end


def _code3_frames(payload: bytes) -> int:
    frames, variable, at, end = _code3(payload)
    if not variable:
        if (end - at) % frames or end - at > frames * _MAX_FRAME_BYTES:
            raise OpusError(f"{frames} Opus frames of equal size cannot fill {end - at} bytes")
        return frames
    total = 0
    for _ in range(frames - 1):
        size, at = _length(payload, at, end)
        total += size
    if at + total > end or end - at - total > _MAX_FRAME_BYTES:
        raise OpusError(f"{frames} Opus frames claim {total} bytes where {end - at} are left")
    return frames


def _first_frame(payload: bytes) -> int:
    """Offset of the first frame's first byte."""
    code = payload[0] & 3
    if code < 2:
        return 1
    if code == 2:
        return _length(payload, 1, len(payload))[1]
    frames, variable, at, end = _code3(payload)
    if variable:
        for _ in range(frames - 1):
            at = _length(payload, at, end)[1]
    return at
