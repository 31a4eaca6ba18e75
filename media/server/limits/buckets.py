"""Token buckets, as the generic cell rate algorithm has them (ITU-T I.371): one number for each who asks.

A bucket that is full again is the same as one that never was, so what is remembered is bounded by who asked
lately. No clock and no I/O: the middleware beside drives it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

BUCKETS: Final = 100_000
"""Buckets remembered; beyond that the one not asked for longest is forgotten, and full again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size, and how fast it fills."""

    name: str
    per_second: float
    burst: int
    """Tokens in a full bucket."""

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket becomes full."""
        return self.burst / self.per_second


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bucket said."""

    rate: Rate
    remaining: int
    """Tokens that are left."""
    reset: float
    """Seconds until the bucket is full."""
    retry: float
    """Seconds until there is a token; 0 if one was taken."""


class Buckets:
    """A bucket for each who asks."""

    def __init__(self, most: int = BUCKETS) -> None:
        self._most = most
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()
        """When each bucket is full again (seconds)."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, who: Hashable, rate: Rate, now: float) -> Verdict:
        """Take a token if there is one; ``now`` in seconds on a clock that only goes forward."""
        token = 1 / rate.per_second
        full_at = max(self._full_at.get((who, rate.name), now), now)
        wait = full_at + token - rate.window - now
        if wait > 1e-9:  # sums of fractions are no whole numbers
            return Verdict(rate, 0, full_at - now, wait)
        full_at += token
        self._full_at[who, rate.name] = full_at
        self._full_at.move_to_end((who, rate.name))
        self._forget(now)
        return Verdict(rate, int((rate.window - full_at + now) / token + 1e-6), full_at - now, 0.0)

    def give_back(self, who: Hashable, rate: Rate) -> None:
        """Put a token back: another bucket had none, so nothing was done for it."""
        if (who, rate.name) in self._full_at:
            self._full_at[who, rate.name] -= 1 / rate.per_second

    def _forget(self, now: float) -> None:
        """Forget the two not asked for longest, as far as they are full or there are too many."""
        for _ in range(2):
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) <= self._most:
                return
            del self._full_at[oldest]
