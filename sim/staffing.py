"""How many moderators an evening takes: the fewest with whom the first look is soon enough, also in a raid.

The audience comes from :mod:`sim.experiment`, reports come from listener-hours, and the queue is that of
:mod:`sim.moderation`, which runs the server's own cases and leases. Erlang C for the busiest quarter of an hour
stands beside it: it knows neither breaks and leases nor that a burst ends, and is what a planner would have
computed without a simulation.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from media.moderation.categories import URGENCY, Category
from sim.calibrate import Interval
from sim.erlang import servers_for, wait_quantile
from sim.experiment import Experiment, quantile_interval
from sim.moderation import ORDINARY, Disturbance, Reviewed, Reviewing, ReviewModel, Shift
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]

BUSIEST_S = 900
"""Seconds of the busiest stretch, for which Erlang C is asked."""
AFTER_S = 7_200.0
"""Moderators stay that long after the Space has ended, at most: what was reported late is looked at, too."""
MOST = 200
"""Moderators up to whom a plan looks."""


class StaffingError(ValueError):
    """No number of moderators will do; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How crowds report; sources in brackets, ``?`` for an assumption to sweep."""

    cases_per_1000_hours: float = 0.5
    """Reports on different matters in 1,000 listener-hours (?, sweep 0.05 to 5)."""
    true_share: float = 0.7
    """Share of matters in which the rules were broken (?)."""
    complains: float = 0.05
    """Share of decisions that the user affected complains about (?)."""
    again_s: float = 60.0
    """After how long a disturbance is reported again if a moderator wrongly found nothing (?)."""


@dataclass(frozen=True, slots=True)
class Raid:
    """Accounts that take turns making noise until each is silenced. Seconds from the start of the Space."""

    at_s: float
    raiders: int = 20
    apart_s: float = 15.0
    """Mean time from one raider's first noise to the next one's (?)."""
    reported_after_s: float = 10.0
    """Mean time until somebody reports a raider, exponential (?)."""
    reporters: int = 10
    """Listeners who report each of them: one case, whoever and however many they are (?)."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a number of moderators achieves, over all replications."""

    moderators: int
    wait_p95_s: float
    """95th percentile of the time from a matter's first report to the first look; infinite if too many waited for
    ever."""
    erlang_p95_s: float
    """What Erlang C says of the busiest quarter of an hour."""
    backlog_max: float
    """Cases waiting at the worst moment, mean of the replications."""
    harm: float
    """Listener-seconds until silenced, mean of the replications."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """The answer to "how many moderators on Friday"."""

    moderators: int
    """Fewest with whom ``share`` of the first looks come within ``target_s``."""
    erlang: int
    """The same after Erlang C, for the busiest quarter of an hour of the planned quantile."""
    target_s: float
    share: float
    cases: Interval
    """Cases an evening at the planned quantile of the replications."""
    busiest_cases_per_h: float
    """Cases an hour in the busiest quarter of an hour, at the same quantile."""
    mean_review_s: float
    levels: tuple[Level, ...]
    """From one moderator to two more than are needed."""
    raid: Raid | None
    reporting: Reporting

    def sentence(self) -> str:
        """Return the answer for people to read."""
        return (
            f"moderators: {self.moderators} (Erlang C: {self.erlang}), cases: {self.cases.value:,.0f}; "
            f"{self.share:.0%} of first looks within {self.target_s:.0f} s"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what plan.json holds: plain values, intervals beside the values they belong to."""
        tree = asdict(self)
        tree["cases"] = round(self.cases.value)
        tree["cases_interval"] = [round(self.cases.low), round(self.cases.high)]
        for level in tree["levels"]:
            level.update({key: None for key, value in level.items() if not np.isfinite(value)})
        return tree


def ask(experiment: Experiment) -> tuple[Staffing, Staffing]:
    """Return how many moderators an ordinary evening takes, and one with a raid a third of the way in."""
    raid = Raid(experiment.listeners.shape[1] / 3)
    return staff(experiment), staff(experiment, raid=raid)


def first_look(reviewing: Reviewing = ORDINARY, share: float = 0.95) -> float:
    """Return how soon a disturbance must be looked at to be decided when it is due (seconds).

    It is due after 15 minutes, and 95 % of decisions take no longer than their lognormal's quantile: at a median
    of 240 s and σ 0.7 that is 759 s, so the first look has 141 s.
    """
    takes = reviewing.median_s * float(np.exp(stats.norm.ppf(share) * reviewing.sigma))
    left = URGENCY[Category.DISTURBANCE].due - takes
    if left <= 0:
        raise StaffingError(
            f"{share:.0%} of decisions take up to {takes:.0f} s, longer than the {takes + left:.0f} s in which a "
            "disturbance is due; shorten the review, or name a target_s"
        )
    return left


def disturbances(
    experiment: Experiment, replication: int, reporting: Reporting = Reporting(), raid: Raid | None = None
) -> list[Disturbance]:
    """Draw who is reported when in one replication: a Poisson process that follows the audience, and a raid."""
    rng = stream(experiment.seed, Purpose.REPORTS, replication)
    listeners = experiment.listeners[replication].astype(float)
    rate = listeners * (reporting.cases_per_1000_hours / 3.6e6)
    found: list[Disturbance] = []
    for second in np.repeat(np.arange(listeners.size), rng.poisson(rate)):
        at = float(second) + float(rng.random())
        true = bool(rng.random() < reporting.true_share)
        name, crowd = f"user{len(found)}", int(listeners[second])
        found.append(
            Disturbance(
                at, name, crowd, (at,), true=true, complains=reporting.complains, again_s=reporting.again_s
            )
        )
    if raid is not None:
        rng = stream(experiment.seed, Purpose.RAID, replication)
        starts = raid.at_s + np.cumsum(rng.exponential(raid.apart_s, raid.raiders)) - raid.apart_s
        for number, at in enumerate(np.maximum(starts, 0.0)):
            delays = np.cumsum(rng.exponential(raid.reported_after_s, raid.reporters))
            crowd = int(listeners[min(int(at), listeners.size - 1)])
            times = tuple(float(at + delay) for delay in delays)
            found.append(Disturbance(float(at), f"raider{number}", crowd, times, again_s=reporting.again_s))
    return found


def staff(
    experiment: Experiment,
    *,
    target_s: float | None = None,
    share: float = 0.95,
    quantile: float = 0.95,
    reporting: Reporting = Reporting(),
    reviewing: Reviewing = ORDINARY,
    raid: Raid | None = None,
    most: int = MOST,
) -> Staffing:
    """Find the fewest moderators with whom ``share`` of the first looks come within ``target_s`` seconds.

    :param target_s: default: :func:`first_look`
    :param quantile: of the replications, for the cases that are stated and the load that Erlang C is asked about
    :raises StaffingError: ``most`` moderators are too few
    """
    target = first_look(reviewing, share) if target_s is None else target_s
    evenings = [disturbances(experiment, number, reporting, raid) for number in range(experiment.n)]
    counts = np.array([len(evening) for evening in evenings], dtype=float)
    length = float(experiment.listeners.shape[1])
    busiest = float(np.quantile([_busiest(evening, length) for evening in evenings], quantile))
    load = busiest / BUSIEST_S * reviewing.mean_s
    levels: list[Level] = []
    needed = 0
    for moderators in range(1, most + 1):
        levels.append(_level(experiment, evenings, moderators, load, share, reviewing, length))
        if not needed and levels[-1].wait_p95_s <= target:
            needed = moderators
        if needed and moderators >= needed + 2:
            break
    if not needed:
        raise StaffingError(
            f"even {most} moderators do not look at {share:.0%} of the cases within {target:.0f} s; "
            "shorten the review, or allow more time"
        )
    return Staffing(
        moderators=needed,
        erlang=servers_for(load, reviewing.mean_s, target, share),
        target_s=target,
        share=share,
        cases=Interval(*quantile_interval(counts, quantile)),
        busiest_cases_per_h=busiest / BUSIEST_S * 3_600.0,
        mean_review_s=reviewing.mean_s,
        levels=tuple(levels),
        raid=raid,
        reporting=reporting,
    )


def _busiest(evening: Sequence[Disturbance], length: float) -> int:
    """Count the cases that are opened in the busiest quarter of an hour."""
    at = np.sort([min(each.reports_s) for each in evening])
    if at.size == 0:
        return 0
    return int(max(np.searchsorted(at, at + BUSIEST_S) - np.arange(at.size)))


def _level(
    experiment: Experiment,
    evenings: Sequence[Sequence[Disturbance]],
    moderators: int,
    load: float,
    share: float,
    reviewing: Reviewing,
    length: float,
) -> Level:
    until = length + AFTER_S
    results = [
        ReviewModel(
            evening, [Shift(0.0, until, moderators)], seed=experiment.seed, replication=number, reviewing=reviewing
        ).run(until)
        for number, evening in enumerate(evenings)
    ]
    waits = np.concatenate([_waits(result) for result in results])
    return Level(
        moderators=moderators,
        wait_p95_s=float(np.quantile(waits, share, method="higher")) if waits.size else 0.0,
        erlang_p95_s=wait_quantile(load, moderators, reviewing.mean_s, share),
        backlog_max=float(np.mean([max((cases for _, cases in each.backlog), default=0) for each in results])),
        harm=float(np.mean([each.harm.sum() for each in results])),
    )


def _waits(result: Reviewed) -> Floats:
    """Return the waits of all that was reported, infinite for what nobody looked at."""
    reported = result.reported_s[~np.isnan(result.reported_s)]
    claimed = result.claimed_s[~np.isnan(result.reported_s)]
    return np.where(np.isnan(claimed), np.inf, claimed - reported)
