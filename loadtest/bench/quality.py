"""How good speech still sounds: MOS-LQO by ViSQOL v3 in speech mode, with the mapping Google ships as the default.

ViSQOL compares spectrograms of what was said and what was heard, patch by patch, and maps the likeness to a mean
opinion score of 1 to 5. Speech mode works at 16 kHz. Of its two mappings the deep lattice network is the default
of the original and the one its Python port recommends; the older polynomial rates damaged speech one to two points
too high. Both models come inside the ``visqol-python`` wheel; nothing is downloaded.

It wants 5 to 10 s of speech with half a second of silence around, and both sounds aligned to within its patches.
"""

from functools import cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE = 48_000
SPEECH_RATE = 16_000
Sound = NDArray[np.floating[Any]]


@cache
def _visqol() -> Any:
    from visqol import VisqolApi  # compiles kernels; only who scores pays for it

    api = VisqolApi()
    api.create(mode="speech", use_lattice_model=True)
    return api


def score(said: Sound, heard: Sound) -> float:
    """MOS-LQO, 1 to 5, of ``heard`` against ``said``, both at 48 kHz, mono, of shape (samples,).

    ``heard`` is longer and holds the whole of ``said`` somewhere: the delay is found here and taken out. Nothing
    else is: sound that was stretched, lost or made up stays as it was heard.
    """
    reference, degraded = (resample_poly(sound, 1, RATE // SPEECH_RATE) for sound in (said, heard))
    start = find(reference, degraded)
    aligned = degraded[start : start + reference.size]
    result = _visqol().measure_from_arrays(reference.astype(np.float64), aligned.astype(np.float64), SPEECH_RATE)
    return float(result.moslqo)


def find(said: Sound, heard: Sound) -> int:
    """The sample of ``heard`` at which ``said`` begins, by cross-correlation; ``heard`` is the longer one."""
    size = scipy.fft.next_fast_len(heard.size + said.size, real=True)
    spectrum, own = (np.asarray(scipy.fft.rfft(sound, size)) for sound in (heard, said))
    products = np.asarray(scipy.fft.irfft(spectrum * np.conj(own), size))
    return int(np.argmax(products[: heard.size - said.size + 1]))
