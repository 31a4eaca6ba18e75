"""The pictures. Each takes a run or a result, measured or simulated alike, and draws on given axes.

matplotlib is imported inside the functions: the models work where it is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.calibrate import Calibration, predict, seconds_of
from sim.conversation import Conversation
from sim.experiment import Experiment
from sim.plan import NIC, Plan
from sim.relay import PACKETS_PER_S
from sim.run import Run
from sim.validate import Validation, plateaus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MEASURED, SIMULATED, LIMIT, QUIET = "#1d4e89", "#d1672b", "#a4133c", "#8d99ae"
"""One colour for what was measured, one for what a model says, everywhere."""


def draw_calibration(
    ax: Axes, runs: Run | Sequence[Run], calibration: Calibration, validation: Validation | None = None
) -> None:
    """Draw relay CPU over packets: measured steps, prediction with its band, and the unseen step's error.

    Packets are what costs; the upper axis says how many listeners they serve while somebody talks.
    """
    runs = [runs] if isinstance(runs, Run) else list(runs)
    column = calibration.target.removesuffix("_s")
    everything = [seconds_of(run) for run in runs]
    most = 1.1 * max(float(seconds["packets_s"].to_numpy().max()) for seconds in everything)
    grid = np.linspace(0, most, 60)
    band = np.array(
        [predict(calibration, packets / PACKETS_PER_S - calibration.speakers, talking=1.0) for packets in grid]
    )
    ax.fill_between(grid, band[:, 1], band[:, 2], color=SIMULATED, alpha=0.2, lw=0, label="95 % interval")
    ax.plot(grid, band[:, 0], color=SIMULATED, lw=1.8, label="model")
    for index, (run, seconds) in enumerate(zip(runs, everything, strict=True)):
        still = seconds.filter(seconds["joins"] == 0)
        label = None if index else "seconds"
        ax.plot(still["packets_s"], still[column], ".", ms=3, color=QUIET, alpha=0.6, label=label)
        steps = plateaus(run)
        label = None if index else "measured step"
        ax.plot(steps["packets_s"], steps[column], "o", ms=7, color=MEASURED, label=label)
        for step in steps.iter_rows(named=True):
            if validation and round(step["listeners"]) == validation.listeners:
                ax.plot(step["packets_s"], step[column], "o", ms=13, mfc="none", mec=LIMIT, mew=1.5)
    if validation:
        ax.text(
            0.04, 0.96,
            f"○ {validation.listeners:,} listeners, never seen by the fit:\nmeasured {validation.measured:.3f}, "
            f"predicted {validation.predicted:.3f} cores\noff by {validation.error:.1%}",
            transform=ax.transAxes, va="top", color=LIMIT, fontsize=9,
        )  # fmt: skip
    ax.set(xlabel="packets a second", ylabel="relay CPU (cores)", xlim=(0, most), ylim=(0, None))
    above = ax.secondary_xaxis("top", functions=(_hearing, _packets))
    above.set_xlabel("listeners, while somebody talks", fontsize=9)
    ax.legend(loc="lower right", frameon=False)
    ax.locator_params(axis="x", nbins=6)
    _thousands(ax.xaxis)
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
    _thousands(ax.yaxis)
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


def _hearing(packets_s: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(packets_s, dtype=float) / PACKETS_PER_S


def _packets(hearing: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(hearing, dtype=float) * PACKETS_PER_S


def _tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)


def _thousands(axis: Axis) -> None:
    from matplotlib.ticker import StrMethodFormatter

    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
