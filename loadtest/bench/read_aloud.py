"""Recordings of people reading aloud, with what they read: real speech for the word error rate.

Synthetic voices are a bad judge of a recogniser, so these are two recordings that the package moonshine-voice
carries among its assets (group ``speech``): the first words of Dickens' *A Tale of Two Cities*, and a line of
Beckett's *Worstward Ho*. The texts are what is heard, word for word.
"""

import importlib.util
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from media.audio.opus import RATE

_PACKAGE: Final = "moonshine_voice"
_TEXTS: Final = {
    "two_cities": """
        It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
        foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of
        light, it was the season of darkness, it was the spring of hope, it was the winter of despair, we
        had everything before us, we had nothing before us, we were all going direct to heaven, we were all
        going direct the other way. In short, the period was so far like the present period, that some of
        its noisiest authorities insisted on its being received, for good or for evil, in the superlative
        degree of comparison only.""",
    "beckett": "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
}


class NoSpeechError(OSError):
    """The recordings are not installed."""


@dataclass(frozen=True, slots=True)
class ReadAloud:
    """A recording and its text."""

    name: str
    text: str
    sound: NDArray[np.float32]
    """Mono, 48 kHz, full scale 1."""


def read_aloud() -> list[ReadAloud]:
    """Return all recordings; 54 s, 131 words.

    :raises NoSpeechError: the package is not here
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoSpeechError(
            f"{_PACKAGE} is not installed, whose recordings are listened to; install it: make captions."
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "assets"
    return [
        ReadAloud(name, " ".join(text.split()), _read(folder / f"{name}.wav")) for name, text in _TEXTS.items()
    ]


def _read(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    sound = samples.astype(np.float32) / 32_768
    return np.asarray(resample_poly(sound, RATE, rate), np.float32)
