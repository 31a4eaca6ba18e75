"""Sudden loudness: somebody is much louder than people in this Space have been, for longer than a laugh.

Loud is relative: what is normal is learnt from the Space itself, as the mean power of all speech in it over the
last minute, so that a quiet round and a noisy one are judged by their own measure. Levels are those of the relay,
in dBov (RFC 6464: 0 is full scale, −127 silence), of whoever talks.

A raised voice lies 6 dB above a normal one, a loud one 12 dB and a shout 20 dB (62.4, 68.3, 74.9 and 82.3 dB SPL
in ANSI S3.5-1997); the threshold stands between the last two. The times are choices.
"""

from math import exp, log10
from typing import Final

from media.moderation.categories import Category
from media.moderation.signals import Kind, Signal

ABOVE: Final = 14.0
"""dB over what is normal that are too loud: beyond a loud voice, below a shout."""
LASTS: Final = 0.4
"""Seconds for which it must last: a cough or a laugh has shorter peaks, a siren or a scream has not."""
LEARNT: Final = 10.0
"""Seconds of speech that must have been heard in a Space before anything counts as loud in it."""
MEMORY: Final = 60.0
"""Seconds of speech over which the mean is taken (time constant)."""
AGAIN: Final = 60.0
"""Seconds until the same person is told of again."""
LEAST: Final = -30.0
"""dBov below which nothing is loud, however quiet it was before: speech at a normal gain."""
GAP: Final = 1.0
"""Seconds without news after which a level is not believed any more."""


class SuddenLoudness:
    """The levels of one Space.  Times in seconds on the clock of ``now``; no input goes back in time."""

    def __init__(self) -> None:
        self._power = 0.0
        """Mean power of speech, of full scale."""
        self._heard = 0.0
        """Seconds of speech that the mean rests on, up to :data:`MEMORY`."""
        self._levels: dict[str, float] = {}
        self._loud_since: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._at = 0.0

    @property
    def normal(self) -> float | None:
        """The level of speech in this Space (dBov); None while too little was heard."""
        return 10 * log10(self._power) if self._heard >= LEARNT and self._power > 0 else None

    def hear(self, levels: dict[str, float], now: float) -> list[Signal]:
        """Take who talks from now on, and how loud (dBov); return whom to listen to, by name."""
        signals = self._pass_time(now)
        self._levels = dict(levels)
        for person in [p for p in self._loud_since if p not in levels]:
            del self._loud_since[person]
        return signals

    def _pass_time(self, now: float) -> list[Signal]:
        """Account for the time since the last input, in which the levels were what they are."""
        lasted, since = min(GAP, max(0.0, now - self._at)), self._at
        self._at = max(now, self._at)
        normal, signals = self.normal, list[Signal]()
        for person, level in sorted(self._levels.items()):
            if normal is not None and level >= max(LEAST, normal + ABOVE):
                began = self._loud_since.setdefault(person, since)
                if since + lasted - began >= LASTS and now - self._told.get(person, -AGAIN) >= AGAIN:
                    self._told[person] = now
                    signals.append(_signal(person, level, normal, began))
            else:
                self._loud_since.pop(person, None)
                self._learn(level, lasted)
        return signals

    def _learn(self, level: float, seconds: float) -> None:
        """Let speech count for what is normal; a scream does not, or it would make the next one normal."""
        self._heard = min(MEMORY, self._heard + seconds)
        share = 1.0 if self._power == 0 else max(1 - exp(-seconds / MEMORY), min(1.0, seconds / self._heard))
        self._power += share * (10 ** (level / 10) - self._power)


def _signal(person: str, level: float, normal: float, began: float) -> Signal:
    above = level - normal
    reason = f"{person} is {above:.0f} dB louder than people here were in the last minute ({level:.0f} dBov)."
    strength = min(1.0, above / (2 * ABOVE))
    return Signal(Kind.LOUDNESS, (person,), Category.DISTURBANCE, began, strength, reason)
