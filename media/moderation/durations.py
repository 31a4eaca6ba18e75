"""How long things took: medians and percentiles of the durations that a report or a dashboard states."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Durations:
    """Summary of durations in seconds; None where there are none."""

    count: int
    median: float | None
    p95: float | None
    longest: float | None


def summary(durations: Sequence[float]) -> Durations:
    """Summarise durations."""
    ordered = sorted(durations)
    if not ordered:
        return Durations(0, None, None, None)
    return Durations(len(ordered), median(ordered), percentile(ordered, 0.95), ordered[-1])


def median(durations: Sequence[float]) -> float | None:
    """Return the middle duration, or the mean of the two in the middle."""
    ordered = sorted(durations)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the least value that at least that share of them does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
