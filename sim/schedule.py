"""What a swarm follows: who arrives when and stays how long, at a size a laptop can carry.

A schedule is one simulated audience, thinned and compressed:

* *Thinning* keeps each arrival with the same probability, which leaves the shape of the audience alone
  (a thinned Poisson process is a Poisson process). Every arrival carries one uniform mark and is kept if the
  mark is below a threshold, so a smaller swarm is a subset of a larger one. The threshold is the largest at
  which the asked peak is not exceeded.
* *Compression* multiplies all times by one factor. Occupancy keeps its shape; joins per second go up by the
  factor's inverse, so a compressed swarm stresses joining harder, per listener, than the real evening would.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.growth import Growth, grow
from sim.scenario import Guest, Scenario
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Schedule(Growth):
    """An audience to be made real; arrays as in :class:`sim.growth.Growth`."""

    scenario: str
    seed: int
    kept_share: float
    """Arrivals here as a share of those of the full-size scenario; above 1 if the crowd was made larger."""
    time_factor: float
    """Seconds here per second of the scenario."""
    stage: Floats
    """People on stage: shape (speakers, 2), seconds of arrival and of stay."""


def arrival_schedule(
    scenario: Scenario,
    seed: int,
    scale: float = 1.0,
    *,
    listeners: int | None = None,
    duration: float | None = None,
) -> Schedule:
    """Return who arrives when, reproducibly by ``seed``.

    ``scale`` multiplies the crowd. ``listeners`` asks for this peak of listeners at once: a larger crowd is
    thinned, a smaller one first grown. ``duration`` compresses (or stretches) the Space to so many seconds.
    """
    if scale <= 0 or (listeners is not None and listeners < 1) or (duration is not None and duration <= 0):
        raise ValueError("scale and duration must be positive and listeners at least 1")
    crowd = grow(scenario, seed, scale=scale)
    kept = scale
    if listeners is not None:
        while crowd.peak() < listeners:
            kept *= 1.25 * listeners / max(crowd.peak(), 1)
            crowd = grow(scenario, seed, scale=kept)
        whole = crowd.arrival_s.size
        crowd = _thin(crowd, listeners, stream(seed, Purpose.THINNING).random(whole))
        kept *= crowd.arrival_s.size / whole
    factor = 1.0 if duration is None else duration / scenario.length_s
    return Schedule(
        length_s=crowd.length_s * factor,
        arrival_s=crowd.arrival_s * factor,
        dwell_s=crowd.dwell_s * factor,
        kind=crowd.kind,
        scenario=scenario.name,
        seed=seed,
        kept_share=kept,
        time_factor=factor,
        stage=_stage(scenario) * factor,
    )


def _thin(crowd: Growth, listeners: int, marks: Floats) -> Growth:
    """Keep the arrivals with the smallest marks, as many as the asked peak allows."""
    order = np.argsort(marks, kind="stable")
    fewest, most = 0, marks.size
    best = _take(crowd, order[:0])
    guess = int(1.1 * marks.size * listeners / max(crowd.peak(), 1)) + 100
    if guess < most and _take(crowd, order[:guess]).peak() > listeners:
        most = guess
    while fewest < most:  # the peak never falls when an arrival is added, and rises by one at most
        middle = (fewest + most + 1) // 2
        taken = _take(crowd, order[:middle])
        if taken.peak() <= listeners:
            fewest, best = middle, taken
        else:
            most = middle - 1
    return best


def _take(crowd: Growth, index: NDArray[np.int64]) -> Growth:
    index = np.sort(index)
    return Growth(crowd.length_s, crowd.arrival_s[index], crowd.dwell_s[index], crowd.kind[index])


def _stage(scenario: Scenario) -> Floats:
    """Return arrival and stay of everybody on stage: guests at their minute, the others from the start."""
    guests = sorted(event.minute * 60.0 for event in scenario.events if isinstance(event, Guest))
    guests = guests[: scenario.speakers - 1]
    starts = np.array([0.0] * (scenario.speakers - len(guests)) + guests)
    return np.column_stack((starts, scenario.length_s - starts))
