"""The pictures. Each takes a run or a result, measured or simulated alike, and draws on given axes.

matplotlib is imported inside the functions: the models work where it is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.calibrate import Calibration, predict, seconds_of
from sim.conversation import Conversation
from sim.experiment import Experiment
from sim.plan import NIC, Plan
from sim.run import Run
from sim.validate import Validation, plateaus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED, SIMULATED, LIMIT, QUIET = "#1d4e89", "#d1672b", "#a4133c", "#8d99ae"
"""One colour for what was measured, one for what a model says, everywhere."""


def draw_calibration(
    ax: Axes, runs: Run | Sequence[Run], calibration: Calibration, validation: Validation | None = None
) -> None:
    """Draw relay CPU over listeners: measured steps, prediction with its band, and the unseen step's error."""
    runs = [runs] if isinstance(runs, Run) else list(runs)
    column = calibration.target.removesuffix("_s")
    most = max(int(run.relay["listeners"].to_numpy().max(initial=0)) for run in runs)
    grid = np.linspace(0, most * 1.1, 60)
    band = np.array([predict(calibration, listeners) for listeners in grid])
    ax.fill_between(grid, band[:, 1], band[:, 2], color=SIMULATED, alpha=0.2, lw=0, label="95 % interval")
    ax.plot(grid, band[:, 0], color=SIMULATED, lw=1.8, label="model")
    for index, run in enumerate(runs):
        seconds = seconds_of(run).filter(seconds_of(run)["joins"] == 0)
        ax.plot(
            seconds["listeners"], seconds[column], ".", ms=3, color=QUIET, alpha=0.5,
            label=None if index else "seconds",
        )  # fmt: skip
        steps = plateaus(run)
        label = None if index else "measured step"
        ax.plot(steps["listeners"], steps[column], "o", ms=7, color=MEASURED, label=label)
    if calibration.most_listeners < 0.95 * most:
        ax.axvspan(0, calibration.most_listeners, color=QUIET, alpha=0.12, lw=0)
        ax.text(
            calibration.most_listeners,
            ax.get_ylim()[1] * 0.02,
            "fitted here ",
            ha="right",
            va="bottom",
            fontsize=9,
        )
    if validation:
        ax.plot(validation.listeners, validation.measured, "o", ms=13, mfc="none", mec=LIMIT, mew=1.5)
        ax.annotate(
            f"never seen by the fit:\nmeasured {validation.measured:.3f}, predicted {validation.predicted:.3f}\n"
            f"off by {validation.error:.1%}",
            (validation.listeners, validation.measured), xytext=(0.04, 0.96), textcoords="axes fraction", va="top",
            arrowprops={"arrowstyle": "-", "color": LIMIT, "lw": 1, "shrinkB": 8}, fontsize=9,
        )  # fmt: skip
    ax.set(xlabel="listeners", ylabel="relay CPU (cores)", xlim=(0, most * 1.1), ylim=(0, None))
    ax.legend(loc="lower right", frameon=False)
    _tidy(ax)


def draw_audience(ax: Axes, experiment: Experiment) -> None:
    """Draw simulated listeners over time: median, the middle 90 % of replications, and what happens when."""
    median, low, high = experiment.band(0.9)
    minutes = (np.arange(median.size) + 1) / 60.0
    ax.fill_between(minutes, low, high, color=SIMULATED, alpha=0.2, lw=0, label="90 % of replications")
    ax.plot(minutes, median, color=SIMULATED, lw=1.8, label=f"median of {experiment.n}")
    for event in experiment.scenario.events:
        ax.axvline(event.minute, color=QUIET, lw=1, ls="--")
        ax.text(event.minute, 0.84, f" {event.kind}", transform=ax.get_xaxis_transform(), va="top", fontsize=9)
    ax.set(xlabel="minutes since the start", ylabel="listeners", xlim=(0, minutes[-1]), ylim=(0, 1.2 * high.max()))
    ax.legend(loc="upper right", ncols=2, frameon=False)
    _thousands(ax)
    _tidy(ax)


def draw_run(axes: Sequence[Axes], run: Run) -> None:
    """Draw one run, measured or simulated, on three axes: listeners, joins a second, relay CPU (cores)."""
    seconds = seconds_of(run)
    colour = MEASURED if run.source == "measured" else SIMULATED
    names = ("listeners", "joins_s", "process_cpu")
    labels = ("listeners", "joins a second", "relay CPU (cores)")
    for ax, name, label in zip(axes, names, labels, strict=True):
        if seconds[name].null_count() < seconds.height:
            ax.plot(seconds["t"], seconds[name], color=colour, lw=1.2, label=run.source)
            ax.legend(loc="best", frameon=False)
        else:
            ax.text(0.5, 0.5, "not known without a calibration", transform=ax.transAxes, ha="center", color=QUIET)
        ax.set(ylabel=label, ylim=(0, None))
        _tidy(ax)
    axes[-1].set_xlabel("seconds since the start of the run")


def draw_talkers(ax: Axes, conversation: Conversation) -> None:
    """Draw how much of the time 0, 1, 2, ... voices are active."""
    shares = conversation.fractions()
    bars = ax.bar(np.arange(shares.size), shares * 100.0, color=SIMULATED, width=0.7)
    ax.bar_label(bars, [f"{share:.1%}" if share >= 0.0005 else "<0.1%" for share in shares], padding=2, fontsize=9)
    ax.set(xlabel="active voices", ylabel="share of time (%)", xticks=np.arange(shares.size))
    ax.margins(y=0.12)
    _tidy(ax)


def draw_plan(ax: Axes, plan: Plan) -> None:
    """Draw how much of each resource the planned relays use at the worst second, against what a plan allows."""
    limits = plan.limits
    names = [need.resource for need in reversed(plan.needs)]
    used = [need.utilisation * 100.0 for need in reversed(plan.needs)]
    allowed = [
        (limits.headroom if name == NIC or name.startswith("relay") else limits.storm) * 100 for name in names
    ]
    colours = [SIMULATED if name == plan.first_bottleneck else QUIET for name in names]
    place = np.arange(len(names))
    bars = ax.barh(place, used, color=colours, height=0.55)
    ax.bar_label(bars, [f"{value:.0f} %" for value in used], padding=3, fontsize=9)
    ax.vlines(allowed, place - 0.4, place + 0.4, color=LIMIT, lw=2)
    ax.text(allowed[0] - 1.5, place[0], "what a plan allows", color=LIMIT, ha="right", va="center", fontsize=9)
    ax.set(xlabel=f"in use on each of {plan.relays} relays (%)", xlim=(0, 108), yticks=place, yticklabels=names)
    ax.set_title(
        f"{plan.scenario}: {plan.peak_listeners.value:,.0f} listeners, {plan.first_bottleneck} first", loc="left"
    )
    _tidy(ax)


def plan_figure(
    plan: Plan,
    experiment: Experiment,
    runs: Run | Sequence[Run],
    calibration: Calibration,
    conversation: Conversation,
) -> Figure:
    """Return the whole story on one page: measured cost, simulated audience, voices, resources."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    draw_calibration(axes[0, 0], runs, calibration, plan.validation)
    axes[0, 0].set_title("what a relay costs: measured", loc="left")
    draw_audience(axes[0, 1], experiment)
    axes[0, 1].set_title("who comes: simulated", loc="left")
    draw_talkers(axes[1, 0], conversation)
    axes[1, 0].set_title("who talks: simulated", loc="left")
    draw_plan(axes[1, 1], plan)
    return figure


def _tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)


def _thousands(ax: Axes) -> None:
    from matplotlib.ticker import StrMethodFormatter

    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
