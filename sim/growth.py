"""How a room fills and empties.

People come by five ways: the bubble (fast), the push notification (slow), word of mouth (more of it the more
people listen), an event (a guest's followers, a surge), and coming back after a collapse. They stay by a
mixture of two lognormals. Except for word of mouth and collapses the room is an M(t)/G/infinity queue, and
the tests hold it to that theory.

The crowd is modelled in one-second cohorts that a SimPy process moves: each second draws how many come
(Poisson), each of them when within the second and for how long; nobody is a SimPy process of their own. The
model with one process per listener is in ``sim.listeners``; both have the same law.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum, unique

import numpy as np
import simpy
from numpy.typing import NDArray
from scipy import stats

from sim.fields import ScenarioError
from sim.scenario import Collapse, Dwell, Guest, Scenario, Surge
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@unique
class Kind(IntEnum):
    """The way by which a listener came."""

    BUBBLE = 0
    PUSH = 1
    EVENT = 2
    WORD = 3
    RETURN = 4


@dataclass(frozen=True, slots=True)
class Burst:
    """An expected ``size`` of people who come after ``start`` seconds, with lognormal delay."""

    kind: Kind
    start: float
    size: float
    median_s: float
    sigma: float
    until: float
    """From here on nobody comes from this burst any more: the room it points to is gone."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The audience of one Space. Arrays have one entry per arrival, sorted by arrival."""

    length_s: float
    arrival_s: Floats
    dwell_s: Floats
    """Cut at the end of the Space and at a collapse."""
    kind: NDArray[np.int8]

    def present(self, at: float | Floats) -> Ints:
        """Return how many listeners are there at the given times (seconds)."""
        at = np.asarray(at, dtype=float)
        left = np.sort(self.arrival_s + self.dwell_s)
        came = np.searchsorted(self.arrival_s, at, side="right")
        return np.asarray(came - np.searchsorted(left, at, side="right"), dtype=np.int64)

    def peak(self) -> int:
        """Return the largest number of listeners present at once."""
        return int(self.steps()[1].max(initial=0))

    def steps(self) -> tuple[Floats, Ints]:
        """Return occupancy as a step function: times of change (seconds, sorted) and listeners from then on."""
        times = np.concatenate((self.arrival_s + self.dwell_s, self.arrival_s))
        change = np.repeat(np.array([-1, 1], dtype=np.int64), self.arrival_s.size)
        order = np.argsort(times, kind="stable")  # who leaves at an instant goes before who comes at it
        return times[order], np.cumsum(change[order])

    def per_second(self) -> tuple[Ints, Ints]:
        """Return listeners at the end of every second and joins within it; each of shape (seconds,)."""
        seconds = int(np.ceil(self.length_s))
        came = np.bincount(self.arrival_s.astype(np.int64), minlength=seconds)[:seconds]
        leaves = np.minimum(self.arrival_s + self.dwell_s, seconds).astype(np.int64)
        left = np.bincount(leaves, minlength=seconds + 1)[:seconds]
        return np.cumsum(came - left), came


ARRIVALS_MAX = 50_000_000
"""Arrivals of one evening: each takes 17 bytes, and twice that while they are sorted."""


def grow(scenario: Scenario, seed: int, *, replication: int = 0, scale: float = 1.0) -> Growth:
    """Simulate the audience of one Space, ``scale`` times as large in expectation.

    ``scale`` multiplies every count of people the scenario states (followers, surges), which is the same law
    as letting each of them come with that probability.

    :raises ScenarioError: more than :data:`ARRIVALS_MAX` come
    """
    expected = sum(burst.size for burst in bursts(scenario, scale))
    if expected > ARRIVALS_MAX:
        raise ScenarioError(
            f"{scenario.name} at --scale {scale:g} lets {expected:,.0f} people come, and {ARRIVALS_MAX:,} fit "
            "into memory; make --scale or the followers smaller"
        )
    env = simpy.Environment()
    crowd = _Crowd(env, scenario, seed, replication, scale)
    env.process(crowd.run())
    env.run()
    return crowd.finish()


def bursts(scenario: Scenario, factor: float = 1.0) -> list[Burst]:
    """Return every burst of a scenario; ``factor`` multiplies the sizes (scale and turnout)."""
    bubble, push = scenario.bubble, scenario.push
    collapses = sorted(event.minute * 60.0 for event in scenario.events if isinstance(event, Collapse))

    def until(start: float) -> float:
        return next((time for time in collapses if time > start), scenario.length_s)

    def lights_up(kind: Kind, start: float, followers: int) -> Burst:
        size = factor * followers * bubble.online_share * bubble.click_rate
        return Burst(kind, start, size, bubble.median_s, bubble.sigma, until(start))

    pushed = factor * scenario.host.followers * push.reach_share * push.click_rate
    found = [
        lights_up(Kind.BUBBLE, 0.0, scenario.host.followers),
        Burst(Kind.PUSH, 0.0, pushed, push.median_s, push.sigma, until(0.0)),
    ]
    for event in scenario.events:
        start = event.minute * 60.0
        if isinstance(event, Guest):
            found.append(lights_up(Kind.EVENT, start, event.followers))
        elif isinstance(event, Surge):
            found.append(
                Burst(Kind.EVENT, start, factor * event.people, event.median_s, event.sigma, until(start))
            )
        else:
            found.append(lights_up(Kind.EVENT, start + event.down_min * 60.0, event.followers))
    return found


def expected_arrivals(scenario: Scenario, factor: float = 1.0) -> Floats:
    """Return expected arrivals per second and way, without word of mouth and returns: shape (5, seconds)."""
    seconds = int(np.ceil(scenario.length_s))
    expected = np.zeros((len(Kind), seconds))
    edges = np.arange(seconds + 1, dtype=float)
    for burst in bursts(scenario, factor):
        delay = np.clip(np.minimum(edges, burst.until) - burst.start, 0.0, None)
        reached = np.asarray(stats.lognorm.cdf(delay, burst.sigma, scale=burst.median_s))
        expected[burst.kind] += burst.size * np.diff(reached)
    return expected


def draw_dwell(rng: np.random.Generator, dwell: Dwell, count: int) -> Floats:
    """Draw ``count`` listening times in seconds from the mixture of browsers and stayers."""
    browses = rng.random(count) < dwell.browser_share
    median = np.where(browses, dwell.browser_median_s, dwell.stayer_median_s)
    sigma = np.where(browses, dwell.browser_sigma, dwell.stayer_sigma)
    return median * np.exp(sigma * rng.standard_normal(count))


def draw_turnout(scenario: Scenario, seed: int, replication: int = 0) -> float:
    """Draw the factor by which this evening's bursts differ from the expected ones (mean 1)."""
    spread = scenario.turnout.spread
    normal = float(stream(seed, Purpose.TURNOUT, replication).standard_normal())
    return float(np.exp(spread * normal - spread**2 / 2))


class _Crowd:
    """The anonymous listeners: counts per second in the model, arrays of arrivals in its record."""

    def __init__(
        self, env: simpy.Environment, scenario: Scenario, seed: int, replication: int, scale: float
    ) -> None:
        self._env = env
        self._scenario = scenario
        self._arrivals = stream(seed, Purpose.ARRIVALS, replication)
        self._dwell = stream(seed, Purpose.DWELL, replication)
        self._returns = stream(seed, Purpose.RETURNS, replication)
        self._expected = expected_arrivals(scenario, scale * draw_turnout(scenario, seed, replication))
        self._seconds = self._expected.shape[1]
        self._collapses = {
            round(event.minute * 60): event for event in scenario.events if isinstance(event, Collapse)
        }
        self._open_from = 0
        self._leaving = np.zeros(self._seconds + 1, dtype=np.int64)
        self._returning = np.zeros(self._seconds + 1, dtype=np.int64)
        self._present = 0
        self._came = 0
        self._sharing = 0.0
        self._times: list[Floats] = []
        self._stays: list[Floats] = []
        self._kinds: list[NDArray[np.int8]] = []

    def run(self) -> Generator[simpy.Event, None, None]:
        word = self._scenario.word_of_mouth
        follow = 1.0 - np.exp(-1.0 / word.delay_s)
        for second in range(self._seconds):
            if second in self._collapses:
                self._collapse(second, self._collapses[second])
            if second >= self._open_from:
                shared = self._sharing * word.joins_per_listener_hour / 3600.0
                self._admit(second, shared)
            self._present -= int(self._leaving[second])
            self._sharing += (self._present - self._sharing) * follow
            yield self._env.timeout(1.0)

    def _admit(self, second: int, shared: float) -> None:
        """Let one cohort in: Poisson counts per way, uniform within the second, each with their own stay."""
        means = self._expected[:, second].copy()
        means[Kind.WORD] = shared
        counts = self._arrivals.poisson(means)
        counts[Kind.RETURN] = self._returning[second]
        total = int(counts.sum())
        if total == 0:
            return
        self._came += total
        if self._came > ARRIVALS_MAX:
            raise ScenarioError(
                f"word of mouth of {self._scenario.name} brings {ARRIVALS_MAX:,} people within {second:,} s and "
                "goes on growing; make word_of_mouth.joins_per_listener_hour smaller"
            )
        times = second + self._arrivals.random(total)
        stays = draw_dwell(self._dwell, self._scenario.dwell, total)
        ends = np.minimum(times + stays, self._seconds).astype(np.int64)
        self._leaving += np.bincount(ends, minlength=self._seconds + 1)
        self._present += total
        self._times.append(times)
        self._stays.append(stays)
        self._kinds.append(np.repeat(np.arange(len(Kind), dtype=np.int8), counts))

    def _collapse(self, second: int, event: Collapse) -> None:
        """Throw everybody out and let a share of them find the room that opens later."""
        back = int(self._returns.binomial(self._present, event.return_share))
        self._open_from = second + round(event.down_min * 60)
        delay = event.return_median_s * np.exp(event.return_sigma * self._returns.standard_normal(back))
        at = np.minimum(self._open_from + delay, self._seconds).astype(np.int64)
        self._returning = np.bincount(at, minlength=self._seconds + 1)
        self._leaving[:] = 0
        self._present = 0
        self._sharing = 0.0

    def finish(self) -> Growth:
        times = np.concatenate([np.empty(0), *self._times])
        stays = np.concatenate([np.empty(0), *self._stays])
        kinds = np.concatenate([np.empty(0, dtype=np.int8), *self._kinds])
        order = np.argsort(times, kind="stable")
        times, stays, kinds = times[order], stays[order], kinds[order]
        ends = np.minimum(times + stays, self._scenario.length_s)
        for second in sorted(self._collapses):
            ends = np.where(times < second, np.minimum(ends, second), ends)
        within = times < self._scenario.length_s
        return Growth(self._scenario.length_s, times[within], (ends - times)[within], kinds[within])
