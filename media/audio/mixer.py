"""The sum of all voices, and for each talker the sum without their own (N-1, "mix-minus").

Everyone who is silent hears the same full mix, which is therefore encoded once for all of them. Only a talker
needs a mix of their own, so the work grows with the number of people talking and not with the people present.

Sums are made in float32, where nothing wraps around, and then limited. Speech of one or two people passes
through untouched, bit by bit.
"""

from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from media.audio.opus import FRAME, Pcm

Member = TypeVar("Member", bound=Hashable)

CEILING = np.float32(0.9)
"""Peaks above this (−0.9 dBov) are turned down; the rest up to 1.0 is the knee for what turns up unannounced."""

BLOCK = 48
"""The limiter sets its gain once per millisecond and goes straight from one value to the next."""

RELEASE = np.float32(0.005)
"""Share of the way back to full gain per millisecond: a time constant of 200 ms."""

ONE = np.float32(1.0)
ALMOST_ONE = np.float32(0.9999)
"""From here on a released gain counts as full, so that quiet sound passes untouched again."""


class Mix(NamedTuple, Generic[Member]):
    """What one tick sounds like. Arrays have shape (960,), float32, never beyond ±1.0, and are not reused."""

    full: Pcm
    """All voices: for everyone who is not talking."""
    minus: dict[Member, Pcm]
    """For each talker, all voices but their own."""


class Mixer(Generic[Member]):
    """The mixer of one room; driven once per tick with the frames of those who are talking.

    It remembers one limiter gain per output, so that loudness never jumps between ticks. A talker's gain starts
    as that of the full mix, which they heard until then.
    """

    def __init__(self) -> None:
        self._full_gain = 1.0
        self._gains: dict[Member, float] = {}

    def mix(self, frames: Mapping[Member, Pcm]) -> Mix[Member]:
        """Mix one tick. ``frames`` maps each talker to sound of shape (960,), float32, full scale ±1.0.

        Raises ``ValueError`` if a frame has another length.
        """
        talkers = len(frames)
        sounds = np.empty((talkers, FRAME), np.float32)
        gains = np.empty(talkers + 1, np.float32)
        for row, (member, pcm) in enumerate(frames.items()):
            if pcm.shape != (FRAME,):
                raise ValueError(f"the mixer takes frames of 960 samples, that of {member} has {pcm.shape}")
            sounds[row] = pcm
            gains[row] = self._gains.get(member, self._full_gain)
        gains[talkers] = self._full_gain
        mixes = np.empty((talkers + 1, FRAME), np.float32)
        mix_into(sounds, mixes, gains)
        self._gains = {member: float(gains[row]) for row, member in enumerate(frames)}
        self._full_gain = float(gains[talkers])
        return Mix(mixes[talkers], {member: mixes[row] for row, member in enumerate(frames)})


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
def mix_into(sounds: NDArray[np.float32], mixes: NDArray[np.float32], gains: NDArray[np.float32]) -> None:
    """Mix ``sounds`` (talkers, samples) into ``mixes`` (talkers + 1, samples), the full mix last.

    ``gains`` (talkers + 1,) holds each output's limiter gain before the call, and after it. All float32.
    """
    talkers, samples = sounds.shape
    full = mixes[talkers]
    full[:] = np.float32(0.0)
    for row in range(talkers):
        for n in range(samples):
            full[n] += sounds[row, n]
    for row in range(talkers):
        if talkers == 1:
            mixes[row, :] = np.float32(0.0)
        elif talkers == 2:
            mixes[row, :] = sounds[1 - row]  # exactly, where a subtraction would round
        else:
            for n in range(samples):
                mixes[row, n] = full[n] - sounds[row, n]
    for row in range(talkers + 1):
        gains[row] = limit(mixes[row], gains[row])
