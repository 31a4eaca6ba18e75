"""What keeps words that nobody said out of captions.

Whisper prints something for any noise, and repeats itself when its window is short. Both show: noise has a mean
log-probability below the bound, real phrases one far above it (``python -m loadtest.bench captions``).
"""

import re
from dataclasses import replace
from typing import Final

from media.captions.phrases import Sound
from media.captions.recogniser import FULL_WINDOW_S, Heard, Recogniser

LOG_PROBABILITY_LEAST: Final = -1.0
"""Mean log-probability below which a text is taken for invented."""
_SAME_WORD: Final = 4
"""How often in a row one word may not stand; "no, no, no" is said."""
_WORD: Final = re.compile(r"[\w']+")
_NOT_SPEECH: Final = re.compile(r"[\[(*♪][^\])*♪]*[\])*♪]?")
"""Descriptions of sounds, as "[music]" or "(applause)": no one said them."""


def recognise_gated(
    recogniser: Recogniser,
    sound: Sound,
    window_s: float,
    language: str | None,
    *,
    retry: bool = True,
) -> Heard | None:
    """Recognise a phrase; None if nothing was said as far as can be told.

    :param retry: whether words that came out twice are worth another, longer look, which is seven times as dear
    """
    heard = recogniser.recognise(sound, window_s, language)
    if retry and is_repeated(heard.text) and window_s < FULL_WINDOW_S:
        heard = recogniser.recognise(sound, FULL_WINDOW_S, language)
    text = spoken(heard.text)
    if not text or heard.log_probability < LOG_PROBABILITY_LEAST or is_repeated(text):
        return None
    return replace(heard, text=text)


def spoken(text: str) -> str:
    """Return a text without descriptions of sounds; empty if no word is left."""
    text = " ".join(_NOT_SPEECH.sub(" ", text).split())
    return text if _WORD.search(text) else ""


def is_repeated(text: str) -> bool:
    """Whether the same words stand twice in a row, or one word more often than it is said."""
    words = [word.lower() for word in _WORD.findall(text)]
    for size in range(1, len(words) // 2 + 1):
        times = _SAME_WORD if size == 1 else 2 if size > 2 else 3
        for start in range(len(words) - times * size + 1):
            first = words[start : start + size]
            if all(words[start + n * size : start + (n + 1) * size] == first for n in range(1, times)):
                return True
    return False
