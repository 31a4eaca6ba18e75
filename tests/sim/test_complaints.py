"""Complaints beside the evidence clock: what is early has its evidence, what comes after day 120 has none."""

import dataclasses

import numpy as np
import pytest

from media.moderation.categories import DAY
from media.moderation.policy import DEFAULT
from sim.complaints import Timing, complain


def test_evidence_is_there_until_day_120_and_not_after() -> None:
    found = complain(2_000, 1, Timing(median_days=60.0, sigma=1.0))
    assert found.day.max() <= 1.0 + DEFAULT.appeal_window / DAY
    assert np.array_equal(found.with_evidence, found.day < 120.0)
    assert 0.1 < found.without < 0.5


def test_late_complaints_have_none() -> None:
    late = complain(50, 1, Timing(median_days=150.0, sigma=0.02))
    assert late.day.min() > 121 and late.without == 1.0


def test_evidence_that_is_kept_as_long_as_one_can_complain_is_always_there() -> None:
    longer = dataclasses.replace(DEFAULT, retention_on_violation=DEFAULT.appeal_window)
    assert complain(500, 1, Timing(median_days=60.0), longer).without == 0.0


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_draws_the_same(seed: int) -> None:
    assert np.array_equal(complain(20, seed).day, complain(20, seed).day)
