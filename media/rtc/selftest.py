"""Known answers that this process's AES-GCM has to give before anything is sealed with it.

A kernel can be compiled wrongly, by another LLVM or for a processor that says too much of itself; what it then
sends would be noise to every listener, or plain text to everybody else. The answers are those of GCM's submission
to NIST for AES-128, and the key derivation is held against libsrtp's, which is used instead if anything differs.
"""

from functools import cache

import numpy as np

from media.rtc.aesgcm import KEYS, TAG, authentic, derive, load_keys, seal
from media.rtc.srtp import AES_128_GCM, SrtpContext
from media.rtc.vector import AVAILABLE

OWN, LIBSRTP = "own AES-GCM", "libsrtp"
"""What seals packets of AES-128-GCM."""

_KEY, _IV = "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888"
_PLAIN = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
_SEALED = (
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
)
VECTORS = (
    ("00" * 16, "00" * 12, "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    ("00" * 16, "00" * 12, "", "00" * 16, "0388dace60b6a392f328c2b971b2fe78" + "ab6e47d42cec13bdf53a67b21257bddf"),
    (_KEY, _IV, "", _PLAIN, _SEALED + "4d5c2af327cd64a62cf35abd2ba6fab4"),
    (
        *(_KEY, _IV, "feedfacedeadbeeffeedfacedeadbeefabaddad2", _PLAIN[:120]),
        _SEALED[:120] + "5bc94fbc3221a5db94fae95ae7121a47",
    ),
)
"""Key, nonce, associated data, plain text, and what comes out: test cases 1 to 4 of the submission, in hex."""

_MASTER = bytes(range(16)) + bytes(range(0xA0, 0xAC))
_PACKET = bytes.fromhex("806f1234000003c0cafebabe") + bytes(range(100))


@cache
def sealer() -> str:
    """:data:`OWN` if the processor has what it takes and every answer is right, else :data:`LIBSRTP`."""
    return OWN if AVAILABLE and _answers_right() and _agrees_with_libsrtp() else LIBSRTP


def failed() -> bool:
    """The processor has what it takes, and an answer was wrong."""
    return AVAILABLE and sealer() == LIBSRTP


def _answers_right() -> bool:
    for key, nonce, header, plain, expected in VECTORS:
        table = np.zeros(1, KEYS)
        load_keys(table, 0, bytes.fromhex(key), bytes.fromhex(nonce))
        if _sealed(table, bytes.fromhex(header), bytes.fromhex(plain), 0, 0).hex() != expected:
            return False
    return True


def _agrees_with_libsrtp() -> bool:
    table, context = np.zeros(1, KEYS), SrtpContext(AES_128_GCM, _MASTER, ssrc=0xCAFEBABE)
    derive(table, 0, _MASTER)
    theirs = context.protect(_PACKET)
    context.close()
    packet = np.frombuffer(theirs + bytes(16), np.uint8).copy()
    size = len(_PACKET) - 12
    ours = _PACKET[:12] + _sealed(table, _PACKET[:12], _PACKET[12:], 0xCAFEBABE, 0x1234)
    address = (table.ctypes.data, packet.ctypes.data, 12, size, 0xCAFEBABE, 0, 0x1234)
    known = bool(authentic(*address))
    packet[20] ^= 1
    return ours == theirs and known and not authentic(*address)


def _sealed(table: np.ndarray, header: bytes, plain: bytes, ssrc: int, sequence: int) -> bytes:
    packet, payload = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    packet[: len(header)], payload[: len(plain)] = [*header], [*plain]
    seal(table.ctypes.data, packet.ctypes.data, len(header), payload.ctypes.data, len(plain), ssrc, sequence)
    return packet[len(header) : len(header) + len(plain) + TAG].tobytes()
