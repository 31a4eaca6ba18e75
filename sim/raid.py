"""A measured raid, run again in the model, to see whether cases wait there as long as they did on the server.

Trace-driven: the model is given when each case was opened and how long each claim took, in the order of the
claims, and nothing else. What it must find out by itself is who waits for whom.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sim.moderation import Disturbance, Reviewed, Reviewing, ReviewModel, Shift, mean_backlog
from sim.run import Run, RunError

Floats = NDArray[np.float64]

AS_MEASURED = Reviewing(error=0.0, leave=0.0, work_s=float("inf"))
"""Errors are in the trace; a raid is shorter than the way to the first break."""


AFTERWARDS = 3_600.0
"""Seconds for which the model goes on after the last decision, so that a slower model is not cut off."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A raid as it was, and as the model has it. Seconds since the start of the run."""

    moderators: int
    until_s: float
    waits_s: Floats
    """Measured: from the first report to the claim, for each case."""
    backlog: list[tuple[float, int]]
    """Measured: cases that wait, after each change."""
    model: Reviewed
    harm: float
    """Measured listener-seconds from the first noise until silence."""
    unsilenced: int
    """Raiders who could still be heard at the end."""

    @property
    def backlog_mean(self) -> float:
        """Cases that waited, averaged over time, as measured."""
        return mean_backlog(self.backlog, self.until_s)

    @property
    def wait_p95_s(self) -> float:
        """95th percentile of the measured waits."""
        return float(np.quantile(self.waits_s, 0.95))

    @property
    def model_wait_p95_s(self) -> float:
        """95th percentile of the model's waits."""
        return float(np.quantile(self.model.waits_s, 0.95))

    def figures(self) -> dict[str, Any]:
        """Return what a benchmark states; errors are shares of what was measured."""
        modelled = self.model.mean_backlog(self.until_s)
        return {
            "cases": int(self.waits_s.size),
            "harm_listener_s": round(self.harm),
            "unsilenced": self.unsilenced,
            "backlog": round(self.backlog_mean, 3),
            "model_backlog": round(modelled, 3),
            "wait_p95_s": round(self.wait_p95_s, 3),
            "model_wait_p95_s": round(self.model_wait_p95_s, 3),
            "error_backlog": round(abs(modelled - self.backlog_mean) / self.backlog_mean, 4),
            "error_wait_p95": round(abs(self.model_wait_p95_s - self.wait_p95_s) / self.wait_p95_s, 4),
        }


def replay(run: Run) -> Replay:
    """Replay the raid of a run.

    :raises RunError: nobody waited in it, so there is nothing to compare
    """
    reviews = run.reviews.sort("claimed_s")
    if reviews.is_empty() or float((reviews["claimed_s"] - reviews["t"]).quantile(0.95) or 0.0) <= 0:
        raise RunError(f"run {run.id} has no case that waited; give it raiders, and fewer moderators")
    until = float(reviews["decided_s"].to_numpy().max())
    moderators = reviews["moderator"].n_unique()
    opened = reviews.sort("t")
    disturbances = [
        Disturbance(row["t"], f"{row['user']} in {row['case']}", 1, (row["t"],), true=row["violation"])
        for row in opened.iter_rows(named=True)
    ]
    taken = iter((reviews["decided_s"] - reviews["claimed_s"]).to_list())
    model = ReviewModel(
        disturbances,
        [Shift(0.0, until + AFTERWARDS, moderators)],
        seed=run.seed,
        reviewing=AS_MEASURED,
        service=lambda rng: float(next(taken)),
    ).run(until + AFTERWARDS)
    return Replay(
        moderators=moderators,
        until_s=until,
        waits_s=(reviews["claimed_s"] - reviews["t"]).to_numpy(),
        backlog=_backlog(reviews),
        model=model,
        harm=harm(run),
        unsilenced=int(run.disturbances["silenced_s"].null_count()),
    )


def harm(run: Run) -> float:
    """Return the listener-seconds of all disturbances of a run; one that nobody ended lasts until its end."""
    lasted = pl.col("silenced_s").fill_null(run.duration_s) - pl.col("t")
    return float(run.disturbances.select((lasted * pl.col("listeners")).sum()).item())


def _backlog(reviews: pl.DataFrame) -> list[tuple[float, int]]:
    """Return the cases that wait after each opening and each claim."""
    times = np.concatenate((reviews["t"].to_numpy(), reviews["claimed_s"].to_numpy()))
    change = np.repeat(np.array([1, -1]), reviews.height)
    order = np.argsort(times, kind="stable")
    return list(zip(times[order].tolist(), np.cumsum(change[order]).tolist(), strict=True))
