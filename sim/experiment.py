"""Replications: the same evening many times over, until its peak is known well enough.

Every replication has random streams of its own (``sim.streams``), so the result depends on seed and number
and not on how many workers computed it, nor in which order they finished. ``joblib.parallel_config`` moves
the same call to another backend.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import stats
from tqdm.auto import tqdm

from sim.growth import grow
from sim.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 16
"""Replications before the spread of the peak is believed."""
BATCH = 16
"""Replications added at a time."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """The audiences of ``n`` replications, second by second."""

    scenario: Scenario
    seed: int
    scale: float
    listeners: Ints
    """Listeners at the end of each second: shape (n, seconds)."""
    joins: Ints
    """Joins in each second: shape (n, seconds)."""
    precise: bool
    """True if the confidence interval of the mean peak is as narrow as was asked."""

    @property
    def n(self) -> int:
        """Number of replications."""
        return self.listeners.shape[0]

    @property
    def peaks(self) -> Ints:
        """Most listeners at once, per replication: shape (n,)."""
        return self.listeners.max(axis=1)

    def mean_peak(self, level: float = 0.95) -> tuple[float, float, float]:
        """Return the mean peak and its Student t confidence interval."""
        return mean_interval(self.peaks.astype(float), level)

    def band(self, level: float = 0.9) -> tuple[Floats, Floats, Floats]:
        """Return median, lower and upper edge of the middle ``level`` of replications, per second."""
        edges = np.quantile(self.listeners, [0.5, (1 - level) / 2, (1 + level) / 2], axis=0)
        return edges[0], edges[1], edges[2]


def mean_interval(values: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """Return mean, low and high of the Student t confidence interval; needs two values or more."""
    mean = float(values.mean())
    half = (
        float(stats.t.ppf((1 + level) / 2, values.size - 1))
        * float(values.std(ddof=1))
        / float(np.sqrt(values.size))
    )
    return mean, mean - half, mean + half


def quantile_interval(values: Floats, q: float, level: float = 0.95) -> tuple[float, float, float]:
    """Return the ``q`` quantile and a distribution-free confidence interval from order statistics.

    Where the sample is too small for an upper or lower end, the largest or smallest value stands in.
    """
    ordered = np.sort(values)
    n = ordered.size
    low = int(stats.binom.ppf((1 - level) / 2, n, q)) - 1
    high = int(stats.binom.ppf((1 + level) / 2, n, q))
    value = float(np.quantile(ordered, q))
    return value, min(float(ordered[max(low, 0)]), value), max(float(ordered[min(high, n - 1)]), value)


def replicate(
    scenario: Scenario,
    seed: int,
    *,
    scale: float = 1.0,
    precision: float = 0.1,
    most: int = 64,
    replications: int | None = None,
    n_jobs: int = 2,
    progress: bool = False,
) -> Experiment:
    """Simulate ``scenario`` until the 95 % interval of its mean peak is within ± ``precision`` (a share).

    At least 16 and at most ``most`` replications are made; ``replications`` fixes the number instead.
    """
    if replications is not None and replications < 2:
        raise ValueError(f"replications is {replications}; an interval needs at least 2")
    limit = most if replications is None else replications
    bar = tqdm(total=limit, desc=f"simulating {scenario.name}", unit="run", disable=not progress)
    found: dict[int, tuple[Ints, Ints]] = {}
    precise = False
    wanted = FEWEST if replications is None else replications
    with Parallel(n_jobs=n_jobs, return_as="generator_unordered") as pool, bar:
        while len(found) < wanted:
            numbers = range(len(found), wanted)
            jobs = (delayed(_replication)(scenario, seed, number, scale) for number in numbers)
            for number, listeners, joins in cast(Iterable[tuple[int, Ints, Ints]], pool(jobs)):
                found[number] = (listeners, joins)
                bar.update()
            peaks = np.array([found[number][0].max() for number in sorted(found)], dtype=float)
            mean, low, _ = mean_interval(peaks)
            precise = bool(mean - low <= precision * mean)
            if not precise and replications is None:
                wanted = min(wanted + BATCH, limit)
        bar.total = len(found)
        bar.refresh()
    ordered = [found[number] for number in sorted(found)]
    return Experiment(
        scenario=scenario,
        seed=seed,
        scale=scale,
        listeners=np.stack([listeners for listeners, _ in ordered]),
        joins=np.stack([joins for _, joins in ordered]),
        precise=precise,
    )


def _replication(scenario: Scenario, seed: int, number: int, scale: float) -> tuple[int, Ints, Ints]:
    listeners, joins = grow(scenario, seed, replication=number, scale=scale).per_second()
    return number, listeners, joins
