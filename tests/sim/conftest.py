"""Records with known truth: a synthetic relay whose costs the tests set."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sim.relay import CostModel
from sim.run import Run, RunWriter
from sim.scenario import Scenario, load
from sim.verdict import Verdict

TRUTH = CostModel(base_s=0.03, packet_s=6e-6, join_s=2.5e-3, talker_s=0.012, bytes_per_packet=120.0)

MakeRun = Callable[..., Run]


def relay_table(
    steps: tuple[int, ...],
    seed: int = 1,
    noise: float = 0.04,
    outliers: float = 0.02,
    hold: int = 15,
    rate: int = 20,
    pauses: bool = False,
) -> pl.DataFrame:
    """A relay stepped up through ``steps``: joins at ``rate`` a second, then ``hold`` quiet seconds each.

    With ``pauses`` two independent voices leave silences, in which nothing is sent.
    """
    rng = np.random.default_rng(seed)
    listeners, joins = [], []
    here = 0
    for step in steps:
        while here < step:
            come = min(rate, step - here)
            here += come
            listeners.append(here)
            joins.append(come)
        listeners += [here] * hold
        joins += [0] * hold
    audience, came = np.array(listeners), np.array(joins)
    n = audience.size
    talkers = np.clip(rng.normal(0.77, 0.3, n), 0, 2)
    talking = np.clip(rng.normal(0.62, 0.3, n), 0.04, 1) if pauses else np.ones(n)
    talkers *= talking
    packets = ((audience + 2) * 50 * talking).round().astype(int)
    drift = np.convolve(rng.standard_normal(n + 4), np.ones(5) / 5**0.5, "valid")  # seconds remember each other
    cpu = TRUTH.cpu(packets, came, talkers) * (1 + noise * drift)
    cpu *= np.where(rng.random(n) < outliers, 1.8, 1.0)
    return pl.DataFrame(
        {
            "t": np.arange(n) + 1.0,
            "listeners": audience,
            "speakers": np.full(n, 2),
            "talkers": talkers,
            "joins": came,
            "media_cpu_s": 0.8 * cpu,
            "process_cpu_s": cpu,
            "packets": packets,
            "bytes": packets * 120,
            "send_failures": np.zeros(n, int),
            "ticks": np.full(n, 50),
            "tick_late_p99_ms": np.full(n, 1.0),
            "tick_late_max_ms": np.full(n, 2.0),
            "rss_bytes": np.full(n, 10**8),
        }
    )


def clients_table(relay: pl.DataFrame) -> pl.DataFrame:
    """A healthy generator that received all the relay sent."""
    n = relay.height
    return relay.select("t", "listeners", "speakers", "packets").with_columns(
        pl.lit("worker-1").alias("worker"),
        pl.lit(0).alias("lost"),
        *(pl.lit(value).alias(name) for name, value in {
            "jitter_p99_ms": 0.5, "mouth_to_ear_p50_ms": 45.0, "mouth_to_ear_p95_ms": 60.0,
            "mouth_to_ear_p99_ms": 70.0, "generator_cpu": 0.3, "loop_lag_ms": 2.0,
        }.items()),
        pl.Series("rcvbuf_errors", np.zeros(n, int)),
    )  # fmt: skip


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a measured run of the synthetic relay."""

    def make(steps: tuple[int, ...] = (100, 200, 400), *, verdict: Verdict | None = None, **how: float) -> Run:
        relay = relay_table(steps, **how)  # type: ignore[arg-type]
        writer = RunWriter(tmp_path, source="measured", scenario=load(), seed=1, tiers={"light": max(steps)})
        writer.extend("relay", relay)
        writer.extend("clients", clients_table(relay))
        writer.joins(
            t=0.5, kind="listener", signalling_ms=3.0, connect_ms=5.0, first_packet_ms=20.0, ok=True, error=None
        )
        return writer.finish(duration_s=float(relay.height), verdict=verdict)

    return make


@pytest.fixture
def small() -> Scenario:
    """A short room without turnout, word of mouth or events: an M(t)/G/infinity queue of about 100."""
    base = load("feedback-round")
    return dataclasses.replace(
        base,
        length_min=15.0,
        host=dataclasses.replace(base.host, followers=120_000),
        turnout=dataclasses.replace(base.turnout, spread=0.0),
        word_of_mouth=dataclasses.replace(base.word_of_mouth, joins_per_listener_hour=0.0),
    )


@pytest.fixture
def truth() -> CostModel:
    """The costs that the synthetic relay of ``make_run`` has."""
    return TRUTH


@pytest.fixture
def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Relay and clients tables of a healthy run."""
    relay = relay_table((50, 100), hold=8)
    return relay, clients_table(relay)
