"""The pictures say what they show: labels with units, both colours, the error of the check."""

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from sim.calibrate import fit
from sim.conversation import converse
from sim.experiment import replicate
from sim.plan import make_plan
from sim.plots import MEASURED, SIMULATED, draw_run, plan_figure
from sim.run import Run
from sim.scenario import load
from sim.simulate import simulate
from sim.streams import Purpose, stream
from sim.validate import largest_but_one, validate


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_the_plan_on_one_page(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run((100, 200, 400, 800))
    found = fit(run, at_most=largest_but_one(run))
    check = validate(found, run)
    experiment = replicate(load(), 1, replications=4, n_jobs=1)
    plan = make_plan(experiment, found, validation=check)
    talk = converse(stream(1, Purpose.TALK), 300.0, load().talk)
    figure = plan_figure(plan, experiment, run, found, talk)
    figure.savefig(tmp_path / "plan.png")
    said = words(figure)
    for word in (
        "relay CPU (cores)", "listeners", "minutes since the start", "share of time (%)",
        f"off by {check.error:.1%}", "guest", plan.first_bottleneck, "95 % interval", "measured step",
    ):  # fmt: skip
        assert word in said


def test_measured_and_simulated_runs_are_drawn_by_the_same_call(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    measured = make_run()
    simulated = simulate(load("service-hour"), 1, tmp_path)
    figure, axes = plt.subplots(3, 2)
    draw_run(axes[:, 0], measured)
    draw_run(axes[:, 1], simulated)
    assert axes[0, 0].lines[0].get_color() == MEASURED
    assert axes[0, 1].lines[0].get_color() == SIMULATED
    assert np.array_equal(axes[0, 0].lines[0].get_ydata(), measured.relay["listeners"].to_numpy())
    assert "not known without a calibration" in words(figure)
