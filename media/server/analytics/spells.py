"""How long things took, as counts in bins that widen: stays of people, waits of requests.

A stay that is not over when one looks is no short stay. So the bins hold two kinds, those that ended and those
that were last seen going on, and the share that stays is estimated from both by the life-table method (Cutler and
Ederer, "Maximum utilization of the life table method in analyzing survival", 1958).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

STEPS: Final = 4
"""Bins for each doubling."""
BINS: Final = 1 + STEPS * 18
"""The first holds what is below one second; the last what is above 1.5 days."""


def edge(number: int) -> float:
    """Where a bin begins (seconds)."""
    return 0.0 if number == 0 else 2.0 ** ((number - 1) / STEPS)


def bin_of(seconds: float) -> int:
    """In which bin a duration is."""
    if seconds < 1:
        return 0
    return min(BINS - 1, 1 + math.floor(STEPS * math.log2(seconds) + 1e-9))


@dataclass(frozen=True, slots=True)
class Point:
    """Of a retention curve."""

    seconds: float
    share: float
    """Who stay longer than that, 0 to 1."""


class Spells:
    """Durations that ended, and durations that were cut off."""

    def __init__(self, record: Mapping[str, Any] | None = None) -> None:
        """Take what :meth:`to_record` returned."""
        self.ended = _spread(record["ended"]) if record else [0] * BINS
        self.cut = _spread(record["cut"]) if record else [0] * BINS
        self.seconds: float = record["seconds"] if record else 0.0
        """The sum of all durations."""

    def __len__(self) -> int:
        return sum(self.ended) + sum(self.cut)

    def end(self, seconds: float) -> None:
        """Count one that is over."""
        self.ended[bin_of(seconds)] += 1
        self.seconds += max(0.0, seconds)

    def cut_off(self, seconds: float, number: int = 1) -> None:
        """Count some that may have gone on."""
        self.cut[bin_of(seconds)] += number
        self.seconds += max(0.0, seconds) * number

    def with_open(self, ages: Mapping[float, int]) -> "Spells":
        """Return these together with some that go on: age (seconds) to how many."""
        both = Spells(self.to_record())
        for age, number in ages.items():
            both.cut_off(age, number)
        return both

    def survival(self) -> list[Point]:
        """Return the share that stays at the end of each bin, from 1 at 0 s to the longest that was seen."""
        return list(self._survival())

    def _survival(self) -> Iterator[Point]:
        at_risk, share = float(len(self)), 1.0
        yield Point(0.0, 1.0)
        for number, (ended, cut) in enumerate(zip(self.ended, self.cut, strict=True)):
            if at_risk <= 0:
                return
            share *= max(0.0, 1 - ended / (at_risk - cut / 2)) if ended else 1.0
            at_risk -= ended + cut
            yield Point(edge(number + 1), share)

    def median(self) -> float | None:
        """Return the time after which half are gone (seconds); None while more stay, or there are none."""
        return crossing(self.survival(), 0.5)

    def quantile(self, share: float) -> float | None:
        """Return the duration that a share of those that ended are below (seconds); None if there are none."""
        return crossing(Spells({"ended": _sparse(self.ended), "cut": {}, "seconds": 0.0}).survival(), 1 - share)

    def to_record(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return {"ended": _sparse(self.ended), "cut": _sparse(self.cut), "seconds": round(self.seconds, 3)}


def crossing(curve: Sequence[Point], share: float) -> float | None:
    """Return where a curve falls to a share (seconds), between its points on a straight line."""
    for one, other in pairwise(curve):
        if other.share <= share < one.share:
            return one.seconds + (other.seconds - one.seconds) * (one.share - share) / (one.share - other.share)
    return None


def _sparse(counts: Sequence[int]) -> dict[str, int]:
    return {str(number): count for number, count in enumerate(counts) if count}


def _spread(counts: Mapping[str, int]) -> list[int]:
    return [counts.get(str(number), 0) for number in range(BINS)]
