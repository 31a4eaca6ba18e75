"""What a recogniser is: sound in, text out, with how sure it is.

Behind this interface stand Whisper (:mod:`media.captions.whisper`) and a recogniser of tones that needs no model
(:mod:`media.captions.tones`).
"""

from dataclasses import dataclass
from typing import Final, Protocol

from media.captions.phrases import Sound

SHORT_WINDOW_S: Final = 6.0
"""Seconds for a partial phrase that fits: half the price of ten; whole phrases come out worse with it."""
LIVE_WINDOW_S: Final = 10.0
"""Seconds a recogniser looks at for a live phrase: a third of Whisper's own, at a seventh of its price."""
TAIL_S: Final = 1.0
"""Seconds of silence that a window has after a phrase: without, its last words are missing."""
FULL_WINDOW_S: Final = 30.0
"""Seconds for the final transcript, and for a phrase that came out wrong."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of a phrase."""

    text: str
    log_probability: float
    """Mean natural logarithm of each token's probability: 0 is certain."""
    language: str
    """ISO 639-1; empty if the recogniser knows of no languages."""


class Recogniser(Protocol):
    """Deterministic: the same sound is the same text."""

    @property
    def name(self) -> str:
        """What it is called in records, as ``whisper-base``."""
        ...

    def recognise(self, sound: Sound, window_s: float, language: str | None) -> Heard:
        """Recognise a phrase, 30 s at most.

        :param window_s: seconds to look at, more for a longer phrase
        :param language: ISO 639-1; None to find it out
        """
        ...
