"""The course of a Space: a sample for each interval, of which there are never more than a few hundred.

When there would be more, neighbours are joined and the interval doubles: the first hour of a Space is seen every
ten seconds, a day of it every three minutes, and both take the same room.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

INTERVAL: Final = 10.0
"""Seconds between samples at first; also how much a killed server forgets."""
SAMPLES: Final = 512
"""At most."""


@dataclass(slots=True)
class Sample:
    """What was so at the end of an interval, and what came in it."""

    at: float
    """Unix seconds."""
    participants: int
    """Connected: the most at any sample that was joined into this; as the next three."""
    listeners: int
    stage: int
    """On the stage, connected or not."""
    waiting: int
    """Requests in the queue."""
    arrivals: int = 0
    departures: int = 0
    reactions: dict[str, int] = field(default_factory=dict[str, int])

    def join(self, later: "Sample") -> "Sample":
        """Return one sample for two intervals."""
        return Sample(
            at=later.at,
            participants=max(self.participants, later.participants),
            listeners=max(self.listeners, later.listeners),
            stage=max(self.stage, later.stage),
            waiting=max(self.waiting, later.waiting),
            arrivals=self.arrivals + later.arrivals,
            departures=self.departures + later.departures,
            reactions=dict(Counter(self.reactions) + Counter(later.reactions)),
        )


_NUMBERS: Final = ("participants", "listeners", "stage", "waiting", "arrivals", "departures")


class Course:
    """Samples in order."""

    def __init__(self, started_at: float, record: Mapping[str, Any] | None = None) -> None:
        """Take what :meth:`to_record` returned; times in Unix seconds."""
        self.started_at = started_at
        self.interval: float = record["interval"] if record else INTERVAL
        self.samples: list[Sample] = _unpack(record, started_at) if record else []

    def due(self, now: float) -> bool:
        """Whether an interval is over."""
        last = self.samples[-1].at if self.samples else self.started_at
        return now >= last + self.interval - 0.001

    def add(self, sample: Sample) -> None:
        """Take the next sample."""
        sample.at = self.started_at + round(sample.at - self.started_at, 1)
        self.samples.append(sample)
        if len(self.samples) > SAMPLES:
            pairs = zip(self.samples[::2], self.samples[1::2], strict=False)
            odd = self.samples[len(self.samples) // 2 * 2 :]
            self.samples = [one.join(other) for one, other in pairs] + odd
            self.interval *= 2

    def to_record(self) -> dict[str, Any]:
        """Return what JSON holds: a list for each column, reactions by kind and place."""
        kinds: dict[str, dict[str, int]] = {}
        for place, sample in enumerate(self.samples):
            for kind, count in sample.reactions.items():
                kinds.setdefault(kind, {})[str(place)] = count
        columns = {name: [getattr(sample, name) for sample in self.samples] for name in _NUMBERS}
        times = [round(sample.at - self.started_at, 1) for sample in self.samples]
        return {"interval": self.interval, "times": times, "reactions": kinds, **columns}


def _unpack(record: Mapping[str, Any], started_at: float) -> list[Sample]:
    times: Sequence[float] = record["times"]
    samples = [
        Sample(started_at + time, *(record[name][place] for name in _NUMBERS)) for place, time in enumerate(times)
    ]
    for kind, counts in record["reactions"].items():
        for place, count in counts.items():
            samples[int(place)].reactions[kind] = count
    return samples
