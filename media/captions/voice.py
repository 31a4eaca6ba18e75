"""Voice activity of a speaker: frames that stand out from the noise around them.

It only has to be cheap and to miss nothing: words that a recogniser finds in noise are dropped by how sure it is
(:mod:`media.captions.gates`).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000
"""Samples a second, as recognisers take them."""
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = RATE * FRAME_MS // 1000
SILENCE: Final = -127.0
"""dBov of a frame without sound."""
MARGIN: Final = 9.0
"""dB above the noise from which on a frame is voice."""
FLOOR_LEAST: Final = -62.0
FLOOR_MOST: Final = -40.0
"""dBov within which the noise is: a microphone's at the least, and loud noise is left to the recogniser's gate."""
_RISE: Final = 0.06
"""dB a frame, 3 dB a second: slow enough that a sentence is not taken for noise."""
_HANG: Final = 8
"""Frames of quiet after voice that still belong to it: 160 ms, as stops within words are."""


class VoiceDetector:
    """State: the level of the noise, and how long ago the last voice was."""

    def __init__(self) -> None:
        self._floor = FLOOR_LEAST
        self._hang = 0

    def push(self, level: float) -> bool:
        """Whether the next frame, of this level (dBov), is voice."""
        self._floor = min(self._floor + _RISE, max(level, FLOOR_LEAST), FLOOR_MOST)
        if level > self._floor + MARGIN:
            self._hang = _HANG
            return True
        self._hang = max(0, self._hang - 1)
        return self._hang > 0


def level_of(frame: NDArray[np.float32]) -> float:
    """Mean power of a frame in dBov: 0 is full scale."""
    power = float(np.dot(frame, frame)) / len(frame)
    return 10 * math.log10(power) if power > 1e-12 else SILENCE
