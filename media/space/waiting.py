"""How long people wait to speak in a Space, and how long the next will, by what was observed there."""

from collections import deque
from collections.abc import Iterable
from statistics import fmean, median
from typing import Final

OBSERVED: Final = 20
"""Answers that an estimate rests on: enough to even out, few enough to follow the mood of a host."""


class Waiting:
    """The course of one speaker queue.  Driven by :class:`~media.space.space.Space` only; times in seconds.

    The queue is served one by one while somebody waits, so whoever is k-th waits for k answers. An answer is
    whatever makes the queue shorter: a seat, a denial, a change of mind, a lost connection.
    """

    def __init__(self, gaps: Iterable[float] = (), waits: Iterable[float] = ()) -> None:
        self.gaps: deque[float] = deque(gaps, OBSERVED)
        """From one answer to the next, or from the first request to the first answer."""
        self.waits: deque[float] = deque(waits, OBSERVED)
        """What those who were answered had waited."""
        self.since: float | None = None
        """Since when the next answer is awaited; None while nobody waits."""

    def note(self, asked: Iterable[float], left: int, now: float) -> None:
        """Take note of an input: when those had asked who wait no more, and how many still do."""
        for at in asked:
            if at < now:  # a seat at once is no waiting
                self.waits.append(now - at)
                self.gaps.append(now - (self.since if self.since is not None else at))
                self.since = now
        if left == 0:
            self.since = None
        elif self.since is None:
            self.since = now

    def copy(self) -> "Waiting":
        """Return a second one in the same state."""
        other = Waiting(self.gaps, self.waits)
        other.since = self.since
        return other

    def estimate(self, position: int) -> float | None:
        """Return how long the person at a position (from 1) will wait; None if nobody was answered yet."""
        return position * fmean(self.gaps) if self.gaps else None

    @property
    def median(self) -> float | None:
        """What those who were answered had waited in the middle; None if nobody was answered yet."""
        return median(self.waits) if self.waits else None
