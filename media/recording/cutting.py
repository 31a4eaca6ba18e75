"""A range of an Ogg Opus file as a file of its own: nothing is decoded, so nothing is lost but what is cut off."""

from collections.abc import Sequence
from typing import Final

from media.recording.ogg_opus import RATE, OggOpusWriter, read_packets
from media.recording.opus_packet import samples_of

_MS: Final = RATE // 1000


def cut(data: bytes, start_ms: int, end_ms: int, tags: Sequence[str] = ()) -> bytes:
    """Return the packets that begin in a range, as Ogg Opus; about 0.3 s for an hour of sound.

    :raises ValueError: there are none
    """
    writer = OggOpusWriter(1, tags=tags)
    parts = [writer.head()]
    passed = 0
    for _, packet in read_packets(data):
        samples = samples_of(packet)
        if start_ms * _MS <= passed < end_ms * _MS:
            parts.append(writer.packet(packet, samples))
        passed += samples
        if passed >= end_ms * _MS:
            break
    if len(parts) == 1:
        raise ValueError("There is no sound in this range.")
    parts.append(writer.end())
    return b"".join(parts)
