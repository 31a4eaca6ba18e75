"""Mouth to ear by ear: finds in what a probe played the chirps that another said, one after the other."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from loadtest.engine.chirp import BANDS, CYCLE, INTERVAL, LENGTH, Pcm, find_chirp

RATE = 48_000
LONGEST = CYCLE - RATE // 50
"""Samples (0.98 s) of the longest delay looked for; the next chirp of the same kind comes 1 s after one."""


class Delay(NamedTuple):
    """What became of one chirp."""

    mouth: float
    """When its first sample was captured, in seconds."""
    seconds: float
    """From mouth to ear; NaN if it was not heard, or not well enough to tell."""


class ChirpEar:
    """Follows one pair of probes; driven with what the listening one played.

    ``mouth_at`` says when the sample of that number was captured, and the chirps begin with sample 0.
    """

    def __init__(self, mouth_at: Callable[[int], float]) -> None:
        self._mouth_at = mouth_at
        self._next = 0
        self._begun = 0.0
        self._sound: Pcm = np.zeros(0, np.float32)

    def put(self, begun: float, sound: Pcm) -> list[Delay]:
        """Take the next stretch of sound, whose first sample was played at ``begun``; what it brought to an end.

        ``sound`` has shape (samples,) and follows the one before without a gap.
        """
        if not self._sound.size:
            self._begun = begun
        self._sound = np.concatenate((self._sound, sound))
        ready: list[Delay] = []
        while True:
            mouth = self._mouth_at(self._next * INTERVAL)
            start = round((mouth - self._begun) * RATE)
            if start + LONGEST + LENGTH > self._sound.size:
                break
            if start >= 0:  # else it was said before anybody listened
                found = find_chirp(self._sound[start : start + LONGEST + LENGTH], self._next % len(BANDS))
                seconds = self._begun + (start + found.at) / RATE - mouth if found else float("nan")
                ready.append(Delay(mouth, seconds))
            self._next += 1
        used = max(0, min(start, self._sound.size))
        self._sound, self._begun = self._sound[used:], self._begun + used / RATE
        return ready
