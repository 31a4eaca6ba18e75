"""Reactions: a closed list of gestures and emoji that fade, of which only sums per interval are ever told.

A raised hand is the one gesture that stays, and is therefore no reaction but a state of a person (see
:mod:`media.space.microphones`).
"""

from collections import Counter
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from media.space.errors import BadInputError


class Reaction(StrEnum):
    """Everything that one can react with."""

    WAVE = "wave"
    FIST = "fist"
    PEACE = "peace"
    HUNDRED = "100"
    HEART = "heart"
    CLAP = "clap"
    LAUGH = "laugh"
    SURPRISE = "surprise"
    SAD = "sad"
    FIRE = "fire"
    THUMBS_UP = "thumbs_up"
    THUMBS_DOWN = "thumbs_down"


SYMBOL: Final = MappingProxyType(
    {
        Reaction.WAVE: "\N{WAVING HAND SIGN}",
        Reaction.FIST: "\N{RAISED FIST}",
        Reaction.PEACE: "\N{VICTORY HAND}\N{VARIATION SELECTOR-16}",
        Reaction.HUNDRED: "\N{HUNDRED POINTS SYMBOL}",
        Reaction.HEART: "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
        Reaction.CLAP: "\N{CLAPPING HANDS SIGN}",
        Reaction.LAUGH: "\N{FACE WITH TEARS OF JOY}",
        Reaction.SURPRISE: "\N{ASTONISHED FACE}",
        Reaction.SAD: "\N{CRYING FACE}",
        Reaction.FIRE: "\N{FIRE}",
        Reaction.THUMBS_UP: "\N{THUMBS UP SIGN}",
        Reaction.THUMBS_DOWN: "\N{THUMBS DOWN SIGN}",
    }
)
"""What people see."""

GESTURES: Final = frozenset({Reaction.WAVE, Reaction.FIST, Reaction.PEACE, Reaction.HUNDRED})
"""What the product calls gestures; the others are emoji."""


def reaction(kind: str) -> Reaction:
    """Return the reaction of that name.

    :raises BadInputError: there is none
    """
    try:
        return Reaction(kind)
    except ValueError:
        raise BadInputError(f"There is no reaction {kind!r}; choose one of {', '.join(Reaction)}.") from None


class Tally:
    """Counts reactions, and hands the sums over once an interval.

    Adding is all that happens for each reaction: ten thousand a second cost ten thousand additions, and the
    crowd as many packets of news as without them.
    """

    def __init__(self, interval: float = 0.5) -> None:
        """Take the seconds that are at least between two handovers."""
        self.interval = interval
        self.total: Counter[str] = Counter()
        """Everything ever counted; for whoever wants to know the course of it."""
        self._fresh: Counter[str] = Counter()
        self._taken_at = float("-inf")

    def add(self, kind: Reaction, count: int = 1) -> None:
        """Count one, or as many as somebody made in a moment."""
        self._fresh[kind.value] += count
        self.total[kind.value] += count

    def shift(self, by: float) -> None:
        """Count on after the clock was set by so many seconds."""
        self._taken_at += by

    def due(self) -> float | None:
        """When :meth:`take` has something to hand over (seconds); None if nothing came."""
        return self._taken_at + self.interval if self._fresh else None

    def take(self, now: float) -> dict[str, int]:
        """Hand over how many of each kind came since the last time; nothing before the interval is over."""
        if not self._fresh or now < self._taken_at + self.interval:
            return {}
        taken, self._fresh = dict(self._fresh), Counter()
        self._taken_at = now
        return taken
