"""What the sound benchmarks found, as pictures, in the colours of :mod:`sim.plots`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sim.plots import LIMIT, MEASURED, QUIET, SIMULATED


def draw_delay(
    file: str,
    delays: Sequence[NDArray[np.float64]],
    begun: float,
    storm_begun: float,
    storm_ended: float,
    ended: float,
) -> None:
    """Delay over time: every chirp of every pair, as rows of (mouth, seconds); a PNG."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", sharey=True)
    for ax, origin, title in (
        (axes[0], begun, "mouth to ear"),
        (axes[1], storm_ended, "when the storm is over"),
    ):
        for number, each in enumerate(delays):
            label = "a chirp heard" if number == 0 else None
            ax.plot(each[:, 0] - origin, 1e3 * each[:, 1], ".", ms=3, color=MEASURED, alpha=0.5, label=label)
            missed = each[np.isnan(each[:, 1]), 0] - origin
            label = "not heard" if number == 0 else None
            ax.plot(missed, np.full_like(missed, 4.0), "|", ms=8, color=LIMIT, label=label)
        ax.axvspan(storm_begun - origin, storm_ended - origin, color=QUIET, alpha=0.25, lw=0, label="storm")
        ax.set_title(title, loc="left")
        _tidy(ax)
    axes[0].set(xlabel="seconds", ylabel="ms from mouth to ear", xlim=(0, ended - begun), ylim=(0, None))
    axes[1].axvline(2.0, color=LIMIT, lw=1, ls="--")
    axes[1].text(2.05, 0.97, "2 s", transform=axes[1].get_xaxis_transform(), va="top", color=LIMIT)
    axes[1].set(xlabel="seconds after the storm", xlim=(-2, 6))
    axes[0].legend(loc="upper right", frameon=False)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def draw_sound(file: str, table: Sequence[Mapping[str, Any]]) -> None:
    """Score over loss, a line for each direction and pattern, every clip a point; a PNG."""
    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    lossless = next(row for row in table if not row["loss"])
    for direction, colour in (("up", MEASURED), ("down", SIMULATED)):
        for pattern, style in (("uniform", "-"), ("bursts", "--")):
            rows = [lossless] + [
                row for row in table if row["loss"] and (row["direction"], row["pattern"]) == (direction, pattern)
            ]
            loss = [100 * row["loss"] for row in rows]
            ax.plot(
                loss,
                [row["score"] for row in rows],
                style,
                marker="o",
                color=colour,
                label=f"{direction}link, {pattern}",
            )
            for x, row in zip(loss, rows, strict=True):
                ax.plot([x] * len(row["scores"]), row["scores"], "_", ms=7, color=colour, alpha=0.4)
    ax.axhline(lossless["score"] - 0.5, color=LIMIT, lw=1, ls=":")
    ax.text(0, lossless["score"] - 0.48, "0.5 below lossless", color=LIMIT, fontsize=9)
    ax.set(xlabel="packets lost (%)", ylabel="MOS-LQO (ViSQOL, speech)", ylim=(1, 5))
    ax.set_title("what speech through the relay is worth", loc="left")
    ax.legend(loc="lower left", frameon=False)
    _tidy(ax)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)
