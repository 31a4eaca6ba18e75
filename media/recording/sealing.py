"""Records sealed one by one: a file can be read as far as it was written, and no further than it is genuine.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015) over AES-256-GCM: the nonce of a record holds a prefix of the file, the
record's number, and whether it is the last one. So a record that is missing, doubled, moved, or of another file
does not open, and a file that ends without its last record is known to have been cut. The head is authenticated
with every record.

A file is::

    "SPSEAL01"  salt (16)  nonce prefix (7)  length of context (2)  context
    record: length of ciphertext, top bit set in the last one (4, little endian)  ciphertext and tag

Keys go two ways down from the secrets: the key of a Space is made of a master key and of the secret of a slot
that can be erased; the key of a file is made of the key of its Space and of the file's salt.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT: Final = 16 + 7
"""Random bytes that a file begins with: the salt of its key and the prefix of its nonces."""
KEY: Final = 32
"""Bytes of the master key, of a slot's secret and of every key made of them."""
RECORD_MAX: Final = 1 << 24
"""Bytes of a record: far more than a second of sound, and little enough to be read at once."""
CONTEXT_MAX: Final = 0xFFFF
_MAGIC: Final = b"SPSEAL01"
_TAG: Final = 16
_LAST: Final = 1 << 31


class Ending(StrEnum):
    """How a sealed file ends."""

    WHOLE = "whole"
    """With its last record."""
    CUT = "cut"
    """Before it: what is there is genuine, and more was written or was to be."""
    BROKEN = "broken"
    """With something that is not genuine, or that the key does not open."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What could be opened of a file."""

    records: list[bytes]
    ending: Ending
    context: bytes
    """What the head says the file is; genuine if there is a record."""


def space_key(master: bytes, slot_secret: bytes, space_id: str) -> bytes:
    """Derive the key of a Space; without either secret nothing of it can be known (RFC 5869)."""
    return HKDF(SHA256(), KEY, slot_secret, b"spaces-lab evidence of a Space\0" + space_id.encode()).derive(master)


class Sealer:
    """A file that is written: records in, bytes to append out."""

    def __init__(self, key: bytes, salt: bytes, context: bytes = b"") -> None:
        """Take the key of the Space, :data:`SALT` random bytes never used before, and what the file is."""
        if len(salt) != SALT or len(context) > CONTEXT_MAX:
            raise ValueError(f"A sealed file needs a salt of {SALT} bytes and a context of {CONTEXT_MAX} at most.")
        self._prefix = salt[16:]
        self.head = _MAGIC + salt + struct.pack("<H", len(context)) + context
        """To be appended before any record."""
        self._aead = AESGCM(_file_key(key, salt[:16]))
        self._number = 0
        self._ended = False

    def seal(self, record: bytes, *, last: bool = False) -> bytes:
        """Seal the next record."""
        if self._ended or len(record) > RECORD_MAX:
            raise ValueError(
                f"A sealed file takes records of {RECORD_MAX} bytes at most, and none after its last."
            )
        sealed = self._aead.encrypt(_nonce(self._prefix, self._number, last), record, self.head)
        self._number += 1
        self._ended = last
        return struct.pack("<I", len(sealed) | (_LAST if last else 0)) + sealed

    def end(self) -> bytes:
        """Seal the mark of a clean end: an empty last record."""
        return self.seal(b"", last=True)


def unseal(data: bytes, key: bytes) -> Unsealed:
    """Open what is genuine of a file, in order; nothing after the first fault is returned."""
    head = _read_head(data)
    if head is None:
        cut = _MAGIC.startswith(data[: len(_MAGIC)])
        return Unsealed([], Ending.CUT if cut else Ending.BROKEN, b"")
    aead, prefix = AESGCM(_file_key(key, head[8:24])), head[24:31]
    records: list[bytes] = []
    context, end = head[33:], len(head)
    for start, stop, last in record_bounds(data):
        try:
            records.append(aead.decrypt(_nonce(prefix, len(records), last), data[start:stop], head))
        except InvalidTag:
            return Unsealed(records, Ending.BROKEN, context)
        end = stop
        if last:
            return Unsealed(records, Ending.WHOLE if end == len(data) else Ending.BROKEN, context)
    left = data[end:]
    impossible = len(left) >= 4 and not _possible(struct.unpack_from("<I", left)[0] & ~_LAST)
    return Unsealed(records, Ending.BROKEN if impossible else Ending.CUT, context)


def record_bounds(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where the ciphertext of each whole record begins and ends, and whether it says it is the last."""
    head = _read_head(data)
    at = len(data) if head is None else len(head)
    while at + 4 <= len(data):
        (word,) = struct.unpack_from("<I", data, at)
        size = word & ~_LAST
        if not _possible(size) or at + 4 + size > len(data):
            return
        yield at + 4, at + 4 + size, bool(word & _LAST)
        at += 4 + size


def _possible(size: int) -> bool:
    return _TAG <= size <= RECORD_MAX + _TAG


def _read_head(data: bytes) -> bytes | None:
    if len(data) < 33 or data[:8] != _MAGIC:
        return None
    (size,) = struct.unpack_from("<H", data, 31)
    return data[: 33 + size] if len(data) >= 33 + size else None


def _file_key(key: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY, salt, b"spaces-lab evidence file").derive(key)


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)
