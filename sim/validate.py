"""Prediction against measurement: steps the fit never saw, and how far off it was."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from sim.calibrate import Calibration, predict, seconds_of
from sim.relay import PACKETS_PER_S
from sim.run import Run, RunError

SETTLE_S = 2
"""Seconds left out after a step is reached: handshakes of the last to join are still being paid for."""
MIN_PLATEAU_S = 5
"""Shorter stretches of constant load are no step."""


@dataclass(frozen=True, slots=True)
class Validation:
    """CPU of one step in cores: measured (mean over its seconds), predicted, and the error between them."""

    listeners: int
    measured: float
    predicted: float
    low: float
    high: float
    error: float
    """Absolute error as a share of what was measured."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def plateaus(run: Run) -> pl.DataFrame:
    """Return the steps of a measured run: stretches in which nobody joins and the audience stays the same.

    One row per step: ``start``, ``end`` (s), and means of ``listeners``, ``talkers``, ``talking`` (share of the
    time in which packets flowed), ``packets_s``, ``process_cpu`` and ``media_cpu`` (cores).
    """
    table = seconds_of(run)
    listeners = table["listeners"].to_numpy().astype(float)
    joins = table["joins"].to_numpy()
    level = np.maximum(listeners[:-1], 1.0)
    steady = (np.abs(np.diff(listeners)) <= 0.01 * level) & (joins[1:] == 0)
    group = np.concatenate(([0], np.cumsum(~steady)))
    return (
        table.with_columns(pl.Series("step", group))
        .filter(pl.col("listeners") > 0)
        .with_columns(pl.int_range(pl.len()).over("step").alias("place"))
        .filter(pl.col("place") >= SETTLE_S)
        .group_by("step", maintain_order=True)
        .agg(
            pl.col("t").min().alias("start"),
            pl.col("t").max().alias("end"),
            pl.col("listeners").mean(),
            pl.col("talkers").mean(),
            (pl.col("packets_s") / (PACKETS_PER_S * (pl.col("listeners") + pl.col("speakers"))))
            .mean()
            .alias("talking"),
            pl.col("packets_s").mean(),
            pl.col("process_cpu").mean(),
            pl.col("media_cpu").mean(),
            pl.len().alias("seconds"),
        )
        .filter(pl.col("seconds") >= MIN_PLATEAU_S)
        .drop("step", "seconds")
    )


def validate(calibration: Calibration, run: Run) -> Validation:
    """Predict the step with the most listeners from who listened and how much was said, and compare.

    Raises RunError if the run is invalid or has no step that the fit did not see.
    """
    run.require_valid()
    steps = plateaus(run)
    if run.id in calibration.runs:
        steps = steps.filter(pl.col("listeners") > calibration.most_listeners)
    if steps.is_empty():
        raise RunError(f"run {run.id} holds no step of {MIN_PLATEAU_S} s that the fit has not seen")
    step = steps.sort("listeners").row(-1, named=True)
    measured = float(step[calibration.target.removesuffix("_s")])
    predicted = predict(calibration, step["listeners"], talkers=step["talkers"], talking=min(step["talking"], 1.0))
    return Validation(
        listeners=round(step["listeners"]),
        measured=measured,
        predicted=predicted.value,
        low=predicted.low,
        high=predicted.high,
        error=abs(predicted.value - measured) / measured,
    )


def largest_but_one(run: Run) -> int | None:
    """Return the listeners up to which a fit may look so that the run's largest step stays unseen, or None."""
    levels = np.sort(plateaus(run)["listeners"].to_numpy())
    below = levels[levels < 0.9 * levels[-1]] if levels.size else levels
    return None if below.size == 0 else int(np.ceil(below[-1] * 1.02))
