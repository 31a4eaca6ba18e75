"""All speakers of a relay at once: what has come of their sound, and what each of them says in this tick.

Where nothing is out of the ordinary, no Python runs for a packet, and none for a tick of a speaker.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.audio.speaker import Speakers
from media.relay.voice import take_packet


@njit(nogil=True, cache=True)
def _take_all(
    sounds: Any, count: int, data: Any, records: Any, packets: Any, free: Any
) -> int:  # pragma: no cover
    """Put packets into the jitter buffers of their speakers; how many were too many."""
    refused = 0
    for number in range(count):
        row = sounds[number]
        payload = data[row.index, row.start : row.start + row.size]
        taken = take_packet(
            *(records[row.voice], packets, free, row.sequence, row.timestamp, payload, row.size, row.arrival),
            *(row.captured != 0, row.capture, row.level),
        )
        refused += not taken
    return refused


class Hearing:
    """Driven by the media thread alone."""

    def __init__(self) -> None:
        self.speakers = Speakers(64)

    def take(self, sounds: NDArray[Any], data: NDArray[np.uint8]) -> int:
        """Take what the door has let in, rows of :data:`media.rtc.sound.SOUND`; how many packets were too many."""
        own = self.speakers
        own.reserve(len(sounds))
        return _take_all(sounds, len(sounds), data, own.records, own.packets, own.free)
