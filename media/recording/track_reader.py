"""A track as it is read: any range of it as packets, as an Ogg Opus file, as loudness, and as talk-spurts.

A track may lie in several files, one for each recorder that wrote it; between them, and where nobody was heard, is
silence.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from media.recording.ogg_opus import FRAME, RATE, OggOpusWriter
from media.recording.track import SILENT, Stretch, read_stretch

STEP_MS: Final = 20
"""Milliseconds that a level is for."""
PAUSE_MS: Final = 300
"""A shorter pause is part of a talk-spurt (ITU-T P.59 counts pauses from 200 ms on)."""
LEVEL_OF_SPEECH: Final = 60
"""Loudness in -dBov up to which somebody speaks; what is quieter is the room around them."""
_MS: Final = RATE // 1000


class Packet(NamedTuple):
    """A packet on the timeline of its Space."""

    start_ms: int
    samples: int
    level: int
    """-dBov."""
    payload: bytes


class Spurt(NamedTuple):
    """Speech of one speaker without a long pause."""

    start_ms: int
    end_ms: int


class Track:
    """What was recorded of a speaker, or of the mix."""

    def __init__(self, files: Iterable[Sequence[bytes]]) -> None:
        """Take the records of each file, without the first; the empty one that ends it says nothing."""
        read = [read_stretch(record) for records in files for record in records if record]
        self._stretches = sorted((each for each in read if each.packets), key=lambda each: each.start_ms)

    @property
    def start_ms(self) -> int:
        """Where it begins; 0 if there is nothing."""
        return self._stretches[0].start_ms if self._stretches else 0

    @property
    def end_ms(self) -> int:
        """Where it ends; 0 if there is nothing."""
        return max((each.end_ms for each in self._stretches), default=0)

    def packets(self, start_ms: int, end_ms: int) -> Iterator[Packet]:
        """Yield packets that begin in a range, in order; not the silence of pauses."""
        for stretch in self._between(start_ms, end_ms):
            passed = 0
            for payload, samples, level in stretch.packets:
                at = stretch.start_ms + passed // _MS
                if start_ms <= at < end_ms and payload:
                    yield Packet(at, samples, level, payload)
                passed += samples

    def ogg(self, start_ms: int, end_ms: int, tags: Sequence[str] = ()) -> bytes:
        """Write a range as Ogg Opus (RFC 7845), exactly as long as it is, pauses and all."""
        return write_ogg(self.packets(start_ms, end_ms), start_ms, end_ms, tags)

    def levels(self, start_ms: int, end_ms: int) -> bytes:
        """Return the loudness in -dBov of each :data:`STEP_MS` of a range."""
        levels = bytearray([SILENT]) * max(0, -(-(end_ms - start_ms) // STEP_MS))
        for packet in self.packets(start_ms, end_ms):
            first = (packet.start_ms - start_ms) // STEP_MS
            last = max(first + 1, (packet.start_ms + packet.samples // _MS - start_ms) // STEP_MS)
            for at in range(first, min(last, len(levels))):
                levels[at] = min(levels[at], packet.level)
        return bytes(levels)

    def spurts(self, start_ms: int, end_ms: int) -> list[Spurt]:
        """Return the talk-spurts of a range."""
        spurts: list[Spurt] = []
        for packet in self.packets(start_ms, end_ms):
            if packet.level > LEVEL_OF_SPEECH:
                continue
            ends = packet.start_ms + max(1, packet.samples // _MS)
            if spurts and packet.start_ms - spurts[-1].end_ms < PAUSE_MS:
                spurts[-1] = Spurt(spurts[-1].start_ms, ends)
            else:
                spurts.append(Spurt(packet.start_ms, ends))
        return spurts

    def _between(self, start_ms: int, end_ms: int) -> Iterator[Stretch]:
        for stretch in self._stretches:
            if stretch.start_ms >= end_ms:
                return
            if stretch.end_ms > start_ms:
                yield stretch


def write_ogg(packets: Iterable[Packet], start_ms: int, end_ms: int, tags: Sequence[str] = ()) -> bytes:
    """Write packets of a range as Ogg Opus, with silence where there are none."""
    writer = OggOpusWriter(1, tags=tags)
    parts = [writer.head()]
    for packet in packets:
        pause = (packet.start_ms - start_ms) * _MS - writer.samples
        if pause >= FRAME:
            parts.append(writer.silence(pause))
        parts.append(writer.packet(packet.payload, packet.samples))
    left = (end_ms - start_ms) * _MS - writer.samples
    if left >= FRAME:
        parts.append(writer.silence(left))
    parts.append(writer.end())
    return b"".join(parts)
