"""The sound of a passage, put together from its packets."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from media.audio.opus import Decoder, OpusError
from media.captions.phrases import Sound
from media.captions.voice import RATE

_PER_MS: Final = RATE // 1000


def sound_of(packets: Iterable[tuple[int, bytes]], start_ms: int, end_ms: int) -> Sound:
    """Decode packets (milliseconds, Opus) onto the timeline of a passage; what is missing is silence."""
    sound = np.zeros((end_ms - start_ms) * _PER_MS, np.float32)
    decoder = Decoder(RATE)
    for at_ms, payload in packets:
        try:
            part = decoder.decode(payload)
        except OpusError:
            continue
        at = max(0, (at_ms - start_ms) * _PER_MS)
        sound[at : at + len(part)] = part[: max(0, len(sound) - at)]
    decoder.close()
    return sound
