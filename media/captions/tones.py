"""A recogniser without a model, for tests and for trying captions out: each word is a tone of its own.

A function of the sound like any other recogniser: what is not a tone has a low probability, so the gates, the
scheduler and the process around it are tried on what they are made for.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from media.captions.phrases import Sound
from media.captions.recogniser import Heard
from media.captions.voice import RATE

WORDS: Final = (
    *("we", "you", "they", "say", "hear", "ask", "know", "think"),
    *("that", "this", "what", "good", "new", "old", "here", "now"),
)
LOWEST_HZ: Final = 400.0
STEP_HZ: Final = 150.0
WORD_S: Final = 0.3
"""Seconds that a word lasts when it is said by :func:`say`."""
GAP_S: Final = 0.1
_HOP: Final = RATE // 50
_SPAN: Final = 2 * _HOP
_QUIET: Final = 1e-4


class ToneRecogniser:
    """Finds the tones of :data:`WORDS` in a phrase."""

    name = "tones"

    def recognise(self, sound: Sound, window_s: float, language: str | None) -> Heard:
        """Return a word for each tone that lasts; the probability is the share of power that is in tones."""
        padded = np.pad(sound, (0, max(0, _SPAN - len(sound))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _SPAN)[::_HOP]
        power = np.abs(np.fft.rfft(frames * np.hanning(_SPAN), axis=1)) ** 2
        total = power.sum(axis=1)
        loud = total > _QUIET * _SPAN
        words: list[str] = []
        run, last = 0, -1
        sure = weight = 0.0
        for spectrum, whole, is_loud in zip(power, total, loud, strict=True):
            peak = int(np.argmax(spectrum))
            share = float(spectrum[max(0, peak - 2) : peak + 3].sum() / whole) if is_loud else 0.0
            number = round((peak * RATE / _SPAN - LOWEST_HZ) / STEP_HZ)
            if is_loud:
                sure += float(whole) * math.log(max(share, 1e-3))
                weight += float(whole)
            if not is_loud or share < 0.7 or not 0 <= number < len(WORDS):
                number = -1
            run = run + 1 if number == last else 1
            last = number
            if number >= 0 and run == 5:
                words.append(WORDS[number])
        return Heard(" ".join(words), 3 * sure / weight if words else -10.0, "en")


def say(words: Sequence[str], level: float = 0.2) -> Sound:
    """Return the sound of words, at 16 kHz."""
    times = np.arange(round(WORD_S * RATE)) / RATE
    gap = np.zeros(round(GAP_S * RATE))
    parts = [gap]
    for word in words:
        tone = level * np.sin(2 * np.pi * (LOWEST_HZ + STEP_HZ * WORDS.index(word)) * times)
        parts += [tone * np.minimum(1, np.minimum(times, times[::-1]) / 0.01), gap]
    return np.concatenate(parts).astype(np.float32)
