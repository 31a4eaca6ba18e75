"""How many moderators an evening takes: beside Erlang C, and what must hold whatever is drawn."""

import json

import numpy as np
import pytest

from sim.erlang import wait_quantile
from sim.experiment import Experiment, replicate
from sim.moderation import Reviewing
from sim.scenario import load
from sim.staffing import Raid, Reporting, StaffingError, ask, disturbances, first_look, staff

STEADY = Reviewing(error=0.0, leave=0.0, work_s=np.inf)


@pytest.fixture(scope="module")
def launch() -> Experiment:
    return replicate(load(), 1, replications=6, n_jobs=1)


def flat(listeners: int, hours: float, replications: int = 4) -> Experiment:
    """An audience that stays as it is."""
    crowd = np.full((replications, int(hours * 3_600)), listeners, dtype=np.int64)
    return Experiment(load(), 1, 1.0, crowd, np.zeros_like(crowd), True)


def test_the_first_look_leaves_time_for_the_decision() -> None:
    assert first_look() == pytest.approx(900 - 759, abs=1)
    assert first_look(Reviewing(median_s=60.0)) > first_look()
    with pytest.raises(StaffingError, match="shorten the review"):
        first_look(Reviewing(median_s=600.0))


def test_reports_come_as_often_as_is_listened() -> None:
    experiment = flat(1_000, 20.0)
    found = [len(disturbances(experiment, n, Reporting(cases_per_1000_hours=5.0))) for n in range(4)]
    assert sum(found) == pytest.approx(4 * 100, abs=4 * 20), "1,000 listeners, 20 hours, 5 in 1,000 hours"
    assert disturbances(experiment, 0) == disturbances(experiment, 0)
    assert disturbances(experiment, 0) != disturbances(experiment, 1)


def test_a_raid_adds_its_raiders_and_nothing_else() -> None:
    experiment = flat(1_000, 1.0)
    calm, raided = disturbances(experiment, 0), disturbances(experiment, 0, raid=Raid(600.0, raiders=7))
    assert raided[: len(calm)] == calm
    assert len(raided) == len(calm) + 7
    assert all(each.at_s >= 600.0 and len(each.reports_s) == 10 and each.true for each in raided[len(calm) :])


def test_the_fewest_are_found_and_stated(launch: Experiment) -> None:
    ordinary, raid = ask(launch)
    for staffing in (ordinary, raid):
        enough = [level for level in staffing.levels if level.wait_p95_s <= staffing.target_s]
        assert staffing.moderators == enough[0].moderators
        assert staffing.levels[-1].moderators == staffing.moderators + 2
        assert staffing.cases.low <= staffing.cases.value <= staffing.cases.high
        assert staffing.erlang >= 1
        written = json.loads(json.dumps(staffing.to_json(), allow_nan=False))
        assert written["moderators"] == staffing.moderators and written["cases_interval"][0] <= written["cases"]
    assert raid.moderators > ordinary.moderators
    assert raid.levels[-1].harm < raid.levels[0].harm


def test_a_steady_load_takes_as_many_as_erlang_says() -> None:
    experiment = flat(20_000, 24.0, replications=3)
    reporting = Reporting(cases_per_1000_hours=1.5)  # 30 an hour
    staffing = staff(experiment, reporting=reporting, reviewing=STEADY, target_s=141.0)
    load_now = 30 / 3_600 * STEADY.mean_s
    theory = next(n for n in range(1, 50) if wait_quantile(load_now, n, STEADY.mean_s, 0.95) <= 141.0)
    assert abs(staffing.moderators - theory) <= 1, "the lognormal varies less than the exponential of Erlang C"


def test_what_nobody_can_look_at_in_time_is_said() -> None:
    with pytest.raises(StaffingError, match="even 2 moderators"):
        staff(flat(200_000, 0.5), reporting=Reporting(cases_per_1000_hours=5.0), most=2)


def test_an_evening_without_reports_takes_one() -> None:
    staffing = staff(flat(1, 0.1), reporting=Reporting(cases_per_1000_hours=0.0))
    assert staffing.moderators == 1 and staffing.cases.value == 0
