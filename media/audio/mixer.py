"""The sum of all voices, and for each talker the sum without their own (N-1, "mix-minus").

Everyone who is silent hears the same full mix, which is therefore encoded once for all of them. Only a talker
needs a mix of their own, so the work grows with the number of people talking and not with the people present.

Sums are made in float32, where nothing wraps around, and then limited. Speech of one or two people passes
through untouched, bit by bit. Each output has a limiter gain of its own that goes on from tick to tick, so that
loudness never jumps; a talker's starts as that of the full mix, which they heard until then.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

CEILING = np.float32(0.9)
"""Peaks above this (−0.9 dBov) are turned down; the rest up to 1.0 is the knee for what turns up unannounced."""

BLOCK = 48
"""The limiter sets its gain once per millisecond and goes straight from one value to the next."""

RELEASE = np.float32(0.005)
"""Share of the way back to full gain per millisecond: a time constant of 200 ms."""

ONE = np.float32(1.0)
ALMOST_ONE = np.float32(0.9999)
"""From here on a released gain counts as full, so that quiet sound passes untouched again."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def _peak(sound: NDArray[np.float32], start: int, end: int) -> np.float32:
    """Largest magnitude of ``sound[start:end]``."""
    largest = np.float32(0.0)
    for n in range(start, end):
        largest = max(largest, abs(sound[n]))
    return largest


@numba.njit(cache=True, nogil=True)
def _soften(sound: NDArray[np.float32], start: int, end: int) -> None:
    """Bend what is above the ceiling so that it stays below 1.0."""
    knee = ONE - CEILING
    for n in range(start, end):
        over = abs(sound[n]) - CEILING
        if over > 0.0:
            sound[n] = np.copysign(CEILING + knee * np.tanh(over / knee), sound[n])


@numba.njit(cache=True, nogil=True)
def limit(sound: NDArray[np.float32], gain: np.float32) -> np.float32:
    """Limit a frame in place, starting at ``gain`` (0 to 1); returns the gain at its end.

    ``sound`` has shape (samples,), a multiple of 48, float32. With gain 1 and no peak above ``CEILING`` it is
    left as it is. Otherwise each millisecond ends at a gain that suits both itself and the next, so that a
    loud onset finds the gain already down; only an onset within the first millisecond meets the soft knee.
    """
    blocks = sound.shape[0] // BLOCK
    if gain >= 1.0 and _peak(sound, 0, sound.shape[0]) <= CEILING:
        return gain
    peak = _peak(sound, 0, BLOCK)
    for block in range(blocks):
        start = block * BLOCK
        next_peak = _peak(sound, start + BLOCK, start + 2 * BLOCK) if block + 1 < blocks else peak
        released = gain + (ONE - gain) * RELEASE
        if released > ALMOST_ONE:
            released = ONE
        end_gain = min(released, CEILING / max(CEILING, max(peak, next_peak)))
        step = (end_gain - gain) / np.float32(BLOCK)
        for n in range(BLOCK):
            sound[start + n] *= gain + step * np.float32(n + 1)
        if peak * max(gain, end_gain) > CEILING:
            _soften(sound, start, start + BLOCK)
        gain, peak = end_gain, next_peak
    return gain


@numba.njit(cache=True, nogil=True)
def mix_full(frames: Any, talkers: Any, count: int, full: Any) -> None:  # pragma: no cover
    """Sum the rows ``talkers[:count]`` (at least one) of ``frames`` into ``full``; nothing is limited yet.

    ``frames`` has shape (speakers, samples), ``full`` (samples,), both float32.
    """
    full[:] = frames[talkers[0]]
    for index in range(1, count):
        frame = frames[talkers[index]]
        for n in range(full.shape[0]):
            full[n] += frame[n]


@numba.njit(cache=True, nogil=True)
def mix_minus(frames: Any, talkers: Any, count: int, full: Any, one: int, minus: Any) -> None:  # pragma: no cover
    """Put all voices but that of ``talkers[one]`` into ``minus``, given the sum of all."""
    if count == 1:
        minus[:] = np.float32(0.0)
    elif count == 2:
        minus[:] = frames[talkers[1 - one]]  # exactly, where a subtraction would round
    else:
        own = frames[talkers[one]]
        for n in range(full.shape[0]):
            minus[n] = full[n] - own[n]
