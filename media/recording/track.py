"""A track as it is written: packets as they were heard, on the timeline of their Space, in records of a second.

A record is what is sealed at once: when it begins, how loud and how long each of its packets is, and the Ogg pages
with the packets themselves. So loudness and talk-spurts are known without decoding, and the pages of all records,
one after the other, are an Ogg Opus file. The first record of a file says in JSON what the track is.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from media.recording.ogg_opus import FRAME, RATE, OggOpusWriter
from media.recording.ogg_page import read_pages

HELD_MS: Final = 900
"""Sound that waits for its page to be full; with what is on its way, less than a second."""
GAP_MS: Final = 60
"""How late a packet is when there was a pause before it; less is the clock of who speaks, or sound that was played
faster or slower to correct the delay."""
SILENT: Final = 127
"""Level of silence in -dBov (RFC 6464)."""
UNIT: Final = 120
"""Samples (2.5 ms) in which the length of a packet is written: the shortest there are (RFC 6716 §2.1.4)."""
_MS: Final = RATE // 1000
_HEAD: Final = struct.Struct("<IH")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one record holds."""

    start_ms: int
    """Since the Space started."""
    packets: tuple[tuple[bytes, int, int], ...]
    """Payload, samples and level (-dBov) of each."""
    pages: bytes

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        return self.start_ms + sum(samples for _, samples, _ in self.packets) // _MS


class TrackWriter:
    """Packets in, records out."""

    def __init__(self, serial: int, about: dict[str, Any]) -> None:
        """``about`` says what the track is, and is kept in its first record."""
        self._about = about
        self._ogg = OggOpusWriter(serial)
        self._start_ms: int | None = None
        self._held: list[tuple[int, int]] = []
        """Samples and level of each packet that is in no record."""
        self._recorded = 0
        """Samples in records."""

    def begin(self) -> list[bytes]:
        """Return what a file begins with."""
        return [json.dumps(self._about).encode(), _HEAD.pack(0, 0) + self._ogg.head()]

    def packet(self, ms: int, payload: bytes, samples: int, level: int) -> list[bytes]:
        """Add a packet that was heard at ``ms`` since the Space started."""
        if self._start_ms is None:
            self._start_ms = ms
        records: list[bytes] = []
        pause = ms - self._start_ms - self._ogg.samples // _MS
        if pause >= GAP_MS:
            records += self._silence(pause)
        self._held.append((samples, level))
        return records + self._take(self._ogg.packet(payload, samples))

    def handle_timer(self, ms: int) -> list[bytes]:
        """Write what has waited for :data:`HELD_MS`, whoever has gone on speaking."""
        if self._held and ms - self._ms_of(self._recorded) >= HELD_MS:
            return self._take(self._ogg.flush())
        return []

    def end(self) -> list[bytes]:
        """End the track."""
        return self._take(self._ogg.end())

    def _silence(self, ms: int) -> list[bytes]:
        """Fill a pause, in stretches of a second."""
        records = self._take(self._ogg.flush())
        left = ms * _MS // FRAME * FRAME
        while left > 0:
            some = min(left, RATE)
            self._held.append((some, SILENT))
            records += self._take(self._ogg.silence(some) + self._ogg.flush())
            left -= some
        return records

    def _take(self, pages: bytes) -> list[bytes]:
        """Make a record of pages that are full; a packet that came too late for them stays held."""
        if not pages:
            return []
        samples = self._ogg.paged - self._recorded
        taken: list[tuple[int, int]] = []
        while self._held and sum(each[0] for each in taken) < samples:
            taken.append(self._held.pop(0))
        levels = b"".join(struct.pack("<BH", level, length // UNIT) for length, level in taken)
        record = _HEAD.pack(self._ms_of(self._recorded), len(taken)) + levels + pages
        self._recorded = self._ogg.paged
        return [record]

    def _ms_of(self, samples: int) -> int:
        return (self._start_ms or 0) + samples // _MS


def about_of(record: bytes) -> dict[str, Any]:
    """Return what the first record of a file says that the track is."""
    return json.loads(record)


def read_stretch(record: bytes) -> Stretch:
    """Read any other record back."""
    start_ms, count = _HEAD.unpack_from(record)
    at = _HEAD.size
    lengths = [struct.unpack_from("<BH", record, at + 3 * n) for n in range(count)]
    pages = record[at + 3 * count :]
    payloads = [packet for page in read_pages(pages) for packet in page.packets] if count else []
    return Stretch(start_ms, tuple(_paired(payloads, lengths)), pages)


def _paired(payloads: list[bytes], lengths: list[tuple[int, int]]) -> Iterator[tuple[bytes, int, int]]:
    """Give each payload its length; a pause is one entry and several packets."""
    if len(payloads) == len(lengths):
        for payload, (level, units) in zip(payloads, lengths, strict=True):
            yield payload, units * UNIT, level
    elif lengths:
        yield b"", sum(units for _, units in lengths) * UNIT, SILENT
