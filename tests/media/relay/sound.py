"""Tones to speak, and what was heard of them."""

import numpy as np

RATE, FRAME = 48_000, 960
Pcm = np.ndarray


def tone(hertz: float, frame: int, level: float = 0.3) -> Pcm:
    """The ``frame``-th 20 ms of a steady tone: shape (960,), float32."""
    n = np.arange(frame * FRAME, (frame + 1) * FRAME)
    return (level * np.sin(2 * np.pi * hertz * n / RATE)).astype(np.float32)


def strength(pcm: Pcm, hertz: float) -> float:
    """Amplitude of a tone in ``pcm``, by FFT: the largest line within 3 % of ``hertz``."""
    if pcm.size < FRAME:
        return 0.0
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(pcm.size))) * 4 / pcm.size
    lines = np.fft.rfftfreq(pcm.size, 1 / RATE)
    return float(spectrum[np.abs(lines - hertz) < 0.03 * hertz].max())


def loudest(pcm: Pcm) -> float:
    """Frequency of the strongest line, in hertz."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(pcm.size)))
    return float(np.fft.rfftfreq(pcm.size, 1 / RATE)[spectrum.argmax()])


def onsets(pcm: Pcm, hertz: float, window: int = 240) -> list[int]:
    """Samples at which bursts of a tone begin: where its level rises over a quarter of the loudest."""
    n = np.arange(pcm.size)
    carrier = pcm * np.exp(-2j * np.pi * hertz * n / RATE)
    level = np.abs(np.convolve(carrier, np.ones(window) / window, "same"))
    loud = level > 0.25 * level.max()
    starts = np.flatnonzero(loud[1:] & ~loud[:-1])
    kept: list[int] = []
    for start in starts:
        if not kept or start - kept[-1] > 0.25 * RATE:
            kept.append(int(start))
    return kept
