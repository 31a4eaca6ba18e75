"""A simulated run: the same folder a measurement leaves, with ``"source": "simulated"``.

What the models do not know (lateness of ticks, jitter, the health of a generator) stays empty. Without a cost
model the relay's CPU and bytes stay empty as well: who comes and who talks needs no calibration.
"""

from pathlib import Path

import numpy as np
import polars as pl

from sim import schema
from sim.calibrate import Calibration
from sim.conversation import converse
from sim.growth import Growth, grow
from sim.relay import CostModel, Demand, serve
from sim.run import Run, RunWriter
from sim.scenario import Scenario
from sim.streams import Purpose, stream

FREE = CostModel(base_s=0.0, packet_s=0.0, join_s=0.0, talker_s=0.0, bytes_per_packet=0.0)
"""A relay that costs nothing: lets the model run where no cost is known."""


def demand(scenario: Scenario, seed: int, *, scale: float = 1.0, replication: int = 0) -> tuple[Growth, Demand]:
    """Return one simulated audience, and what it asks of the relays second by second."""
    growth = grow(scenario, seed, scale=scale, replication=replication)
    listeners, joins = growth.per_second()
    talk = converse(stream(seed, Purpose.TALK, replication), float(listeners.size), scenario.talk)
    talkers, talking = talk.per_second()
    return growth, Demand(listeners, joins, talkers, talking)


def simulate(
    scenario: Scenario,
    seed: int,
    root: str | Path,
    *,
    scale: float = 1.0,
    calibration: Calibration | None = None,
    relays: int = 1,
) -> Run:
    """Simulate one evening on ``relays`` relays, write its run folder under ``root`` and return it."""
    growth, asked = demand(scenario, seed, scale=scale)
    served = serve(asked, calibration.model if calibration else FREE, relays)
    writer = RunWriter(
        root, source="simulated", scenario=scenario, seed=seed, tiers={"simulated": int(growth.peak())}
    )
    known = {"t", "listeners", "talkers", "joins", "packets"}
    columns = served.select(sorted(known)).with_columns(pl.lit(scenario.speakers).alias("speakers"))
    if calibration:
        columns = columns.with_columns(served["cpu_s"].alias(calibration.target), served["bytes"])
    writer.extend("relay", _with_nulls("relay", columns))
    heard = served.select("t", "listeners", "packets").with_columns(
        pl.lit("model").alias("worker"), pl.lit(scenario.speakers).alias("speakers")
    )
    writer.extend("clients", _with_nulls("clients", heard))
    writer.extend("joins", _with_nulls("joins", _joins(growth, served)))
    return writer.finish(duration_s=scenario.length_s)


def _joins(growth: Growth, served: pl.DataFrame) -> pl.DataFrame:
    """Return one row per arrival; who has to wait for the relay connects that much later."""
    wait = served["join_wait_s"].to_numpy()[growth.arrival_s.astype(np.int64)]
    came_up = np.isfinite(wait)
    return pl.DataFrame(
        {
            "t": growth.arrival_s,
            "kind": np.full(growth.arrival_s.size, "listener"),
            "connect_ms": pl.Series(np.where(came_up, 1000.0 * wait, np.nan)).fill_nan(None),
            "ok": came_up,
        }
    )


def _with_nulls(table: schema.Table, frame: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in schema.SCHEMA[table] if name not in frame.columns]
    return frame.with_columns(pl.lit(None).alias(name) for name in missing)
