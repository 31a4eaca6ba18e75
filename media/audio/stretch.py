"""Takes a little sound out, or puts some in, so that nobody notices: to play delay away, or to gain some.

Speech repeats itself with every period of the voice. Two neighbouring periods faded into one sound like one
(WSOLA; NetEq's "accelerate"), and one period said twice sounds like one (its "preemptive expand"). Where it is
quiet anything may go.
"""

import numpy as np

from media.audio.opus import Pcm

SHORTEST, LONGEST = 120, 720
"""Samples (2.5 to 15 ms) of a period of the voice: 400 to 67 Hz."""

_STEP = 4
"""The period is looked for at 12 kHz, which is enough to meet it within 0.1 ms."""

_SPAN = 480
"""Samples compared, 10 ms."""


def fade(first: Pcm, second: Pcm) -> Pcm:
    """From ``first`` to ``second``, both of shape (samples,), in a straight line."""
    rising = (np.arange(1, first.size + 1) / (first.size + 1)).astype(np.float32)
    return np.asarray(first + (second - first) * rising, np.float32)


def cut(pcm: Pcm, samples: int) -> Pcm:
    """``pcm`` without ``samples`` from its middle, joined by a fade of up to 5 ms; for quiet sound.

    ``samples`` is at most ``pcm.size``.
    """
    left = pcm.size - samples
    overlap = min(240, left, samples)
    start = (left - overlap) // 2
    end = start + overlap
    joint = fade(pcm[start:end], pcm[start + samples : end + samples])
    return np.concatenate((pcm[:start], joint, pcm[end + samples :]))


def shorten(pcm: Pcm, most: int, likeness: float) -> Pcm:
    """``pcm`` without one period of the voice, at most ``most`` samples long.

    ``pcm`` has shape (samples,). It is returned unchanged if its periods resemble each other less than
    ``likeness`` (correlation, −1 to 1), or if ``most`` or ``pcm`` is too short for the shortest period.
    """
    lag = _period(pcm, most, likeness)
    return np.concatenate((fade(pcm[:lag], pcm[lag : 2 * lag]), pcm[2 * lag :])) if lag else pcm


def lengthen(pcm: Pcm, most: int, likeness: float) -> Pcm:
    """``pcm`` with one period of the voice said twice; otherwise as ``shorten``."""
    lag = _period(pcm, most, likeness)
    return np.concatenate((pcm[:lag], fade(pcm[lag : 2 * lag], pcm[:lag]), pcm[lag:])) if lag else pcm


def squeeze(pcm: Pcm, samples: int) -> Pcm:
    """``pcm`` played so much faster that it is ``samples`` shorter; for very few, since the pitch rises with it.

    First and last sample stay what they are, so that there is no seam.
    """
    places = np.linspace(0.0, pcm.size - 1, pcm.size - samples)
    return np.interp(places, np.arange(pcm.size), pcm).astype(np.float32)


def _period(pcm: Pcm, most: int, likeness: float) -> int:
    """Samples of the period that ``pcm`` begins with, 0 if it has none that is short and alike enough."""
    most = min(most, LONGEST, pcm.size // 2, pcm.size - _SPAN - _STEP)
    if most < SHORTEST:
        return 0
    coarse = pcm[: most + _SPAN + _STEP][::_STEP]
    span = _SPAN // _STEP
    first = coarse[:span]
    products = np.correlate(coarse, first)
    energy = np.concatenate((np.zeros(1, np.float32), np.cumsum(coarse * coarse, dtype=np.float32)))
    power = energy[span:] - energy[:-span]
    lags = slice(SHORTEST // _STEP, most // _STEP + 1)
    scores = products[lags] / np.sqrt(power[lags] * power[0] + 1e-9)
    best = int(np.argmax(scores))
    return SHORTEST + _STEP * best if scores[best] >= likeness else 0
