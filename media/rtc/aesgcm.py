"""SRTP's AES-128-GCM for the fan-out, over keys that stand in one table.

libsrtp makes the same bytes at five to seven times the cost for one stream over and over, and at eight to eleven
times for a crowd whose state is no longer in the cache: its contexts lie in many places of the heap. Of a whole
fan-out, most of which is ``sendmmsg``, that spares 13 to 15 % (``python -m loadtest.bench seal``, seven runs on a
2-core EPYC; the fan-out in three). Here a listener's keys are a few cache lines in a row, next to
the next listener's, where the processor's prefetcher finds them. Only sending is done here, and for the swarm's
ears the check of what comes in; what the relay receives goes through libsrtp.

The arithmetic is AES-NI for the cipher (FIPS 197, SP 800-38D) and POLYVAL's form of GHASH (RFC 8452, appendix A):
with bytes reversed and H multiplied by x, products reduce in two carry-less multiplications. It takes the same
time for all keys and all data. ``tests/media/rtc/test_aesgcm.py`` holds it against ``cryptography`` and libsrtp.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.vector import (
    AVAILABLE,
    aes_last,
    aes_round,
    both,
    high,
    load,
    low,
    multiply_cross,
    multiply_high,
    multiply_low,
    reverse,
    store,
    swap,
    vector,
    xor,
)

KEYS = np.dtype(
    {
        "names": ["rounds", "powers", "salt", "rollover"],
        "formats": [("u1", (11, 16)), ("u1", (8, 16)), ("u1", 12), "u4"],
        "offsets": [0, 176, 304, 316],
        "itemsize": 320,
    }
)
"""One stream's sending keys: the round keys of AES-128; H times x to the powers 1 to 8, byte-reversed; the salt;
and SRTP's rollover counter. 320 bytes, a row of cache lines."""

SIZE: int = KEYS.itemsize
TAG = 16
"""Bytes that authenticate a packet, behind its ciphertext."""
_POWERS, _SALT = 176, 304
_WORDS = 0xFFFF_FFFF_FFFF_FFFF

_LABEL_KEY, _LABEL_SALT = 0x00, 0x02
"""Of the RTP session key and salt in the key derivation (RFC 3711 §4.3.1)."""


@njit(nogil=True, cache=True, inline="always")
def _reduce(lower: Any, middle: Any, upper: Any) -> Any:  # pragma: no cover
    """A 256-bit product (its middle part still apart) times x^-128, modulo POLYVAL's polynomial."""
    folder = vector(np.uint64(0xC200000000000000), np.uint64(0))
    lower = xor(lower, vector(np.uint64(0), low(middle)))
    upper = xor(upper, vector(high(middle), np.uint64(0)))
    lower = xor(swap(lower), multiply_low(lower, folder))
    lower = xor(swap(lower), multiply_low(lower, folder))
    return xor(upper, lower)


@njit(nogil=True, cache=True, inline="always")
def _times(one: Any, other: Any) -> Any:  # pragma: no cover
    middle = xor(multiply_cross(one, other), multiply_cross(other, one))
    return _reduce(multiply_low(one, other), middle, multiply_high(one, other))


@njit(nogil=True, cache=True, inline="always")
def _encrypt(keys: int, block: Any) -> Any:  # pragma: no cover
    """One block of AES-128 under the round keys at ``keys``."""
    state = xor(block, load(np.uintp(keys)))
    for number in range(1, 10):
        state = aes_round(state, load(np.uintp(keys + 16 * number)))
    return aes_last(state, load(np.uintp(keys + 160)))


@njit(nogil=True, cache=True, inline="always")
def _counter(first: np.uint64, second: np.uint64, count: int) -> Any:  # pragma: no cover
    """A counter block: the 12 bytes of the nonce in two words, and a 32-bit count, big-endian."""
    value = np.uint64(count)
    swapped = (value & np.uint64(0xFF)) << np.uint64(24) | (value & np.uint64(0xFF00)) << np.uint64(8)
    return vector(first, second | swapped << np.uint64(32))


@njit(nogil=True, cache=True, inline="always")
def _swap32(value: Any) -> Any:  # pragma: no cover
    word = np.uint64(value)
    return (
        (word & np.uint64(0xFF)) << np.uint64(24)
        | (word & np.uint64(0xFF00)) << np.uint64(8)
        | (word & np.uint64(0xFF0000)) >> np.uint64(8)
        | (word & np.uint64(0xFF000000)) >> np.uint64(24)
    )


@njit(nogil=True, cache=True, inline="always")
def _mask(size: int) -> Any:  # pragma: no cover
    """Ones in the first ``size`` bytes, 0 to 16."""
    if size >= 16:
        return vector(np.uint64(_WORDS), np.uint64(_WORDS))
    if size >= 8:
        return vector(np.uint64(_WORDS), (np.uint64(1) << np.uint64(8 * (size - 8))) - np.uint64(1))
    return vector((np.uint64(1) << np.uint64(8 * size)) - np.uint64(1), np.uint64(0))


@njit(nogil=True, cache=True, inline="always")
def _keystream(keys: int, first: Any, second: Any, count: int) -> Any:  # pragma: no cover
    """Four counter blocks encrypted side by side, since a round's result takes four cycles to arrive."""
    key = load(np.uintp(keys))
    one = xor(_counter(first, second, count), key)
    two = xor(_counter(first, second, count + 1), key)
    three = xor(_counter(first, second, count + 2), key)
    four = xor(_counter(first, second, count + 3), key)
    for number in range(1, 10):
        key = load(np.uintp(keys + 16 * number))
        one, two = aes_round(one, key), aes_round(two, key)
        three, four = aes_round(three, key), aes_round(four, key)
    key = load(np.uintp(keys + 160))
    return aes_last(one, key), aes_last(two, key), aes_last(three, key), aes_last(four, key)


@njit(nogil=True, cache=True, inline="always")
def _cipher(at: int, payload: int, stream: Any) -> None:  # pragma: no cover
    store(np.uintp(at), xor(load(np.uintp(payload)), stream))


@njit(nogil=True, cache=True, inline="always")
def _nonce(keys: int, ssrc: int, rollover: Any, sequence: int) -> Any:  # pragma: no cover
    """Two words: the salt XOR two zero bytes, SSRC, rollover counter and sequence number (RFC 7714 §8.1)."""
    salt = load(np.uintp(keys + _SALT))
    over, number = _swap32(rollover), np.uint64(sequence)
    first = low(salt) ^ (_swap32(ssrc) << np.uint64(16) | over << np.uint64(48))
    ends = (number & np.uint64(0xFF)) << np.uint64(24) | (number & np.uint64(0xFF00)) << np.uint64(8)
    return first, (high(salt) & np.uint64(0xFFFF_FFFF)) ^ (over >> np.uint64(16) | ends)


@njit(nogil=True, cache=True, inline="always")
def _digest(keys: int, packet: int, header: int, size: int) -> Any:  # pragma: no cover
    """GHASH over ``header`` bytes at ``packet``, ``size`` bytes of ciphertext behind them, and both lengths."""
    body = packet + header
    heads, bodies = (header + 15) // 16, (size + 15) // 16
    nothing = vector(np.uint64(0), np.uint64(0))
    lower, middle, upper, total = nothing, nothing, nothing, nothing
    power = (heads + bodies) % 8 + 1  # of the first block, so that the last one is multiplied by H itself
    for index in range(heads + bodies + 1):
        if index < heads:
            block = reverse(both(load(np.uintp(packet + 16 * index)), _mask(header - 16 * index)))
        elif index < heads + bodies:
            at = 16 * (index - heads)
            block = reverse(both(load(np.uintp(body + at)), _mask(size - at)))
        else:
            block = vector(np.uint64(8 * size), np.uint64(8 * header))
        block = xor(block, total)
        total = nothing
        factor = load(np.uintp(keys + _POWERS + 16 * (power - 1)))
        lower = xor(lower, multiply_low(block, factor))
        upper = xor(upper, multiply_high(block, factor))
        middle = xor(middle, xor(multiply_cross(block, factor), multiply_cross(factor, block)))
        power -= 1
        if power == 0:
            total = _reduce(lower, middle, upper)
            lower, middle, upper = nothing, nothing, nothing
            power = 8
    return reverse(total)


@njit(nogil=True, cache=True)
def _seal(  # pragma: no cover
    keys: int, packet: int, header: int, payload: int, size: int, ssrc: int, sequence: int
) -> None:
    """Encrypt and authenticate one RTP packet (RFC 7714 §9.1).

    ``keys``, ``packet`` and ``payload`` are addresses: of a :data:`KEYS`, of the packet whose ``header`` bytes
    stand already, and of the sound, ``size`` bytes. Ciphertext and tag, ``size`` + 16 bytes, go behind the header.
    Up to 64 bytes behind the payload are read, and as many behind the ciphertext are written.
    """
    rollover = high(load(np.uintp(keys + _SALT))) >> np.uint64(32)
    first, second = _nonce(keys, ssrc, rollover, sequence)
    body = packet + header
    pad, one, two, three = _keystream(keys, first, second, 1)
    _cipher(body, payload, one)
    _cipher(body + 16, payload + 16, two)
    _cipher(body + 32, payload + 32, three)
    for at in range(48, size, 64):
        zero, one, two, three = _keystream(keys, first, second, 2 + at // 16)
        _cipher(body + at, payload + at, zero)
        _cipher(body + at + 16, payload + at + 16, one)
        _cipher(body + at + 32, payload + at + 32, two)
        _cipher(body + at + 48, payload + at + 48, three)
    store(np.uintp(body + size), xor(_digest(keys, packet, header, size), pad))


@njit(nogil=True, cache=True)
def _authentic(  # pragma: no cover
    keys: int, packet: int, header: int, size: int, ssrc: int, rollover: int, sequence: int
) -> bool:
    """True if a sealed packet of ``header`` bytes, ``size`` bytes of ciphertext and a tag is what its sender made.

    For who counts packets and does not listen to them: nothing is decrypted, and replays are the caller's affair.
    Up to 16 bytes behind the packet are read.
    """
    first, second = _nonce(keys, ssrc, rollover, sequence)
    pad = _encrypt(keys, _counter(first, second, 1))
    tag = xor(_digest(keys, packet, header, size), pad)
    wrong = xor(tag, load(np.uintp(packet + header + size)))
    return (low(wrong) | high(wrong)) == 0


@njit(nogil=True, cache=True)
def _leave(  # pragma: no cover
    keys: int, packet: int, header: int, payload: int, size: int, ssrc: int, sequence: int
) -> None:
    """What stands in for :func:`seal` on a processor that has not what it takes; never called there."""


@njit(nogil=True, cache=True)
def _deny(  # pragma: no cover
    keys: int, packet: int, header: int, size: int, ssrc: int, rollover: int, sequence: int
) -> bool:
    """What stands in for :func:`authentic` there."""
    return False


seal, authentic = (_seal, _authentic) if AVAILABLE else (_leave, _deny)


@njit(nogil=True, cache=True)
def _expand(table: int, key: Any, box: Any) -> None:  # pragma: no cover
    """Write the round keys of a 16-byte key to ``table`` (FIPS 197 §5.2)."""
    schedule = np.empty(176, np.uint8)
    schedule[:16] = key
    constant = 1
    for word in range(4, 44):
        at = 4 * word
        before = schedule[at - 4 : at].copy()
        if word % 4 == 0:
            turned = before[0]
            before[0] = box[before[1]] ^ constant
            before[1], before[2], before[3] = box[before[2]], box[before[3]], box[turned]
            constant = (constant << 1) ^ (0x11B if constant & 0x80 else 0)
        schedule[at : at + 4] = schedule[at - 16 : at - 12] ^ before
    for number in range(11):
        store(np.uintp(table + 16 * number), load(np.uintp(schedule.ctypes.data + 16 * number)))


@njit(nogil=True, cache=True)
def _derive(table: int, master: Any, box: Any) -> None:  # pragma: no cover
    """Fill a :data:`KEYS` from 16 bytes of master key and 12 of master salt (RFC 3711 §4.3, RFC 7714 §11)."""
    _expand(table, master[:16], box)
    block = np.zeros(16, np.uint8)
    block[:12] = master[16:28]
    block[7] ^= _LABEL_KEY
    address = np.uintp(block.ctypes.data)
    key = _encrypt(table, load(address))
    block[7] ^= _LABEL_KEY ^ _LABEL_SALT
    salt = _encrypt(table, load(address))
    store(address, key)
    _expand(table, block, box)
    store(np.uintp(table + _SALT), both(salt, _mask(12)))  # and no rollover yet
    _raise(table)


@njit(nogil=True, cache=True)
def _load(table: int, key: Any, salt: Any, box: Any) -> None:  # pragma: no cover
    """Fill a :data:`KEYS` with 16 bytes of session key and 16 of salt, of which the last four are 0."""
    _expand(table, key, box)
    store(np.uintp(table + _SALT), load(np.uintp(salt.ctypes.data)))
    _raise(table)


@njit(nogil=True, cache=True, inline="always")
def _raise(table: int) -> None:  # pragma: no cover
    """Write the powers of H, which the round keys at ``table`` give."""
    base = reverse(_encrypt(table, vector(np.uint64(0), np.uint64(0))))
    carry = high(base) >> np.uint64(63)
    lower = low(base) << np.uint64(1) ^ carry
    upper = (high(base) << np.uint64(1) | low(base) >> np.uint64(63)) ^ carry * np.uint64(0xC200000000000000)
    base = vector(lower, upper)
    power = base
    for number in range(8):
        store(np.uintp(table + _POWERS + 16 * number), power)
        power = _times(power, base)


def _substitution_box() -> NDArray[np.uint8]:
    """AES's S-box from its definition (FIPS 197 §5.1.1): the inverse in GF(2^8), then an affine map."""
    box = np.zeros(256, np.uint8)
    p = q = 1
    while True:
        p ^= (p << 1 & 0xFF) ^ (0x1B if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        if q & 0x80:
            q ^= 0x09
        turned = q
        for shift in range(1, 5):
            turned ^= (q << shift | q >> (8 - shift)) & 0xFF
        box[p] = turned ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


_BOX = _substitution_box()


def load_keys(keys: NDArray[Any], place: int, key: bytes, salt: bytes) -> None:
    """Fill ``keys[place]`` with a session key and a salt that are known, for the known answers."""
    padded = np.frombuffer(salt + bytes(4), np.uint8)
    _load(keys.ctypes.data + place * SIZE, np.frombuffer(key, np.uint8), padded, _BOX)


def derive(keys: NDArray[Any], place: int, master: bytes) -> None:
    """Fill ``keys[place]`` of a table of :data:`KEYS` with what a stream sends with; ``master``: key and salt."""
    _derive(keys.ctypes.data + place * SIZE, np.frombuffer(master, np.uint8), _BOX)
