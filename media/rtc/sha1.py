"""HMAC-SHA1 and CRC-32 inside kernels: what proves a STUN message (RFC 8489 §14.5, §14.7).

hashlib does the same faster, but only with the GIL. A password's two first blocks are hashed once
(:func:`keyed`), so that a connectivity check costs three blocks and its answer two.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.words import get32, put32

BLOCK, DIGEST = 64, 20
"""Bytes."""


def scratch() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """What :func:`hmac` works in: a message schedule, and room for padded blocks."""
    return np.zeros(80, np.uint32), np.zeros(2 * BLOCK, np.uint8)


@njit(nogil=True, cache=True, inline="always")
def _turn(word: Any, by: int) -> Any:  # pragma: no cover
    return np.uint32(word << np.uint32(by)) | np.uint32(word >> np.uint32(32 - by))


@njit(nogil=True, cache=True)
def _block(state: Any, data: Any, at: int, schedule: Any) -> Any:  # pragma: no cover
    """Hash the 64 bytes of ``data`` at ``at`` into five words (FIPS 180-4 §6.1.2)."""
    for index in range(16):
        schedule[index] = get32(data, at + 4 * index)
    for index in range(16, 80):
        schedule[index] = _turn(
            schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14] ^ schedule[index - 16], 1
        )
    a, b, c, d, e = state
    for index in range(20):
        new = np.uint32(_turn(a, 5) + (d ^ (b & (c ^ d))) + e + np.uint32(0x5A827999) + schedule[index])
        e, d, c, b, a = d, c, _turn(b, 30), a, new
    for index in range(20, 40):
        new = np.uint32(_turn(a, 5) + (b ^ c ^ d) + e + np.uint32(0x6ED9EBA1) + schedule[index])
        e, d, c, b, a = d, c, _turn(b, 30), a, new
    for index in range(40, 60):
        new = np.uint32(_turn(a, 5) + ((b & c) | (d & (b | c))) + e + np.uint32(0x8F1BBCDC) + schedule[index])
        e, d, c, b, a = d, c, _turn(b, 30), a, new
    for index in range(60, 80):
        new = np.uint32(_turn(a, 5) + (b ^ c ^ d) + e + np.uint32(0xCA62C1D6) + schedule[index])
        e, d, c, b, a = d, c, _turn(b, 30), a, new
    return (
        np.uint32(state[0] + a),
        np.uint32(state[1] + b),
        np.uint32(state[2] + c),
        np.uint32(state[3] + d),
        np.uint32(state[4] + e),
    )


@njit(nogil=True, cache=True)
def _finish(state: Any, data: Any, size: int, schedule: Any, padded: Any) -> Any:  # pragma: no cover
    """Hash ``size`` bytes and the padding that ends a message of which one block was hashed before."""
    whole = size // 64 * 64
    for at in range(0, whole, 64):
        state = _block(state, data, at, schedule)
    rest = size - whole
    padded[:rest] = data[whole:size]
    padded[rest:] = 0
    padded[rest] = 0x80
    end = 64 if rest < 56 else 128
    bits = 8 * (64 + size)
    padded[end - 3] = bits >> 16 & 0xFF
    padded[end - 2] = bits >> 8 & 0xFF
    padded[end - 1] = bits & 0xFF
    for at in range(0, end, 64):
        state = _block(state, padded, at, schedule)
    return state


@njit(nogil=True, cache=True)
def _write(state: Any, out: Any) -> None:  # pragma: no cover
    for index in range(5):
        put32(out, 4 * index, state[index])


@njit(nogil=True, cache=True)
def hmac(  # pragma: no cover
    key: Any, data: Any, size: int, schedule: Any, padded: Any, out: Any
) -> None:
    """HMAC-SHA1 (RFC 2104) of the first ``size`` bytes of ``data``, below 2^20, into the 20 bytes ``out``.

    ``key``: uint32[10] of :func:`keyed`. The others are :func:`scratch`.
    """
    state = _finish((key[0], key[1], key[2], key[3], key[4]), data, size, schedule, padded)
    _write(state, out)
    _write(_finish((key[5], key[6], key[7], key[8], key[9]), out, 20, schedule, padded), out)


@njit(nogil=True, cache=True)
def _keyed(inner: Any, outer: Any, schedule: Any, key: Any) -> None:  # pragma: no cover
    start = (
        np.uint32(0x67452301),
        np.uint32(0xEFCDAB89),
        np.uint32(0x98BADCFE),
        np.uint32(0x10325476),
        np.uint32(0xC3D2E1F0),
    )
    first, second = _block(start, inner, 0, schedule), _block(start, outer, 0, schedule)
    for index in range(5):
        key[index], key[5 + index] = first[index], second[index]


_PADS = tuple(bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def keyed(password: bytes) -> NDArray[np.uint32]:
    """The two states, uint32[10], from which every HMAC under ``password`` starts; it has 64 bytes at most."""
    if len(password) > BLOCK:
        raise ValueError("a key of more than 64 bytes would have to be hashed first")
    padded = password.ljust(BLOCK, b"\0")
    inner, outer = (np.frombuffer(padded.translate(table), np.uint8) for table in _PADS)
    key, schedule = np.zeros(10, np.uint32), np.empty(80, np.uint32)
    _keyed(inner, outer, schedule, key)
    return key


def _crc_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0xEDB88320), table >> 1).astype(np.uint32)
    return table


_CRC = _crc_table()


@njit(nogil=True, cache=True)
def crc32(data: Any, size: int) -> Any:  # pragma: no cover
    """CRC-32 (ITU-T V.42) of the first ``size`` bytes."""
    crc = np.uint32(0xFFFFFFFF)
    for index in range(size):
        crc = _CRC[(crc ^ np.uint32(data[index])) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return np.uint32(~crc)
