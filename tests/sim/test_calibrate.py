from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from sim.calibrate import TERMS, Interval, fit, predict
from sim.relay import CostModel
from sim.run import Run, RunError
from sim.validate import largest_but_one, plateaus, validate
from sim.verdict import Verdict

MakeRun = Callable[..., Run]


def test_known_costs_are_found_and_covered(make_run: MakeRun, truth: CostModel) -> None:
    covered = np.zeros(len(TERMS))
    seeds = 20
    for seed in range(seeds):
        found = fit(make_run(seed=seed))
        for index, term in enumerate(TERMS):
            value, low, high = found.interval(term)
            assert low <= value <= high
            assert value == pytest.approx(getattr(truth, term), rel=0.5 if term == "talker_s" else 0.3)
            covered[index] += low <= getattr(truth, term) <= high
        assert found.r2 > 0.7
    # 95 % intervals: 15 or fewer of 20 has a chance of 3 in 1000 if they are what they say
    assert np.all(covered >= 16), dict(zip(TERMS, covered, strict=True))


def test_without_noise_the_costs_are_exact(make_run: MakeRun, truth: CostModel) -> None:
    found = fit(make_run(noise=0.0, outliers=0.0))
    for term in TERMS:
        assert found.interval(term) == pytest.approx((getattr(truth, term),) * 3, rel=1e-6)
    assert found.model.bytes_per_packet == pytest.approx(120.0)
    assert found.model.talking == pytest.approx(1.0, rel=0.02)
    assert found.r2 == pytest.approx(1.0)


def test_outliers_hardly_move_the_fit(make_run: MakeRun, truth: CostModel) -> None:
    found = fit(make_run(outliers=0.1, seed=4))
    assert found.model.packet_s == pytest.approx(truth.packet_s, rel=0.1)


def test_a_step_the_fit_never_saw_is_predicted(make_run: MakeRun, truth: CostModel) -> None:
    run = make_run((100, 200, 400, 800))
    found = fit(run, at_most=largest_but_one(run))
    assert 400 <= found.most_listeners < 500
    check = validate(found, run)
    assert check.listeners == 800
    assert check.error < 0.1
    assert check.low <= check.predicted <= check.high
    prediction = predict(found, 800, talkers=0.77, talking=1.0)
    assert isinstance(prediction, Interval)
    assert prediction.low <= truth.cpu(802 * 50, 0, 0.77) <= prediction.high
    assert predict(found, 8000).high - predict(found, 8000).low > prediction.high - prediction.low
    with pytest.raises(RunError, match="holds no step of 5 s that the fit has not seen"):
        validate(fit(run), run)


def test_a_fit_over_several_runs_is_checked_on_another(make_run: MakeRun) -> None:
    runs = [make_run((100, 200), seed=1), make_run((400,), seed=2)]
    found = fit(runs)
    assert found.runs == tuple(run.id for run in runs)
    assert validate(found, make_run((800,), seed=3)).error < 0.1
    assert found.n == sum(run.relay.height for run in runs)


def test_steps_are_found(make_run: MakeRun) -> None:
    steps = plateaus(make_run((100, 200, 400)))
    assert steps["listeners"].to_list() == [100, 200, 400]
    assert (steps["end"] - steps["start"]).min() >= 10
    assert steps["packets_s"].to_list() == [5100, 10100, 20100]
    assert steps["talking"].to_list() == pytest.approx([1.0] * 3)


def test_a_relay_that_is_quiet_in_silence_is_predicted_by_how_much_was_said(
    make_run: MakeRun, truth: CostModel
) -> None:
    run = make_run((100, 200, 400, 800), pauses=True)
    found = fit(run, at_most=largest_but_one(run))
    assert 0.5 < found.model.talking < 0.75
    check = validate(found, run)
    assert check.error < 0.1
    assert predict(found, 800, talkers=1.0, talking=1.0).value == pytest.approx(
        float(truth.cpu(802 * 50, 0, 1.0)), rel=0.1
    )


def test_the_same_record_gives_the_same_intervals(make_run: MakeRun) -> None:
    run = make_run()
    assert fit(run).draws.tobytes() == fit(run).draws.tobytes()
    assert fit(run).draws.tobytes() != fit(run, seed=1).draws.tobytes()


def test_what_a_run_cannot_tell_apart_is_left_out(make_run: MakeRun) -> None:
    run = make_run()
    steady = fit(make_steady_talk(run))
    assert "talker_s" not in steady.identified
    assert steady.interval("talker_s") == (0.0, 0.0, 0.0)


def make_steady_talk(run: Run) -> Run:
    run.relay.with_columns(pl.lit(1.0).alias("talkers")).write_parquet(run.folder / "relay.parquet")
    return Run.load(run.folder)


def test_the_media_thread_can_be_fitted_by_itself(make_run: MakeRun, truth: CostModel) -> None:
    found = fit(make_run(noise=0.0, outliers=0.0), target="media_cpu_s")
    assert found.model.packet_s == pytest.approx(0.8 * truth.packet_s)


def test_runs_that_must_not_be_fitted_are_refused(make_run: MakeRun) -> None:
    bad = make_run(verdict=Verdict(False, ("the generator used more than 90% of its core",)))
    with pytest.raises(
        RunError, match="is invalid and must not be used: the generator used more than 90% of its core"
    ):
        fit(bad)
    with pytest.raises(RunError, match="has 6 live seconds; a fit needs at least 20"):
        fit(make_run((20,), hold=5))
    with pytest.raises(RunError, match="live seconds with at most 10 listeners"):
        fit(make_run(), at_most=10)
    with pytest.raises(RunError, match="always sends about the same; step the listeners up"):
        fit(make_run((20,), hold=40))
    with pytest.raises(RunError, match="no run to fit"):
        fit([])
    foreign = make_run()
    with pytest.raises(RunError, match=r"has no relay\.parquet: the run is incomplete"):
        (foreign.folder / "relay.parquet").unlink()
        fit(Run.load(foreign.folder))
