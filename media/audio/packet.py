"""What can be read from an Opus packet without decoding it (RFC 6716 §3).

The relay has to know how long a packet lasts before it decides whether to decode it at all, and whether the
packet after a lost one carries a spare copy of it. Both answers stand in the first bytes. They are compiled, for
kernels that see hundreds of packets in a tick, and have a Python face for everybody else.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


DTX_SIZE = 2
"""Bytes of the packets an encoder sends in a pause, at most."""


class OpusError(ValueError):
    """A packet, a state or an argument that Opus cannot use; the message is one sentence."""


_FRAME_SAMPLES = np.array(FRAME_SAMPLES, np.int64)

_EMPTY, _LONG, _UNEQUAL, _CUT, _BEYOND, _FRAMES, _PADDING = range(-7, 0)
_WHY = {
    _EMPTY: "an Opus packet has at least one byte, this one is empty",
    _LONG: "an Opus frame has at most 1,275 bytes, this packet has one of more",
    _UNEQUAL: "Opus frames of equal size cannot fill this packet",
    _CUT: "the Opus packet ends within the length of a frame",
    _BEYOND: "an Opus frame claims more bytes than are left of its packet",
    _FRAMES: "an Opus packet lasts at most 120 ms, this one claims more, or nothing",
    _PADDING: "the padding of the Opus packet is longer than the packet",
}


def packet_samples(payload: bytes) -> int:
    """Samples at 48 kHz that the packet lasts: 120 (2.5 ms) to 5,760 (120 ms).

    Raises ``OpusError`` if the packet is empty, inconsistent in its framing, or longer than 120 ms.
    """
    found = int(samples_in(octets(payload), len(payload)))
    if found < 0:
        raise OpusError(_WHY[found])
    return found


def has_fec(payload: bytes) -> bool:
    """True if the packet carries a low-bitrate copy (LBRR) of the frame before it.

    The flag follows the voice-activity flags, one per 20 ms, at the head of the first SILK frame (RFC 6716
    §4.2.3 and §4.2.4); CELT has none. Malformed packets have none either.
    """
    return bool(spare_copy_in(octets(payload), len(payload)))


def is_dtx(payload: bytes) -> bool:
    """True for the packets an encoder sends in a pause: a TOC byte and at most one byte more."""
    return len(payload) <= DTX_SIZE


def octets(payload: bytes) -> NDArray[np.uint8]:
    """A copy of some bytes for the functions below."""
    return np.frombuffer(bytearray(payload or b"\0"), np.uint8)


@njit(nogil=True, cache=True)
def samples_in(data: Any, size: int) -> Any:  # pragma: no cover
    """As ``packet_samples`` for the first ``size`` of ``data``, uint8; negative where that raises."""
    if size < 1:
        return _EMPTY
    code = data[0] & 3
    frames = 1 if code == 0 else 2
    if code == 0:
        if size > _MAX_FRAME_BYTES + 1:
            return _LONG
    elif code == 1:
        if size & 1 == 0 or size > 2 * _MAX_FRAME_BYTES + 1:
            return _UNEQUAL
    elif code == 2:
        length, _ = _length(data, 1, size)
        if length < 0:
            return length
    else:
        frames = _frames(data, size)
        if frames < 0:
            return frames
    samples = frames * _FRAME_SAMPLES[data[0] >> 3]
    return samples if samples <= MAX_SAMPLES else _FRAMES


@njit(nogil=True, cache=True)
def spare_copy_in(data: Any, size: int) -> bool:  # pragma: no cover
    """As ``has_fec`` for the first ``size`` of ``data``, uint8."""
    if size < 2 or data[0] >> 3 >= _FIRST_CELT_CONFIG:
        return False
    start = _first_frame(data, size)
    if start < 0 or start >= size:
        return False
    frames = max(1, _FRAME_SAMPLES[data[0] >> 3] // 960)
    flags = data[start] >> (7 - frames) & 1
    if data[0] & 4:  # stereo: the side channel's flags follow the mid channel's
        flags |= data[start] >> (6 - 2 * frames) & 1
    return flags != 0


@njit(nogil=True, cache=True)
def _length(data: Any, at: Any, end: Any) -> Any:  # pragma: no cover
    """Frame length coded at ``at`` (RFC 6716 §3.2.1), and the offset after it; a length below 0 is an error."""
    if at >= end:
        return _CUT, at
    size = np.int64(data[at])
    at += 1
    if size >= 252:
        if at >= end:
            return _CUT, at
        size += 4 * np.int64(data[at])
        at += 1
    return (size, at) if at + size <= end else (_BEYOND, at)


@njit(nogil=True, cache=True)
def _code3(data: Any, size: int) -> Any:  # pragma: no cover
    """Frames, and where their sizes (or they) start and end, without padding; below 0 is an error."""
    if size < 2:
        return _CUT, 0, 0
    frames = np.int64(data[1] & 0x3F)
    if frames == 0 or frames * _FRAME_SAMPLES[data[0] >> 3] > MAX_SAMPLES:
        return _FRAMES, 0, 0
    at, end = 2, size
    padded = data[1] & 0x40 != 0
    while padded:
        if at >= size:
            return _CUT, 0, 0
        more = np.int64(data[at])
        at += 1
        end -= 254 if more == 255 else more
        padded = more == 255
    return (frames, at, end) if end >= at else (_PADDING, 0, 0)


@njit(nogil=True, cache=True)
def _frames(data: Any, size: int) -> Any:  # pragma: no cover
    """How many frames a packet of any number of them has; below 0 is an error."""
    frames, at, end = _code3(data, size)
    if frames < 0:
        return frames
    if data[1] & 0x80 == 0:
        return _UNEQUAL if (end - at) % frames or end - at > frames * _MAX_FRAME_BYTES else frames
    total = 0
    for _ in range(frames - 1):
        length, at = _length(data, at, end)
        if length < 0:
            return length
        total += length
    return _BEYOND if at + total > end or end - at - total > _MAX_FRAME_BYTES else frames


@njit(nogil=True, cache=True)
def _first_frame(data: Any, size: int) -> Any:  # pragma: no cover
    """Offset of the first frame's first byte; below 0 is an error."""
    code = data[0] & 3
    if code < 2:
        return 1
    if code == 2:
        length, at = _length(data, 1, size)
        return at if length >= 0 else length
    frames, at, end = _code3(data, size)
    if frames < 0:
        return frames
    if data[1] & 0x80:
        for _ in range(frames - 1):
            length, at = _length(data, at, end)
            if length < 0:
                return length
    return at
