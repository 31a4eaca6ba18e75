"""The model of reviewers beside theory, and conservation of cases and harm."""

import numpy as np
import pytest

from media.moderation.policy import ReviewPolicy
from sim.erlang import erlang_c, mean_wait
from sim.experiment import mean_interval
from sim.moderation import Disturbance, Reviewed, Reviewing, ReviewModel, Shift, report_times
from sim.streams import Purpose, stream

HOUR = 3_600.0
FLAWLESS = Reviewing(error=0.0, leave=0.0, work_s=np.inf)


def single_reports(rate: float, until: float, replication: int) -> list[Disturbance]:
    """Disturbances that are reported once, at once, as a Poisson process."""
    times = report_times(rate, 0.0, until, stream(1, Purpose.ARRIVALS, replication))
    return [Disturbance(at, f"u{n}", 100, (at,)) for n, at in enumerate(times)]


def run(disturbances: list[Disturbance], until: float, reviewers: int = 3, **more: object) -> Reviewed:
    shifts = [Shift(0.0, until, reviewers)]
    return ReviewModel(disturbances, shifts, seed=1, **{"reviewing": FLAWLESS, **more}).run(until)  # type: ignore[arg-type]


def test_waits_are_those_of_erlang_c() -> None:
    service, reviewers, until = 240.0, 3, 30 * HOUR
    load = 2.2
    waits: list[float] = []
    delayed: list[float] = []
    for replication in range(16):
        result = run(
            single_reports(load / service, until, replication),
            until,
            reviewers,
            replication=replication,
            service=lambda rng: float(rng.exponential(service)),
        )
        waits.append(float(result.waits_s.mean()))
        delayed.append(float((result.waits_s > 1e-6).mean()))
    _, low, high = mean_interval(np.array(waits), 0.999)
    assert low <= mean_wait(load, reviewers, service) <= high
    _, low, high = mean_interval(np.array(delayed), 0.999)
    assert low <= erlang_c(load, reviewers) <= high


def test_the_backlog_is_arrivals_times_waits() -> None:
    until, rate = 60 * HOUR, 2.0 / 240
    result = run(single_reports(rate, until, 0), until, service=lambda rng: float(rng.exponential(240.0)))
    expected = result.waits_s.sum() / until
    assert result.mean_backlog(until) == pytest.approx(expected, rel=0.02), "Little's law"


def test_every_case_is_decided_or_waits_or_is_listened_to() -> None:
    until = 4 * HOUR
    disturbances = single_reports(1 / 60, until, 0)
    result = run(disturbances, until, reviewers=2)
    waiting = result.backlog[-1][1]
    assert 0 <= len(disturbances) - result.decided - waiting <= 2


def test_harm_is_listeners_times_seconds_until_silence() -> None:
    result = run([Disturbance(100.0, "ben", 50, (130.0, 140.0))], HOUR, 1, service=lambda rng: 60.0)
    assert result.silenced_s[0] == 190.0 and result.harm[0] == 90.0 * 50
    unseen = run([Disturbance(100.0, "ben", 50, ())], HOUR, 1)
    assert unseen.harm[0] == (HOUR - 100.0) * 50


def test_a_crowd_that_reports_the_same_is_one_case() -> None:
    result = run([Disturbance(0.0, "ben", 50, tuple(np.linspace(10, 20, 200)))], HOUR)
    assert result.decided == 1 and max(cases for _, cases in result.backlog) == 1


def test_who_walks_away_costs_a_lease() -> None:
    policy = ReviewPolicy(lease=600)
    away = Reviewing(error=0.0, leave=1.0, work_s=np.inf)
    result = run([Disturbance(0.0, "ben", 1, (0.0,))], 3_500.0, 1, reviewing=away, policy=policy)
    assert result.decided == 0 and np.isnan(result.silenced_s[0])


def test_shifts_and_breaks_leave_cases_waiting() -> None:
    disturbance = [Disturbance(0.0, "ben", 1, (0.0,))]
    late = ReviewModel(disturbance, [Shift(1_800.0, HOUR, 1)], seed=1, reviewing=FLAWLESS).run(HOUR)
    assert late.claimed_s[0] == 1_800.0
    gone = ReviewModel(disturbance, [Shift(0.0, 0.0, 3)], seed=1, reviewing=FLAWLESS).run(HOUR)
    assert np.isnan(gone.claimed_s[0])


def test_complaints_come_back_to_other_reviewers_and_right_what_was_wrong() -> None:
    wrong = [Disturbance(n * 100.0, f"u{n}", 1, (n * 100.0,), true=False, complains=1.0) for n in range(60)]
    erring = Reviewing(error=0.5, leave=0.0, work_s=np.inf)
    result = run(wrong, 30 * HOUR, 3, reviewing=erring)
    accused = int(np.sum(~np.isnan(result.silenced_s)))
    assert result.answered == accused and 0 < result.overturned < result.answered
    assert np.all(result.harm == 0), "nobody was disturbed"
    alone = run(wrong, 30 * HOUR, 1, reviewing=erring)
    assert alone.answered == 0, "nobody answers a complaint about themselves"


def test_the_same_seed_is_the_same_run() -> None:
    first, second = (run(single_reports(1 / 60, HOUR, 0), HOUR, 2) for _ in range(2))
    assert first.backlog == second.backlog and np.array_equal(first.harm, second.harm)
