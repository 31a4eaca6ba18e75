"""How long people stay: bins, and a curve that does not take those who are still here for those who left."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.analytics.course import INTERVAL, SAMPLES, Course, Sample
from media.server.analytics.spells import BINS, Spells, bin_of, edge

seconds = st.floats(0, 200_000)


@given(seconds)
def test_a_duration_is_in_its_bin(duration: float) -> None:
    number = bin_of(duration)
    assert 0 <= number < BINS
    assert edge(number) <= duration * (1 + 1e-6)
    assert number == BINS - 1 or duration < edge(number + 1) * (1 + 1e-6)


@given(st.lists(seconds, max_size=40), st.lists(seconds, max_size=40))
def test_the_curve_falls_from_one_and_never_rises(ended: list[float], going_on: list[float]) -> None:
    spells = Spells()
    for duration in ended:
        spells.end(duration)
    for duration in going_on:
        spells.cut_off(duration)
    shares = [point.share for point in spells.survival()]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 0
    assert len(spells) == len(ended) + len(going_on)
    assert Spells(spells.to_record()).survival() == spells.survival()
    if not ended:
        assert shares[-1] == 1 and spells.median() is None


@given(st.lists(st.floats(1, 10_000), min_size=1, max_size=60))
def test_without_anybody_left_the_median_is_that_of_the_list(stays: list[float]) -> None:
    spells = Spells()
    for stay in stays:
        spells.end(stay)
    below = sorted(stays)[(len(stays) - 1) // 2], sorted(stays)[len(stays) // 2]
    median = spells.median()
    assert median is not None
    assert edge(bin_of(below[0])) - 1e-6 <= median <= edge(bin_of(below[1]) + 1) + 1e-6


def test_the_median_is_right_though_half_of_the_stays_are_cut_off() -> None:
    """Stays of a half-life of 100 s, of which each is seen for a random time only."""
    rng = random.Random(5)
    spells, naive = Spells(), Spells()
    for _ in range(20_000):
        stay, seen = rng.expovariate(math.log(2) / 100), rng.uniform(0, 300)
        if stay <= seen:
            spells.end(stay)
            naive.end(stay)
        else:
            spells.cut_off(seen)
            naive.end(seen)
    assert spells.median() == pytest.approx(100, rel=0.04)
    assert naive.median() < 80


@given(st.integers(0, 3 * SAMPLES))
def test_a_course_keeps_all_that_came_in_bounded_room(count: int) -> None:
    course = Course(0.0)
    now = 0.0
    for number in range(count):
        now += course.interval
        assert course.due(now)
        course.add(Sample(now, number, number, 1, 0, 2, 1, {"heart": 3} if number % 2 else {}))
        assert not course.due(now + course.interval / 2)
    assert len(course.samples) <= SAMPLES
    assert sum(s.arrivals for s in course.samples) == 2 * count
    assert sum(s.reactions.get("heart", 0) for s in course.samples) == 3 * (count // 2)
    assert max((s.participants for s in course.samples), default=0) == max(0, count - 1)
    assert [s.at for s in course.samples] == sorted(s.at for s in course.samples)
    assert course.interval >= INTERVAL
    again = Course(0.0, course.to_record())
    assert (again.samples, again.interval) == (course.samples, course.interval)
