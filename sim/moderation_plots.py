"""The pictures of moderation: staffing, time to silence, evidence clocks, and a raid that was measured.

matplotlib is imported inside the functions: the models work where it is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from media.moderation.categories import DAY
from media.moderation.policy import DEFAULT, ReviewPolicy
from sim.complaints import Complaints
from sim.moderation import Reviewed
from sim.plots import LIMIT, MEASURED, QUIET, SIMULATED
from sim.staffing import Staffing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


def draw_staffing(ax: Axes, staffing: Staffing) -> None:
    """Draw the wait until the first look over the number of moderators, beside what Erlang C says."""
    moderators = [level.moderators for level in staffing.levels]
    waits = [level.wait_p95_s for level in staffing.levels]
    theory = [level.erlang_p95_s for level in staffing.levels]
    ax.plot(moderators, waits, "o-", color=SIMULATED, label="simulated, whole evening")
    ax.plot(moderators, theory, "s--", color=QUIET, label="Erlang C, busiest quarter of an hour for ever")
    ax.axhline(staffing.target_s, color=LIMIT, lw=1.2)
    ax.text(moderators[-1], staffing.target_s, f"{staffing.target_s:.0f} s", color=LIMIT, ha="right", va="bottom")
    ax.axvline(staffing.moderators, color=LIMIT, lw=1, ls=":")
    finite = [each for each in (*waits, *theory) if np.isfinite(each)]
    top = max(4 * staffing.target_s, min(max(finite, default=0.0), 12 * staffing.target_s))
    ax.set(xlabel="moderators", ylabel=f"wait until the first look, {staffing.share:.0%} (s)", ylim=(0, top))
    _whole(ax)
    ax.set_title(f"{staffing.moderators} moderators; Erlang C says {staffing.erlang}", loc="left")
    ax.legend(frameon=False, loc="upper right")
    tidy(ax)


def draw_harm(ax: Axes, staffing: Staffing) -> None:
    """Draw the harm of an evening, in listener-hours of disturbance, over the number of moderators."""
    moderators = [level.moderators for level in staffing.levels]
    ax.bar(moderators, [level.harm / 3_600.0 for level in staffing.levels], color=SIMULATED, width=0.7)
    ax.set(xlabel="moderators", ylabel="listener-hours of disturbance")
    _whole(ax)
    tidy(ax)


def draw_backlog(ax: Axes, measured: Sequence[tuple[float, int]], modelled: Reviewed, until_s: float) -> None:
    """Draw the cases that wait, measured and modelled; seconds from the first report."""
    for backlog, colour, name in (
        (measured, MEASURED, "measured"),
        (modelled.backlog, SIMULATED, "the model"),
    ):
        at = np.array([0.0, *(each[0] for each in backlog), until_s])
        cases = np.array([0, *(each[1] for each in backlog), backlog[-1][1] if backlog else 0])
        ax.step(at, cases, where="post", color=colour, lw=1.6, label=name)
    ax.set(xlabel="seconds", ylabel="cases that wait", ylim=(0, None), xlim=(0, until_s))
    ax.legend(frameon=False)
    tidy(ax)


def draw_waits(ax: Axes, measured: Floats, modelled: Floats) -> None:
    """Draw the distribution of waits until the first look, measured and modelled."""
    for waits, colour, name in ((measured, MEASURED, "measured"), (modelled, SIMULATED, "the model")):
        ordered = np.sort(waits)
        ax.step(
            ordered, np.arange(1, ordered.size + 1) / max(ordered.size, 1), color=colour, where="post", label=name
        )
    ax.axhline(0.95, color=LIMIT, lw=1, ls=":")
    ax.set(xlabel="wait until the first look (s)", ylabel="share of cases", ylim=(0, 1.02))
    ax.legend(frameon=False, loc="lower right")
    tidy(ax)


def draw_complaints(ax: Axes, complaints: Complaints, policy: ReviewPolicy = DEFAULT) -> None:
    """Draw when complaints come, and when the evidence that they are about is erased."""
    kept = (policy.retention + policy.retention_on_violation) / DAY
    edges = np.arange(0.0, complaints.day.max() + 10.0, 10.0).tolist()
    for there, colour, name in ((True, SIMULATED, "with evidence"), (False, LIMIT, "without")):
        ax.hist(complaints.day[complaints.with_evidence == there], edges, color=colour, label=name)
    ax.axvline(kept, color=LIMIT, lw=1.2, ls="--")
    ax.text(
        kept, 0.95, f" evidence erased, day {kept:.0f}", transform=ax.get_xaxis_transform(), va="top", fontsize=9
    )
    ax.set(xlabel="days from the end of the Space", ylabel="complaints", yscale="log")
    ax.legend(frameon=False)
    tidy(ax)


def tidy(ax: Axes) -> None:
    """Take away what distracts."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)


def _whole(ax: Axes) -> None:
    """Mark whole numbers only on the lower axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
