"""The log-mel spectrogram that Whisper hears: 80 bands of 10 ms steps, in numpy alone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.captions.phrases import Sound
from media.captions.voice import RATE

BANDS: Final = 80
WINDOW: Final = 400
"""Samples of a spectrum: 25 ms."""
HOP: Final = 160
STEPS_PER_S: Final = RATE // HOP
_LINEAR_HZ: Final = 1000.0
"""Below it, the scale of Slaney's mel is linear, 200/3 Hz a mel; above, logarithmic, 27 mel a factor of 6.4."""
_HZ_PER_MEL: Final = 200.0 / 3
_LOG_STEP: Final = float(np.log(6.4)) / 27


def log_mel(sound: Sound, seconds: float) -> NDArray[np.float32]:
    """Return the spectrogram of a phrase, padded with silence to so many seconds: shape (80, 100 × seconds)."""
    samples, steps = round(seconds * RATE), round(seconds * STEPS_PER_S)
    padded = np.zeros(samples, np.float32)
    padded[: len(sound)] = sound[:samples]
    padded = np.pad(padded, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:steps]
    power = np.abs(np.fft.rfft(frames * _HANN, axis=1)) ** 2
    bands = np.log10(np.maximum(_FILTERS @ power.T.astype(np.float32), 1e-10))
    return np.ascontiguousarray((np.maximum(bands, bands.max() - 8.0) + 4.0) / 4.0, np.float32)


def _hz_of(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    first = _LINEAR_HZ / _HZ_PER_MEL
    return np.where(mel < first, mel * _HZ_PER_MEL, _LINEAR_HZ * np.exp(_LOG_STEP * (mel - first)))


def mel_filters() -> NDArray[np.float32]:
    """Return triangles of equal area on Slaney's mel scale, shape (80, 201)."""
    top = _LINEAR_HZ / _HZ_PER_MEL + np.log(RATE / 2 / _LINEAR_HZ) / _LOG_STEP
    corners = _hz_of(np.linspace(0.0, top, BANDS + 2))
    ramps = corners[:, None] - np.linspace(0, RATE / 2, WINDOW // 2 + 1)[None]
    widths = np.diff(corners)[:, None]
    triangles = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    return (triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]).astype(np.float32)


_FILTERS: Final = mel_filters()
_HANN: Final = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
