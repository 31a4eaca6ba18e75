"""Fourteen noises in which nobody says a word: what a recogniser must not hear anything in."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.audio.opus import RATE

_SOFT: Final = 0.03
_LOUD: Final = 0.3
"""Root mean square, as a share of full scale."""


def noises(seconds: float, seed: int = 7) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield seven kinds of noise, each soft and loud: mono, 48 kHz."""
    chance = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    times = np.arange(samples) / RATE
    white = chance.standard_normal(samples)
    kinds = {
        "hiss": white,
        "pink": _coloured(white, 0.5),
        "rumble": _coloured(white, 1.0),
        "hum": sum(np.sin(2 * np.pi * 50 * n * times) / n for n in range(1, 8)),
        "chord": sum(np.sin(2 * np.pi * hz * times) for hz in (220.0, 277.2, 329.6)),
        "applause": _claps(chance, samples, 60.0),
        "knocks": _claps(chance, samples, 1.5),
    }
    for name, sound in kinds.items():
        scale = np.sqrt(np.mean(np.square(sound)))
        for loudness, level in (("soft", _SOFT), ("loud", _LOUD)):
            yield f"{loudness} {name}", np.clip(level * sound / scale, -1, 1).astype(np.float32)


def _coloured(white: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Let power fall with frequency: by 3 dB an octave for a power of 0.5."""
    spectrum = np.fft.rfft(white)
    hz = np.fft.rfftfreq(len(white), 1 / RATE)
    return np.fft.irfft(spectrum / np.maximum(hz, 20.0) ** power, len(white))


def _claps(chance: np.random.Generator, samples: int, per_second: float) -> NDArray[np.float64]:
    """Bursts of noise that die away within 20 ms, at random moments."""
    sound = np.zeros(samples)
    length = RATE // 20
    fade = np.exp(-np.arange(length) / (RATE * 0.006))
    for start in chance.integers(0, max(1, samples - length), max(1, round(per_second * samples / RATE))):
        sound[start : start + length] += (
            fade[: samples - start] * chance.standard_normal(length)[: samples - start]
        )
    return sound
