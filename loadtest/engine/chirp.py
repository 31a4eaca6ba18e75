"""Sounds that can be found again in what was heard, to a fraction of a millisecond: linear chirps.

A chirp sweeps through a band. Correlated with itself it is one sharp peak, and with the others almost nothing, so
that a matched filter finds it under speech, noise and what a codec does to it. Four of them, rising and falling
in two bands, follow each other; so a delay is known up to a second although there are four in a second. All keep
below 4 kHz, where Opus models the waveform at every bitrate that is used for speech.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

RATE = 48_000
Pcm = NDArray[np.float32]
"""Mono sound at 48 kHz, shape (samples,), float32, full scale ±1.0."""

INTERVAL = 12_000
"""Samples (0.25 s) from the begin of one chirp to that of the next."""
LENGTH = 3_840
"""Samples (80 ms) of a chirp."""
EDGE = 480
"""Samples (10 ms) in which it fades in and out."""
BANDS = ((400.0, 1_900.0), (1_900.0, 400.0), (2_100.0, 3_600.0), (3_600.0, 2_100.0))
"""First and last frequency in hertz of each kind of chirp, in the order in which they come."""
CYCLE = len(BANDS) * INTERVAL
"""Samples (1 s) after which the kinds come again: the longest delay that can be told."""
AMPLITUDE = 0.25
FOUND = 0.4
"""Least likeness (normalised correlation, 0 to 1) that counts as a chirp; by chance it stays below 0.25."""


class Found(NamedTuple):
    """Where a chirp begins, and how sure that is."""

    at: float
    """Samples after the begin of the sound, fractions included."""
    likeness: float
    """Normalised correlation, 0 to 1."""


def _chirp(first: float, last: float) -> Pcm:
    t = np.arange(LENGTH) / RATE
    sweep = np.sin(2 * np.pi * (first * t + (last - first) * t**2 / (2 * LENGTH / RATE)))
    fade = np.sin(0.5 * np.pi * (np.arange(EDGE) + 0.5) / EDGE) ** 2
    sweep[:EDGE] *= fade
    sweep[-EDGE:] *= fade[::-1]
    return (AMPLITUDE * sweep).astype(np.float32)


CHIRPS = tuple(_chirp(*band) for band in BANDS)
"""Each of shape (3840,), float32."""


def add_chirps(sound: Pcm) -> Pcm:
    """``sound`` with a chirp every 0.25 s from its begin; shape (samples,), a multiple of :data:`CYCLE`.

    :raises ValueError: it is no whole number of cycles, so its repetition would have a gap.
    """
    if sound.size % CYCLE:
        raise ValueError(f"chirps repeat every {CYCLE} samples, and {sound.size} is no multiple of that")
    mixed = sound.copy()
    for number, start in enumerate(range(0, sound.size, INTERVAL)):
        mixed[start : start + LENGTH] += CHIRPS[number % len(CHIRPS)]
    return mixed


def find_chirp(heard: Pcm, kind: int) -> Found | None:
    """Where in ``heard``, of shape (samples,), the chirp of that kind (0 to 3) begins; None if it is not there.

    Of several, the one that is most like it. The place between samples is that of a parabola through the peak.
    """
    chirp = CHIRPS[kind]
    lags = heard.size - LENGTH + 1
    if lags < 3:
        return None
    size = scipy.fft.next_fast_len(heard.size, real=True)
    spectrum, own = (np.asarray(scipy.fft.rfft(sound, size)) for sound in (heard, chirp))
    products = np.asarray(scipy.fft.irfft(spectrum * np.conj(own), size))[:lags]
    energy = np.concatenate((np.zeros(1), np.cumsum(np.square(heard, dtype=np.float64))))
    power = energy[LENGTH:] - energy[:-LENGTH]
    floor = 1e-6 * LENGTH  # −60 dBov: silence resembles nothing
    likeness = products / np.sqrt(np.maximum(power, floor) * float(np.dot(chirp, chirp)))
    peak = int(np.argmax(likeness))
    if likeness[peak] < FOUND:
        return None
    best = float(likeness[peak])
    if not 0 < peak < lags - 1:
        return Found(float(peak), best)
    before, after = float(products[peak - 1]), float(products[peak + 1])
    bend = before - 2 * float(products[peak]) + after
    return Found(peak + (0.5 * (before - after) / bend if bend else 0.0), best)
