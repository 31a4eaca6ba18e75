import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.conversation import PAUSE_S, TALK_S, converse, talk_spurts
from sim.experiment import mean_interval
from sim.scenario import Talk, load

TALK = load().talk


def stage(microphones: int) -> Talk:
    return dataclasses.replace(TALK, open_microphones=microphones)


def shares(microphones: int, n: int = 20, duration: float = 1200.0) -> np.ndarray:
    """Share of time with 0, 1, 2 and 3 or more voices, per replication: shape (n, 4)."""
    rows = []
    for seed in range(n):
        found = converse(np.random.default_rng(seed), duration, stage(microphones)).fractions()
        row = np.zeros(max(4, found.size))
        row[: found.size] = found
        rows.append([*row[:3], row[3:].sum()])
    return np.array(rows)


def assert_contains(values: np.ndarray, truth: float) -> None:
    _, low, high = mean_interval(values, level=0.999)
    assert low <= truth <= high


def test_one_voice_is_active_as_p59_says() -> None:
    runs = [talk_spurts(np.random.default_rng(seed), 600.0) for seed in range(60)]
    assert_contains(np.array([spurts[:, 1].sum() / 600.0 for spurts in runs]), 0.3875)
    # spurts that neither begin nor end at an edge: exponential, mean 1.004 s; so are the pauses
    lengths = np.concatenate([spurts[1:-1, 1] for spurts in runs])
    pauses = np.concatenate([np.diff(spurts[:, 0]) - spurts[:-1, 1] for spurts in runs])
    assert stats.kstest(lengths, stats.expon(scale=TALK_S).cdf).pvalue > 0.001
    assert stats.kstest(pauses, stats.expon(scale=PAUSE_S).cdf).pvalue > 0.001


def test_the_first_instant_is_like_any_other() -> None:
    talking = [float(talk_spurts(np.random.default_rng(seed), 5.0)[:1, 0].sum()) for seed in range(2000)]
    empty = [talk_spurts(np.random.default_rng(seed), 5.0).shape[0] == 0 for seed in range(2000)]
    at_once = np.array(talking) == 0
    share = np.mean(at_once & ~np.array(empty))
    assert share == pytest.approx(TALK_S / (TALK_S + PAUSE_S), abs=0.04)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.01, 300), st.floats(0.02, 20), st.floats(0.02, 20))
def test_spurts_lie_in_order_within_the_duration(seed: int, duration: float, talk: float, pause: float) -> None:
    spurts = talk_spurts(np.random.default_rng(seed), duration, talk, pause)
    assert spurts.shape[1] == 2
    ends = spurts.sum(axis=1)
    assert np.all(spurts >= 0)
    assert np.all(ends <= duration * (1 + 1e-12))
    assert np.all(spurts[1:, 0] >= ends[:-1] - 1e-9)


def test_a_duration_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        talk_spurts(np.random.default_rng(1), 0.0)


def test_two_parties_are_those_of_p59() -> None:
    silence, single, double, more = shares(2).T
    # embedded chain of the standard's generator: 0.3 silence, 0.5 single, 0.2 double, times their mean lengths
    weights = np.array([0.3 * 0.456, 0.5 * 0.854, 0.2 * 0.226])
    truth = weights / weights.sum()
    assert truth == pytest.approx([0.225, 0.70, 0.074], abs=0.002)
    for values, expected in zip((silence, single, double), truth, strict=True):
        assert_contains(values, expected)
    assert not more.any()


def test_thirteen_microphones_are_about_one_voice() -> None:
    silence, single, double, more = shares(13, n=8).T
    assert more.mean() < 0.02
    assert single.mean() == pytest.approx(0.70, abs=0.03)
    assert 0.75 < (single + 2 * double).mean() < 1.25
    assert silence.mean() == pytest.approx(0.22, abs=0.03)


def test_one_microphone_alternates_talk_and_pause() -> None:
    assert_contains(shares(1, n=30)[:, 1], 0.3875)


def test_spurts_steps_and_seconds_tell_the_same_story() -> None:
    found = converse(np.random.default_rng(3), 300.5, stage(4))
    spoken = sum(float(spurts[:, 1].sum()) for spurts in found.spurts)
    steps = float(np.sum(np.diff(found.times, append=found.duration) * found.talkers))
    voices, anybody = found.per_second()
    assert steps == pytest.approx(spoken)
    assert voices.shape == anybody.shape == (301,)
    assert voices[:300].sum() + voices[300] * 0.5 == pytest.approx(spoken)
    assert np.all((anybody >= 0) & (anybody <= 1 + 1e-9))
    assert anybody[:300].mean() == pytest.approx(1 - found.fractions()[0], abs=0.005)
    assert found.fractions().sum() == pytest.approx(1.0)
