import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.calibrate import TERMS, fit
from sim.experiment import Experiment, mean_interval, quantile_interval, replicate
from sim.plan import CPU, FILES, NIC, STORM, Limits, PlanError, make_plan
from sim.run import Run
from sim.scenario import Scenario, load
from sim.simulate import simulate
from sim.validate import largest_but_one, validate

MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def launch() -> Experiment:
    return replicate(load(), 1, replications=8, n_jobs=1)


def test_replications_do_not_depend_on_the_workers(small: Scenario) -> None:
    one, two = (replicate(small, 3, replications=6, n_jobs=jobs) for jobs in (1, 2))
    assert one.listeners.tobytes() == two.listeners.tobytes()
    assert one.joins.tobytes() == two.joins.tobytes()
    assert len(set(one.peaks.tolist())) > 1


def test_replications_stop_when_the_peak_is_known(small: Scenario) -> None:
    loose, tight = (replicate(small, 3, precision=precision, most=48, n_jobs=1) for precision in (0.2, 0.001))
    mean, low, _ = loose.mean_peak()
    assert loose.precise
    assert loose.n == 16
    assert mean - low <= 0.2 * mean
    assert not tight.precise
    assert tight.n == 48
    assert np.array_equal(loose.listeners, tight.listeners[:16])
    with pytest.raises(ValueError, match="at least 2"):
        replicate(small, 3, replications=1)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    means = quantiles = 0
    truth = stats.expon.ppf(0.75)
    for _ in range(400):
        values = rng.exponential(1.0, 60)
        _, low, high = mean_interval(values)
        means += low <= 1.0 <= high
        _, low, high = quantile_interval(values, 0.75)
        quantiles += low <= truth <= high
    assert means / 400 > 0.91
    assert quantiles / 400 > 0.91


def test_a_plan_carries_the_scenario_within_its_limits(launch: Experiment, make_run: MakeRun) -> None:
    run = make_run((100, 200, 400, 800))
    check = validate(fit(run, at_most=largest_but_one(run)), run)
    plan = make_plan(launch, fit(run), validation=check)
    assert plan.peak_listeners.low <= plan.peak_listeners.value <= plan.peak_listeners.high
    assert plan.relays_low <= plan.relays <= plan.relays_high
    assert plan.cores == plan.relays
    assert plan.first_bottleneck == CPU
    model = fit(run).model
    each = plan.peak_listeners.value / plan.relays
    assert float(model.cpu(each * 50, 0.0, 1.0)) <= plan.headroom
    assert (
        plan.relays == 1 or float(model.cpu(each * plan.relays / (plan.relays - 1) * 50, 0.0, 1.0)) > plan.headroom
    )
    assert plan.needs[0].resource == plan.first_bottleneck
    assert plan.needs[0].utilisation == pytest.approx(float(model.cpu(each * 50, 0.0, 1.0)), rel=0.01)
    written = json.loads(json.dumps(plan.to_json()))
    assert {
        "scenario", "seed", "peak_listeners", "relays", "cores", "egress_mbit_s", "first_bottleneck",
        "listeners_per_core", "validation", "run_id", "verdict",
    } <= written.keys()  # fmt: skip
    assert {"measured", "predicted", "error"} <= written["validation"].keys()
    assert written["run_id"] == run.id
    assert written["verdict"] == {"valid": True, "reasons": []}
    assert isinstance(written["peak_listeners"], int)
    assert dict(plan.table())["first bottleneck"] == CPU


@pytest.mark.parametrize(
    ("limits", "joins", "bottleneck"),
    [
        (Limits(nic_mbit_s=100.0), 1, NIC),
        (Limits(open_files=1024), 1, FILES),
        (Limits(), 200, STORM),
        (Limits(), 1, CPU),
    ],
)
def test_the_first_bottleneck_is_named(
    launch: Experiment, make_run: MakeRun, limits: Limits, joins: int, bottleneck: str
) -> None:
    rush = dataclasses.replace(launch, joins=launch.joins * joins)
    plan = make_plan(rush, fit(make_run()), limits=limits)
    assert plan.first_bottleneck == bottleneck
    asked = {need.resource: need.relays for need in plan.needs}
    assert max(asked, key=lambda name: asked[name]) == bottleneck
    assert plan.relays == np.ceil(asked[bottleneck])


@pytest.mark.parametrize(("name", "value"), [("headroom", 0.0), ("headroom", 1.5), ("open_files", -1)])
def test_what_is_no_limit_is_refused(name: str, value: float) -> None:
    with pytest.raises(PlanError, match=f"the limit {name} is {value:g}"):
        Limits(**{name: value})


def test_a_larger_crowd_needs_more(make_run: MakeRun, small: Scenario) -> None:
    found = fit(make_run())
    one, hundred = (
        make_plan(replicate(small, 1, scale=scale, replications=6, n_jobs=1), found) for scale in (1.0, 100.0)
    )
    assert hundred.peak_listeners.value == pytest.approx(100 * one.peak_listeners.value, rel=0.15)
    assert one.relays == 1
    assert hundred.relays > 1
    assert hundred.egress_mbit_s == pytest.approx(float(found.model.egress_mbit_s(hundred.peak_listeners.value)))
    assert any("not checked" in caution for caution in hundred.cautions)


def test_a_cost_that_is_not_known_is_not_extrapolated(launch: Experiment, make_run: MakeRun) -> None:
    found = fit(make_run())
    draws = found.draws.copy()
    draws[:, TERMS.index("packet_s")] *= np.linspace(0.3, 2.0, len(draws))
    with pytest.raises(PlanError, match="too loose to extrapolate; measure longer steps"):
        make_plan(launch, dataclasses.replace(found, draws=draws))
    heavy = dataclasses.replace(found, model=dataclasses.replace(found.model, base_s=0.7))
    with pytest.raises(PlanError, match=r"the stage alone takes 0\.71 cores"):
        make_plan(launch, heavy)


def test_a_simulated_run_is_the_same_kind_of_thing(tmp_path: Path, make_run: MakeRun) -> None:
    found = fit(make_run())
    run = simulate(load("service-hour"), 1, tmp_path, calibration=found)
    assert run.source == "simulated"
    assert run.relay.height == 3600
    assert run.joins.height == run.relay["joins"].sum()
    assert run.relay["process_cpu_s"].null_count() == 0
    assert run.relay["tick_late_p99_ms"].null_count() == 3600
    assert run.clients["generator_cpu"].null_count() == 3600
    assert run.relay["talkers"].mean() == pytest.approx(0.85, abs=0.05)
    bare = simulate(load("service-hour"), 1, tmp_path)
    assert bare.relay["process_cpu_s"].null_count() == 3600
    assert bare.relay["listeners"].equals(run.relay["listeners"])
    assert bare.joins.drop("connect_ms").equals(run.joins.drop("connect_ms"))
