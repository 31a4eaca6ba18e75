from bisect import insort
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio.delay import CALM, LONGEST, MARGIN, QUICK, TOLERATED, DelayTarget
from media.audio.speaker import WINDOW


def seen(transits) -> DelayTarget:
    target = DelayTarget()
    for transit in transits:
        target.observe(float(transit))
    return target


def test_without_jitter_nothing_is_waited_for() -> None:
    target = seen([5.03] * 300)
    assert target.target == pytest.approx(5.03 + MARGIN)
    assert target.floor == 5.03


def test_three_packets_of_a_hundred_may_be_late() -> None:
    transits = np.random.default_rng(1).uniform(0.0, 0.1, WINDOW)
    assert seen(transits).target - MARGIN == pytest.approx(np.quantile(transits, 1 - 1 / 32), abs=0.002)


def test_one_straggler_changes_little_and_two_count_at_once() -> None:
    target = seen([0.0] * 100)
    target.observe(0.15)
    assert target.target < 0.005
    target.observe(0.15)
    assert target.target == pytest.approx(0.15 + MARGIN)


def test_a_calm_half_second_ends_the_memory_of_a_storm() -> None:
    target = seen(np.random.default_rng(1).uniform(0.0, 0.2, 1500))
    assert target.target > 0.18
    for _ in range(CALM):
        target.observe(0.0)
    assert target.target == pytest.approx(MARGIN)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=400))
def test_target_is_bounded_by_what_was_seen_lately(transits: list[float]) -> None:
    target = seen(transits)
    recent = transits[-CALM:]
    assert target.lowest == min(recent)
    assert target.highest == max(recent)
    assert target.floor == min(transits[-WINDOW:])
    assert target.target <= min(recent) + LONGEST + 1e-9
    assert target.target <= max(transits[-WINDOW:]) + MARGIN + 1e-9
    assert len(target) == min(len(transits), WINDOW)


class Plain:
    """The rule in so many words, with lists."""

    def __init__(self) -> None:
        self.order: deque[float] = deque(maxlen=WINDOW)
        self.target = 0.0

    def observe(self, transit: float) -> None:
        self.order.append(transit)
        known: list[float] = []
        for each in self.order:
            insort(known, each)
        recent, quick = [*self.order][-CALM:], [*self.order][-QUICK:]
        usual = known[len(known) - 1 - max(len(known) // TOLERATED, len(known) >= QUICK)]
        if len(recent) == CALM:
            usual = min(usual, max(recent) + (max(recent) - min(recent)) / 4)
        if len(quick) > 1:
            usual = max(usual, sorted(quick)[-2])
        self.target = min(usual + MARGIN, min(recent) + LONGEST)


@given(st.lists(st.sampled_from([0.0, 0.001, 0.02, 0.05, 0.3, -0.1]) | st.floats(-1, 1), max_size=300))
def test_target_is_what_plain_lists_would_say(transits: list[float]) -> None:
    target, plain = DelayTarget(), Plain()
    for number, transit in enumerate(transits):
        if number == 280:
            target.clear()
            plain.order.clear()
        target.observe(transit)
        plain.observe(transit)
        assert target.target == plain.target
