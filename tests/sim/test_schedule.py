import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim import scenario as scenarios
from sim.growth import grow
from sim.schedule import arrival_schedule

LAUNCH = scenarios.load()


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["product-launch", "service-hour", "match-companion"]), st.integers(1, 900), st.integers(0, 99)
)
def test_the_asked_peak_is_met_exactly_whether_the_crowd_is_larger_or_smaller(
    name: str, peak: int, seed: int
) -> None:
    schedule = arrival_schedule(scenarios.load(name), seed, listeners=peak)
    assert schedule.peak() == peak
    assert schedule.kept_share > 0


def test_thinning_keeps_the_shape() -> None:
    whole = grow(LAUNCH, 1)
    thin = arrival_schedule(LAUNCH, 1, listeners=600)
    assert stats.ks_2samp(whole.arrival_s, thin.arrival_s).pvalue > 0.01
    assert stats.ks_2samp(whole.dwell_s, thin.dwell_s).pvalue > 0.01
    at = np.arange(60.0, LAUNCH.length_s, 60.0)
    shape, thinned = whole.present(at) / whole.peak(), thin.present(at) / thin.peak()
    assert np.abs(shape - thinned).max() < 4 * 0.5 / np.sqrt(600) * 2
    assert thin.kept_share == pytest.approx(thin.arrival_s.size / whole.arrival_s.size)


def test_a_smaller_swarm_is_part_of_a_larger_one() -> None:
    large, small = (arrival_schedule(LAUNCH, 1, listeners=peak) for peak in (800, 200))
    assert set(small.arrival_s) < set(large.arrival_s)


def test_compression_keeps_occupancy_and_raises_the_join_rate() -> None:
    full, short = (arrival_schedule(LAUNCH, 1, listeners=300, duration=length) for length in (None, 60.0))
    at = np.linspace(0, 59.9, 50)
    assert np.array_equal(short.present(at), full.present(at * LAUNCH.length_s / 60))
    assert short.length_s == pytest.approx(60.0)
    assert short.time_factor == pytest.approx(60 / LAUNCH.length_s)
    assert np.all(short.arrival_s + short.dwell_s <= 60 + 1e-9)


def test_the_stage_holds_every_speaker_and_guests_come_at_their_minute() -> None:
    schedule = arrival_schedule(LAUNCH, 1, duration=100.0)
    assert schedule.stage.shape == (LAUNCH.speakers, 2)
    assert schedule.stage[:-1, 0].tolist() == [0.0] * (LAUNCH.speakers - 1)
    assert schedule.stage[-1].tolist() == pytest.approx([30.0, 70.0])


def test_a_schedule_is_reproduced_by_its_seed() -> None:
    one, two = (arrival_schedule(LAUNCH, 4, 0.1, listeners=100, duration=30.0) for _ in range(2))
    assert one.arrival_s.tobytes() == two.arrival_s.tobytes()
    assert one.kind.tobytes() == two.kind.tobytes()


@pytest.mark.parametrize("how", [{"listeners": 0}, {"duration": 0.0}, {"scale": -1.0}])
def test_sizes_that_make_no_sense_are_refused(how: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        arrival_schedule(LAUNCH, 1, **how)  # type: ignore[arg-type]
