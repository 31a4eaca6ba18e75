"""From a measured run to the cost of a relay, with intervals.

CPU per second is regressed on packets, joins and talkers per second, with non-negative coefficients. Seconds
on a shared machine are noisy, and the noise has outliers and memory. So the regression is robust (Huber's, then
Tukey's weights, found by reweighting), and the intervals come from a wild block bootstrap: residuals keep their
place, and blocks of neighbouring seconds change sign together. Blocks are as long as the residuals remember.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sim.regression import memory, robust_nnls, wild_block_bootstrap
from sim.relay import PACKETS_PER_S, CostModel
from sim.run import Run, RunError
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]
Target = Literal["process_cpu_s", "media_cpu_s"]

TERMS = ("base_s", "packet_s", "join_s", "talker_s")
MIN_SECONDS = 20
"""Fewer live seconds than this are refused: blocks of five would leave an interval of four numbers."""
DRAWS = 500
LEVEL = 0.95
LOOSE = 2.0
"""A packet's cost whose interval spans more than this factor says too little of a larger crowd."""
COLLINEAR = 10.0
"""A term whose variance inflation exceeds this cannot be told apart from the others and is left out."""


class Interval(NamedTuple):
    """A value with its 95 % interval, all in the same unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted cost model and how sure it is."""

    model: CostModel
    draws: Floats
    """Bootstrap draws of base_s, packet_s, join_s, talker_s: shape (draws, 4)."""
    identified: tuple[str, ...]
    """Terms the data could tell apart; the others are 0 and part of the base."""
    noise: Floats
    """Block means of the residuals, relative to the fit: shape (blocks,)."""
    target: Target
    runs: tuple[str, ...]
    n: int
    """Seconds used."""
    r2: float
    """Over all seconds used, outliers included."""
    talkers: float
    """Mean number of active talkers in the seconds used."""
    speakers: float
    """Mean number of people on stage, who hear the room as well."""
    most_listeners: int
    """Largest number of listeners the fit saw."""
    block_s: int
    """Length of the bootstrap's blocks in seconds."""

    def interval(self, term: str) -> Interval:
        """Return one coefficient with its interval, in CPU seconds."""
        low, high = _ends(self.draws[:, TERMS.index(term)])
        return Interval(float(getattr(self.model, term)), low, high)

    @property
    def tight(self) -> bool:
        """What a packet costs is known within a factor of two: well enough to extrapolate."""
        packet = self.interval("packet_s")
        return packet.low > 0 and packet.high <= LOOSE * packet.low

    def to_json(self) -> dict[str, Any]:
        """Return the fit with everything needed to judge it."""
        return {
            "target": self.target,
            "runs": list(self.runs),
            "n": self.n,
            "r2": self.r2,
            "block_s": self.block_s,
            "most_listeners": self.most_listeners,
            "talkers": self.talkers,
            "identified": list(self.identified),
            **{term: self.interval(term)._asdict() for term in TERMS},
            "bytes_per_packet": self.model.bytes_per_packet,
            "talking": self.model.talking,
        }


@dataclass(frozen=True, slots=True)
class _Seconds:
    """The live seconds of one or several runs, as rates; every array has shape (n,)."""

    cpu: Floats
    packets: Floats
    joins: Floats
    talkers: Floats
    listeners: Floats
    speakers: Floats
    size: Floats
    run: NDArray[np.int64]


def fit(
    runs: Run | Sequence[Run], *, at_most: int | None = None, target: Target = "process_cpu_s", seed: int = 0
) -> Calibration:
    """Fit the cost model to measured runs.

    ``at_most`` uses only seconds with up to so many listeners, so that the rest can test the prediction.
    Raises RunError if a run is simulated or invalid, too short, or cannot tell packets from the fixed cost.
    """
    runs = [runs] if isinstance(runs, Run) else list(runs)
    rows = _live_seconds(runs, at_most, target)
    names = ", ".join(run.id for run in runs)
    n = rows.cpu.size
    if n < MIN_SECONDS:
        limit = "" if at_most is None else f" with at most {at_most} listeners"
        raise RunError(f"run {names} has {n} live seconds{limit}; a fit needs at least {MIN_SECONDS}")
    if np.ptp(rows.packets) < 0.2 * rows.packets.max():
        raise RunError(f"run {names} always sends about the same; step the listeners up to tell a packet's cost")
    columns = {
        "base_s": np.ones(n),
        "packet_s": rows.packets,
        "join_s": rows.joins,
        "talker_s": rows.talkers,
    }
    kept = _identified(columns)
    design = np.column_stack([columns[term] for term in kept])
    weights, solution = robust_nnls(design, rows.cpu)
    fitted = design @ solution
    residuals = rows.cpu - fitted
    block = memory(residuals, rows.run)
    draws = wild_block_bootstrap(
        design, fitted, residuals, weights, rows.run, block, DRAWS, stream(seed, Purpose.BOOTSTRAP)
    )
    places = [TERMS.index(term) for term in kept]
    coefficients = np.zeros(len(TERMS))
    coefficients[places] = solution
    all_draws = np.zeros((DRAWS, len(TERMS)))
    all_draws[:, places] = draws
    model = CostModel(
        *(float(value) for value in coefficients),
        bytes_per_packet=float(rows.size.sum() / rows.packets.sum()),
        talking=_talking(rows),
    )
    return Calibration(
        model=model,
        draws=all_draws,
        identified=kept,
        noise=_relative_noise(residuals, fitted, rows.run, block),
        target=target,
        runs=tuple(run.id for run in runs),
        n=n,
        r2=float(1.0 - np.sum(residuals**2) / np.sum((rows.cpu - rows.cpu.mean()) ** 2)),
        talkers=float(rows.talkers.mean()),
        speakers=float(rows.speakers.mean()),
        most_listeners=int(rows.listeners.max()),
        block_s=block,
    )


def predict(
    calibration: Calibration,
    listeners: float,
    *,
    joins_per_s: float = 0.0,
    talkers: float | None = None,
    talking: float | None = None,
) -> Interval:
    """Predict the relay's CPU (cores, mean over some seconds) for a load the fit need not have seen.

    ``talkers`` (mean number of active voices) and ``talking`` (share of the time in which anybody is heard)
    default to what the calibrating runs had. The interval holds what the coefficients leave open and how far a
    block of seconds strays from the fit.
    """
    model = calibration.model
    voices = calibration.talkers if talkers is None else talkers
    share = model.talking if talking is None else talking
    packets = (listeners + calibration.speakers) * PACKETS_PER_S * share
    value = float(model.cpu(packets, joins_per_s, voices))
    draws = calibration.draws @ np.array([1.0, packets, joins_per_s, voices])
    rng = stream(0, Purpose.BOOTSTRAP, 1)
    strayed = draws * (1.0 + rng.choice(calibration.noise, draws.size))
    low, high = _ends(strayed)
    return Interval(value, min(low, value), max(high, value))


def seconds_of(run: Run) -> pl.DataFrame:
    """Return the relay's table with ``dt`` (s), ``packets_s``, ``bytes_s``, ``joins_s`` and both CPUs in cores."""
    table = run.relay
    dt = np.diff(table["t"].to_numpy(), prepend=np.nan)
    dt[:1] = np.median(dt[1:]) if dt.size > 1 else 1.0
    return table.with_columns(pl.Series("dt", dt)).filter(pl.col("dt") > 0).with_columns(
        (pl.col("packets") / pl.col("dt")).alias("packets_s"),
        (pl.col("bytes") / pl.col("dt")).alias("bytes_s"),
        (pl.col("joins") / pl.col("dt")).alias("joins_s"),
        (pl.col("media_cpu_s") / pl.col("dt")).alias("media_cpu"),
        (pl.col("process_cpu_s") / pl.col("dt")).alias("process_cpu"),
    )  # fmt: skip


def _live_seconds(runs: Sequence[Run], at_most: int | None, target: Target) -> _Seconds:
    parts: list[pl.DataFrame] = []
    for number, run in enumerate(runs):
        run.require_valid()
        if run.source != "measured":
            raise RunError(f"run {run.id} is {run.source}; costs are fitted to measured runs only")
        parts.append(seconds_of(run).with_columns(pl.lit(number).alias("run")))
    if not parts:
        raise RunError("there is no run to fit; make one with `make plan`")
    table = pl.concat(parts).filter((pl.col("speakers") > 0) | (pl.col("packets") > 0))
    if at_most is not None:
        table = table.filter(pl.col("listeners") <= at_most)
    names = (target.removesuffix("_s"), "packets_s", "joins_s", "talkers", "listeners", "speakers", "bytes_s")
    return _Seconds(
        *(table[name].to_numpy().astype(float) for name in names), run=table["run"].to_numpy().astype(np.int64)
    )


def _talking(rows: _Seconds) -> float:
    """Return the share of time in which packets flowed: what was sent, of what all who hear could have got."""
    still = (rows.joins == 0) & (rows.listeners > 0)
    if not still.any():
        return 1.0
    hearing = rows.listeners[still] + rows.speakers[still]
    return float(min(rows.packets[still].sum() / (PACKETS_PER_S * hearing.sum()), 1.0))


def _identified(columns: dict[str, Floats]) -> tuple[str, ...]:
    """Return the terms whose column varies by itself; base and packets are always among them."""
    kept = ["base_s", "packet_s"]
    for term in ("join_s", "talker_s"):
        column = columns[term]
        if column.std() < 1e-9:
            continue
        others = np.column_stack([columns[name] / max(columns[name].max(), 1e-12) for name in kept])
        explained = others @ np.linalg.lstsq(others, column, rcond=None)[0]
        if column.var() < COLLINEAR * np.mean((column - explained) ** 2):
            kept.append(term)
    return tuple(kept)


def _relative_noise(residuals: Floats, fitted: Floats, run: NDArray[np.int64], block: int) -> Floats:
    """Return block means of residual / fit over the busier half of the seconds."""
    busy = fitted >= np.median(fitted)
    place = np.arange(residuals.size) // block + run * (residuals.size + 1)
    relative = residuals / np.maximum(fitted, 1e-12)
    means = [relative[busy & (place == number)].mean() for number in np.unique(place[busy])]
    return np.array(means)


def _ends(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
