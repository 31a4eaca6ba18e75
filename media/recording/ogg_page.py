"""Pages of the Ogg container (RFC 3533): written whole, and read back as far as they are whole.

Each page carries its own checksum, so a file that was cut anywhere is good up to the last page that was written.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SEGMENTS_MAX: Final = 255
"""Lacing values of a page; a packet of n bytes takes n // 255 + 1 of them."""
_HEAD: Final = struct.Struct("<4sBBqIIIB")
_BIT_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_CONTINUED, _FIRST, _LAST = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Page:
    """One page: whole packets and where they end in time."""

    packets: tuple[bytes, ...]
    granule: int
    """Samples at 48 kHz from the beginning to the end of the last packet (RFC 7845 §4)."""
    serial: int
    """Of the logical stream."""
    number: int
    """From 0, one more each page."""
    first: bool = False
    last: bool = False

    def to_bytes(self) -> bytes:
        """Write the page; packets are never continued on the next one."""
        lacing = b"".join(lacing_of(packet) for packet in self.packets)
        if len(lacing) > SEGMENTS_MAX:
            raise ValueError(f"A page takes {SEGMENTS_MAX} segments, not {len(lacing)}.")
        flags = _FIRST * self.first | _LAST * self.last
        head = _HEAD.pack(b"OggS", 0, flags, self.granule, self.serial, self.number, 0, len(lacing))
        page = head + lacing + b"".join(self.packets)
        return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


def lacing_of(packet: bytes) -> bytes:
    """Return the lacing values of a packet."""
    return b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])


def checksum(page: bytes) -> int:
    """CRC-32 of a page whose checksum field is zero: polynomial 0x04C11DB7, most significant bit first, from 0.

    zlib computes the same polynomial on mirrored bytes.
    """
    mirrored = zlib.crc32(page.translate(_BIT_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def read_pages(data: bytes) -> Iterator[Page]:
    """Yield the pages of a file in order, up to the first that is cut, damaged or of a kind not written here."""
    start = 0
    while (page := _read_page(data, start)) is not None:
        yield page[0]
        start = page[1]


def _read_page(data: bytes, start: int) -> tuple[Page, int] | None:
    if len(data) - start < _HEAD.size:
        return None
    capture, version, flags, granule, serial, number, crc, segments = _HEAD.unpack_from(data, start)
    body = start + _HEAD.size + segments
    if capture != b"OggS" or version != 0 or flags & _CONTINUED or body > len(data):
        return None
    lacing = data[start + _HEAD.size : body]
    end = body + sum(lacing)
    if end > len(data) or (lacing and lacing[-1] == 255):
        return None
    page = data[start:end]
    if checksum(page[:22] + bytes(4) + page[26:]) != crc:
        return None
    packets = tuple(_packets(lacing, data[body:end]))
    return Page(packets, granule, serial, number, bool(flags & _FIRST), bool(flags & _LAST)), end


def _packets(lacing: Sequence[int], body: bytes) -> Iterator[bytes]:
    start = size = 0
    for value in lacing:
        size += value
        if value < 255:
            yield body[start : start + size]
            start, size = start + size, 0
