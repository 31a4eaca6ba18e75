"""Consent checks in native code: the STUN that an established peer sends every few seconds (RFC 7675).

A crowd of 4,000 sends 800 a second. What is exactly a Binding request of a peer who is known by address, fragment
and password is judged and answered here, as :class:`media.rtc.session.Session` would; whatever is unusual in it is
left to the session.
"""

from typing import Any

import numpy as np
from numba import njit

from media.rtc.sha1 import crc32, hmac
from media.rtc.stun import FINGERPRINT, ICE_CONTROLLED, PRIORITY, USE_CANDIDATE, USERNAME
from media.rtc.words import get16, get32, put32

ODD, WRONG, RIGHT = 0, 1, 2
"""Not for here; made with another password; authentic."""
ANSWER_SIZE = 64
UFRAG = 8
"""Characters of a fragment that the relay gives out."""
_TAIL = 32
"""Bytes of MESSAGE-INTEGRITY and FINGERPRINT, which must be last."""
_SIZE_MAX = 548
"""Bytes: what a STUN message may have where the path's MTU is unknown (RFC 8489 §6.1)."""


@njit(nogil=True, cache=True)
def _usual(data: Any, size: Any, ufrag: Any) -> bool:  # pragma: no cover
    """True if nothing in a Binding request needs the session, and it names the fragment."""
    named = False
    at, end = 20, size - _TAIL
    while at < end:
        kind, length = get16(data, at), get16(data, at + 2)
        value = at + 4
        at = value + (length + 3) // 4 * 4
        if at > end:
            return False
        if kind == USERNAME:
            if named or length <= UFRAG or data[value + UFRAG] != 58:  # a colon
                return False
            for index in range(UFRAG):
                if data[value + index] != np.uint8(ufrag >> np.uint64(8 * index) & np.uint64(0xFF)):
                    return False
            named = True
        elif kind in (ICE_CONTROLLED, FINGERPRINT) or (kind < 0x8000 and kind not in (PRIORITY, USE_CANDIDATE)):
            return False
    return named and at == end


@njit(nogil=True, cache=True)
def named(data: Any, size: Any) -> Any:  # pragma: no cover
    """The fragment that a STUN request is for, as :func:`packed` has it; 0 if it names none of that form."""
    found = np.uint64(0)
    if size < 20 or get16(data, 0) != 0x0001 or get32(data, 4) != 0x2112A442:
        return found
    at = 20
    while at + 4 <= size:
        kind, length = get16(data, at), get16(data, at + 2)
        value = at + 4
        if kind == USERNAME:
            if length > UFRAG and value + length <= size and data[value + UFRAG] == 58:  # a colon
                for index in range(UFRAG):
                    found |= np.uint64(data[value + index]) << np.uint64(8 * index)
            return found
        at = value + (length + 3) // 4 * 4
    return found


@njit(nogil=True, cache=True)
def judge(  # pragma: no cover
    data: Any, size: Any, ufrag: Any, key: Any, schedule: Any, padded: Any, digest: Any
) -> int:
    """:data:`ODD`, :data:`WRONG` or :data:`RIGHT`; ``data`` is as before afterwards.

    ``data``: uint8, at least ``size`` bytes; ``ufrag``: the 8 characters as a little-endian uint64; ``key``:
    uint32[10] of :func:`media.rtc.sha1.keyed`; the rest is room to work in, ``digest`` uint8[20].
    """
    if size < 20 + 4 + UFRAG + 4 + _TAIL or size > _SIZE_MAX or size % 4:
        return ODD
    if get32(data, 0) != 0x00010000 | size - 20 or get32(data, 4) != 0x2112A442:
        return ODD
    integrity = size - _TAIL
    if get32(data, integrity) != 0x00080014 or get32(data, size - 8) != 0x80280004:
        return ODD
    if not _usual(data, size, ufrag):
        return ODD
    if get32(data, size - 4) != (crc32(data, size - 8) ^ 0x5354554E):
        return ODD
    put32(data, 0, 0x00010000 | size - 28)  # the length up to MESSAGE-INTEGRITY is what was signed
    hmac(key, data, integrity, schedule, padded, digest)
    put32(data, 0, 0x00010000 | size - 20)
    difference = np.uint8(0)
    for index in range(20):
        difference |= data[integrity + 4 + index] ^ digest[index]
    return RIGHT if difference == 0 else WRONG


@njit(nogil=True, cache=True)
def answer(  # pragma: no cover
    data: Any, source: Any, key: Any, schedule: Any, padded: Any, digest: Any, out: Any
) -> None:
    """Write the success response to ``data``, :data:`ANSWER_SIZE` bytes, to ``out``.

    ``source``: the first 8 bytes of the sender's ``sockaddr_in`` as a little-endian uint64.
    """
    put32(out, 0, 0x0101002C - 8)
    out[4:20] = data[4:20]
    put32(out, 20, 0x00200008)
    out[24], out[25] = 0, 1
    for index in range(6):  # port and address, the cookie's bytes over both
        cookie = data[4 + index] if index < 2 else data[4 + index - 2]
        out[26 + index] = np.uint8(source >> np.uint64(16 + 8 * index) & np.uint64(0xFF)) ^ cookie
    hmac(key, out, 32, schedule, padded, digest)
    put32(out, 0, 0x0101002C)
    put32(out, 32, 0x00080014)
    out[36:56] = digest
    put32(out, 56, 0x80280004)
    put32(out, 60, crc32(out, 56) ^ 0x5354554E)


def packed(ufrag: str) -> int:
    """A fragment of :data:`UFRAG` characters as :func:`judge` takes it."""
    return int.from_bytes(ufrag.encode("ascii"), "little")
