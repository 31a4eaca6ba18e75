"""Opus in Ogg (RFC 7845), written so that a crash costs at most a second of sound.

A page holds one second; the first ends after one packet, so that there is something to open from the beginning.
Packets come as they were sent: nothing is decoded or encoded here. Where none came, the track has packets without
sound, so that all tracks of a Space lie on one timeline.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from media.recording.ogg_page import SEGMENTS_MAX, Page, lacing_of, read_pages

RATE: Final = 48_000
"""Samples a second of the granule position, whatever the sound's own rate (RFC 7845 §4)."""
FRAME: Final = 960
"""Samples of a packet of 20 ms."""
PAGE: Final = RATE * 9 // 10
"""Samples of a page: with what is on its way to the disk less than a second, which is lost at most."""
PRE_SKIP: Final = 312
"""Samples of the encoder's look-ahead, to be dropped by a player: 6.5 ms, as libopus has at 48 kHz."""
_VENDOR: Final = b"spaces-lab"
_CELT_20_MS: Final = 31 << 3
"""Configuration of a TOC byte: full band, 20 ms (RFC 6716 §3.1)."""
_SILENT_FRAME: Final = b"\xff\xfe"
"""What a CELT encoder makes of digital silence: the silence flag (RFC 6716 §4.3)."""
_FRAMES_MAX: Final = 6
"""Frames of 20 ms in a packet: 120 ms (RFC 6716 §3.2.5)."""


class OggOpusWriter:
    """A track: packets in, whole pages out.

    What is returned is to be appended to the file; what is not yet in a page is held, a second at most.
    """

    def __init__(self, serial: int, channels: int = 1, tags: Sequence[str] = ()) -> None:
        """Take the number of the stream, and tags as ``NAME=value`` (RFC 7845 §5.2)."""
        self._serial = serial
        self._channels = channels
        self._tags = tags
        self._number = 0
        self._samples = 0
        """Samples in pages and in packets that are held."""
        self._held: list[bytes] = []
        self._segments = 0
        self._held_samples = 0
        self._sound = False
        """Whether a page with sound has been written."""

    @property
    def samples(self) -> int:
        """Samples so far, those held included: where the next packet will lie."""
        return self._samples

    @property
    def paged(self) -> int:
        """Samples that are in pages already."""
        return self._samples - self._held_samples

    def head(self) -> bytes:
        """Write the two pages of headers; to be appended before anything else."""
        tags = [tag.encode() for tag in self._tags]
        listed = b"".join(struct.pack("<I", len(tag)) + tag for tag in tags)
        comments = struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", len(tags)) + listed
        head = struct.pack("<8sBBHIhB", b"OpusHead", 1, self._channels, PRE_SKIP, RATE, 0, 0)
        return self._page([head], 0, first=True) + self._page([b"OpusTags" + comments], 0)

    def packet(self, payload: bytes, samples: int = FRAME) -> bytes:
        """Add a packet of so many samples."""
        written = b""
        segments = len(lacing_of(payload))
        if self._segments + segments > SEGMENTS_MAX:
            written = self.flush()
        self._held.append(payload)
        self._segments += segments
        self._held_samples += samples
        self._samples += samples
        if self._held_samples >= PAGE or not self._sound:
            written += self.flush()
        return written

    def silence(self, samples: int) -> bytes:
        """Add so many samples in which no packet came, in whole frames of 20 ms."""
        written = b""
        frames = samples // FRAME
        while frames > 0:
            some = min(frames, _FRAMES_MAX)
            written += self.packet(silent_packet(some), some * FRAME)
            frames -= some
        return written

    def flush(self) -> bytes:
        """End the page, whatever is in it."""
        if not self._held:
            return b""
        return self._page(self._take(), self._samples + PRE_SKIP)

    def end(self) -> bytes:
        """End the track."""
        return self._page(self._take(), self._samples + PRE_SKIP, last=True)

    def _take(self) -> list[bytes]:
        packets, self._held = self._held, []
        self._segments = self._held_samples = 0
        self._sound = True
        return packets

    def _page(self, packets: Sequence[bytes], granule: int, *, first: bool = False, last: bool = False) -> bytes:
        page = Page(tuple(packets), granule, self._serial, self._number, first, last)
        self._number += 1
        return page.to_bytes()


def silent_packet(frames: int) -> bytes:
    """Opus packet of 1 to 6 frames of 20 ms, each of which says silence (RFC 6716 §3.2).

    Frames without any bytes (RFC 7845 §4.1) would be concealed: a decoder draws the last sound out first.
    """
    head = bytes([_CELT_20_MS]) if frames == 1 else bytes([_CELT_20_MS | 3, frames])
    return head + _SILENT_FRAME * frames


def read_packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the packets of a track that is whole or cut, each with the sample at which its page ends."""
    for page in read_pages(data):
        if page.number >= 2:
            for packet in page.packets:
                yield page.granule - PRE_SKIP, packet
