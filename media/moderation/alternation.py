"""Two voices that take turns disturbing: when one is silenced the other goes on, so that neither stands out alone.

Each is muted, removed or reported, comes back, and the host always reacts to the one who has just stopped. What
shows is not a loud moment but the pattern: talk-spurts of two people who have both been in trouble here, in turns,
close to each other, and nobody else between them. The figures are choices.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from media.moderation.categories import Category
from media.moderation.signals import Kind, Signal

TURNS: Final = 4
"""Changes from one of the two to the other that make a pattern: two each, and one more."""
WITHIN: Final = 120.0
"""Seconds in which they must lie."""
CLOSE: Final = 8.0
"""Seconds from the end of one's spurt to the begin of the other's; after a longer pause it is another scene."""
TROUBLE: Final = 1_800.0
"""Seconds for which being muted, removed or reported counts."""
AGAIN: Final = 120.0
"""Seconds until the same two are told of again."""
SPURT: Final = 0.3
"""Seconds from which on a sound is a talk-spurt, of which the mean is 1.0 s (ITU-T P.59); shorter is a cough."""
KEPT: Final = 200
"""Spurts that are remembered."""


@dataclass(frozen=True, slots=True)
class Spurt:
    """One person's talk, from its begin to its end (seconds)."""

    person: str
    begin: float
    end: float


class Alternation:
    """The spurts and troubles of one Space.  Times in seconds on the clock of ``now``."""

    def __init__(self) -> None:
        self._spurts: deque[Spurt] = deque(maxlen=KEPT)
        self._trouble: dict[str, float] = {}
        """Who was muted by an admin, removed or reported, and when last."""
        self._told: dict[frozenset[str], float] = {}

    def note_trouble(self, person: str, now: float) -> None:
        """Note that somebody was muted by host, co-host or house, removed, or reported."""
        self._trouble[person] = now

    def note_spurt(self, spurt: Spurt) -> Signal | None:
        """Take a talk-spurt that has ended, in the order of the ends; a signal if it completes a pattern."""
        if spurt.end - spurt.begin < SPURT:
            return None
        self._spurts.append(spurt)
        pair = self._pair(spurt)
        if pair is None:
            return None
        turns = self._turns(pair, spurt.end)
        if turns < TURNS or spurt.end - self._told.get(pair, -AGAIN) < AGAIN:
            return None
        self._told[pair] = spurt.end
        first, second = sorted(pair)
        reason = (
            f"{first} and {second} have talked in turns {turns} times within {WITHIN:.0f} s, with nobody between "
            "them, and both were muted, removed or reported in this Space."
        )
        begin = min(each.begin for each in self._recent(spurt.end) if each.person in pair)
        strength = min(1.0, turns / (2 * TURNS))
        return Signal(Kind.TURNS, (first, second), Category.DISTURBANCE, begin, strength, reason)

    def _pair(self, spurt: Spurt) -> frozenset[str] | None:
        """Who took turns last, if both were in trouble."""
        other = next((each.person for each in reversed(self._spurts) if each.person != spurt.person), None)
        if other is None or not (self._in_trouble(spurt.person, spurt.end) and self._in_trouble(other, spurt.end)):
            return None
        return frozenset((spurt.person, other))

    def _in_trouble(self, person: str, now: float) -> bool:
        at = self._trouble.get(person)
        return at is not None and now - at <= TROUBLE

    def _recent(self, now: float) -> list[Spurt]:
        return [spurt for spurt in self._spurts if spurt.begin >= now - WITHIN]

    def _turns(self, pair: frozenset[str], now: float) -> int:
        """Count changes between the two from the newest spurt back, until somebody else talks or a gap is long."""
        turns, newer = 0, None
        for spurt in reversed(self._recent(now)):
            if spurt.person not in pair or (newer is not None and newer.begin - spurt.end > CLOSE):
                break
            turns += newer is not None and newer.person != spurt.person
            newer = spurt
        return turns
