"""The open loop: nobody is lost between workers, everyone finds a seat, steps come when they are due."""

from math import nan

import numpy as np
import pytest

from loadtest.timetable import Steps, Timetable, seats
from sim import scenario as scenarios
from sim.schedule import Schedule, arrival_schedule

NAMES = ("product-launch", "trending-panel", "service-hour")


def schedule(name: str = "product-launch", listeners: int = 60, seed: int = 3) -> Schedule:
    return arrival_schedule(scenarios.load(name), seed, listeners=listeners, duration=60.0)


def take_all(timetable: Timetable) -> list[tuple[float, float]]:
    taken: list[tuple[float, float]] = []
    while arrival := timetable.take():
        taken.append((arrival.at, arrival.stay))
    return taken


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers_share_the_arrivals_without_gaps_or_doubles(workers: int) -> None:
    whole = schedule()
    shares = [take_all(Timetable(whole, worker, workers)) for worker in range(workers)]
    everyone = sorted(arrival for share in shares for arrival in share)
    expected = sorted(zip(whole.arrival_s.tolist(), whole.dwell_s.tolist(), strict=True))
    assert everyone == expected
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_arrivals_are_taken_in_the_order_of_their_times() -> None:
    timetable = Timetable(schedule(), 1, 2)
    count = len(timetable)
    times = [at for at, _ in take_all(timetable)]
    assert times == sorted(times)
    assert (len(times), len(timetable), timetable.take()) == (count, 0, None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("listeners", [1, 8, 120])
def test_there_is_a_seat_for_everyone_at_any_moment(name: str, listeners: int) -> None:
    whole = schedule(name, listeners)
    times, present = whole.steps()
    for at, there in zip(times.tolist(), present.tolist(), strict=True):
        if at <= whole.length_s:
            assert seats(whole, max(0.0, at - 1.0)) >= there, "the shape looks once a second"


def test_seats_are_not_much_more_than_people() -> None:
    whole = schedule(listeners=100)
    assert seats(whole, whole.length_s) <= 1.1 * whole.peak() + 2
    assert np.all(np.diff([seats(whole, at) for at in range(61)]) >= 0)


def test_steps_last_as_long_as_they_should() -> None:
    steps = Steps.parse("5,10, 7", 4.0)
    at = [0.0, 3.999, 4.0, 7.9, 8.0, 11.9, 12.0]
    assert [steps.at(seconds) for seconds in at] == [5, 5, 10, 10, 7, 7, None]


@pytest.mark.parametrize("text", ["x", "5,,10", "5;10", "1.5", ","])
def test_steps_that_are_no_numbers_are_refused_with_what_was_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"^--steps takes numbers of listeners") as refusal:
        Steps.parse(text, 5.0)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(("text", "seconds"), [("0", 5.0), ("5,-1", 5.0), ("5", 0.0), ("5", -1.0), ("5", nan)])
def test_steps_of_nobody_or_no_time_are_refused(text: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^--steps and --step-time take numbers above 0$"):
        Steps.parse(text, seconds)
