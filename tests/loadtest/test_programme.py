"""What a run is to do, from the flags: the same for the same seed, and wrong flags are refused in one sentence."""

from argparse import Namespace
from typing import Any

import numpy as np
import pytest

from loadtest.programme import PROBES_MAX, SPEAKERS_MAX, Programme
from sim.scenario import DEFAULT, ScenarioError

FLAGS = {
    "scenario": "",
    "listeners": 20,
    "duration": 30.0,
    "steps": "",
    "step_time": 15.0,
    "join_rate": 50.0,
    "speakers": 2,
    "continuous": False,
    "seed": 1,
    "probes": 0,
}


def programme(**flags: Any) -> Programme:
    return Programme.of(Namespace(**{**FLAGS, **flags}))


def test_without_flags_locust_says_how_many_come() -> None:
    made = programme()
    assert (made.schedule, made.steps, made.scenario.name) == (None, None, DEFAULT)


def test_a_scenario_gives_a_schedule_of_the_asked_size() -> None:
    made = programme(scenario="trending-panel", listeners=40, duration=20.0)
    assert made.schedule is not None and made.steps is None
    assert made.schedule.peak() == 40
    assert made.schedule.length_s == pytest.approx(20.0)


def test_every_worker_draws_the_same_schedule() -> None:
    one, two = (programme(scenario="product-launch", seed=7).schedule for _ in range(2))
    other = programme(scenario="product-launch", seed=8).schedule
    assert one is not None and two is not None and other is not None
    assert np.array_equal(one.arrival_s, two.arrival_s) and np.array_equal(one.dwell_s, two.dwell_s)
    assert not np.array_equal(one.arrival_s, other.arrival_s)


def test_steps_and_their_pace_are_read() -> None:
    made = programme(steps="5,10", step_time=3.0, join_rate=20.0)
    assert made.steps is not None and made.schedule is None
    assert (made.steps.listeners, made.steps.seconds, made.join_rate) == ((5, 10), 3.0, 20.0)


def test_a_scenario_and_a_staircase_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="--scenario and --steps exclude each other"):
        programme(scenario="product-launch", steps="5")


@pytest.mark.parametrize("speakers", [0, SPEAKERS_MAX])
def test_as_many_may_speak_as_there_are_seats(speakers: int) -> None:
    assert programme(speakers=speakers).speakers == speakers


@pytest.mark.parametrize("speakers", [-1, SPEAKERS_MAX + 1])
def test_more_speakers_than_seats_are_refused(speakers: int) -> None:
    with pytest.raises(ValueError, match=f"^--speakers takes 0 to {SPEAKERS_MAX}, not {speakers}$"):
        programme(speakers=speakers)


def test_probes_need_a_seat_and_a_thread_that_keeps_up() -> None:
    assert programme(probes=PROBES_MAX, speakers=10).probes == PROBES_MAX
    with pytest.raises(ValueError, match=f"^--probes takes 0 to {PROBES_MAX}, not {PROBES_MAX + 1}$"):
        programme(probes=PROBES_MAX + 1)
    with pytest.raises(ValueError, match="--probes needs a seat on stage: --speakers takes 0 to 10 with it"):
        programme(probes=1, speakers=11)


@pytest.mark.parametrize("rate", [0.0, -5.0])
def test_a_pace_that_never_gets_there_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="--join-rate takes a number above 0"):
        programme(join_rate=rate)


@pytest.mark.parametrize("flags", [{"listeners": 0}, {"duration": 0.0}])
def test_an_audience_of_nobody_is_refused(flags: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive and listeners at least 1"):
        programme(scenario="product-launch", **flags)


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario named 'nope'.*product-launch"):
        programme(scenario="nope")
