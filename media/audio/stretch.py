"""Takes a little sound out, or puts some in, so that nobody notices: to play delay away, or to gain some.

Speech repeats itself with every period of the voice. Two neighbouring periods faded into one sound like one
(WSOLA; NetEq's "accelerate"), and one period said twice sounds like one (its "preemptive expand"). Where it is
quiet anything may go.
"""

import numpy as np
from numba import njit

from media.audio.opus import Pcm

SHORTEST, LONGEST = 120, 720
"""Samples (2.5 to 15 ms) of a period of the voice: 400 to 67 Hz."""

_STEP = 4
"""The period is looked for at 12 kHz, which is enough to meet it within 0.1 ms."""

_SPAN = 480
"""Samples compared, 10 ms."""


@njit(nogil=True, cache=True)
def fade(first: Pcm, second: Pcm) -> Pcm:  # pragma: no cover
    """From ``first`` to ``second``, both of shape (samples,), in a straight line."""
    joint = np.empty(first.size, np.float32)
    for n in range(first.size):
        joint[n] = first[n] + (second[n] - first[n]) * np.float32((n + 1) / (first.size + 1))
    return joint


@njit(nogil=True, cache=True)
def cut(pcm: Pcm, samples: int) -> Pcm:  # pragma: no cover
    """``pcm`` without ``samples`` from its middle, joined by a fade of up to 5 ms; for quiet sound.

    ``samples`` is at most ``pcm.size``.
    """
    left = pcm.size - samples
    overlap = min(240, left, samples)
    start = (left - overlap) // 2
    end = start + overlap
    joint = fade(pcm[start:end], pcm[start + samples : end + samples])
    return np.concatenate((pcm[:start], joint, pcm[end + samples :]))


@njit(nogil=True, cache=True)
def shorten(pcm: Pcm, most: int, likeness: float) -> Pcm:  # pragma: no cover
    """``pcm`` without one period of the voice, at most ``most`` samples long.

    ``pcm`` has shape (samples,). It is returned unchanged if its periods resemble each other less than
    ``likeness`` (correlation, −1 to 1), or if ``most`` or ``pcm`` is too short for the shortest period.
    """
    lag = _period(pcm, most, likeness)
    return np.concatenate((fade(pcm[:lag], pcm[lag : 2 * lag]), pcm[2 * lag :])) if lag else pcm


@njit(nogil=True, cache=True)
def lengthen(pcm: Pcm, most: int, likeness: float) -> Pcm:  # pragma: no cover
    """``pcm`` with one period of the voice said twice; otherwise as ``shorten``."""
    lag = _period(pcm, most, likeness)
    return np.concatenate((pcm[:lag], fade(pcm[lag : 2 * lag], pcm[:lag]), pcm[lag:])) if lag else pcm


@njit(nogil=True, cache=True)
def squeeze(pcm: Pcm, samples: int) -> Pcm:  # pragma: no cover
    """``pcm`` played so much faster that it is ``samples`` shorter; for very few, since the pitch rises with it.

    First and last sample stay what they are, so that there is no seam.
    """
    left = pcm.size - samples
    result = np.empty(left, np.float32)
    for n in range(left):
        place = n * (pcm.size - 1) / (left - 1)
        before = min(int(place), pcm.size - 2)
        result[n] = pcm[before] + (place - before) * (pcm[before + 1] - pcm[before])
    return result


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _product(first: Pcm, second: Pcm) -> np.float32:  # pragma: no cover
    total = np.float32(0.0)
    for n in range(first.size):
        total += first[n] * second[n]
    return total


@njit(nogil=True, cache=True)
def _period(pcm: Pcm, most: int, likeness: float) -> int:  # pragma: no cover
    """Samples of the period that ``pcm`` begins with, 0 if it has none that is short and alike enough."""
    most = min(most, LONGEST, pcm.size // 2, pcm.size - _SPAN - _STEP)
    if most < SHORTEST:
        return 0
    coarse = pcm[: most + _SPAN + _STEP : _STEP].copy()
    span = _SPAN // _STEP
    energy = np.float32(0.0)
    for n in range(span):
        energy += coarse[n] * coarse[n]
    own, best, highest = energy, 0, np.float32(-2.0)
    for lag in range(most // _STEP + 1):
        if lag >= SHORTEST // _STEP:
            score = _product(coarse[:span], coarse[lag : lag + span]) / np.sqrt(energy * own + np.float32(1e-9))
            if score > highest:
                best, highest = lag, score
        energy += coarse[lag + span] * coarse[lag + span] - coarse[lag] * coarse[lag]
    return _STEP * best if highest >= likeness else 0
