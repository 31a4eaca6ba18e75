"""The record of a run: what the relay says of itself, what the workers saw, and whether it may be believed."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import polars as pl
from prometheus_client.parser import text_string_to_metric_families

from loadtest.programme import Programme
from sim.run import Run, RunWriter
from sim.schema import Table

_P99 = 0.99
LATE = "tick late"
REPORTED: tuple[Table, ...] = ("clients", "joins", "probes", "disturbances", "reviews")
"""Tables whose rows come from workers."""
TIMES = {"t", "silenced_s", "claimed_s", "decided_s"}
"""Columns that are moments."""


class RelayProbe:
    """Reads a relay's ``/metrics`` and turns two readings into a row of ``relay.parquet``."""

    def __init__(self, base: str, client: httpx.Client | None = None, token: str = "") -> None:
        """Take where the relay is; an admin's token is needed on another machine."""
        self._url = f"{base}/metrics"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = client or httpx.Client(timeout=10.0, headers=headers)
        self._before = self._read()
        self._last = (self._before, self._before)

    def row(self) -> dict[str, Any]:
        """What happened since the last call, but for ``t``; :raises httpx.HTTPError: the relay does not answer."""
        now, before = self._read(), self._before
        self._before = now
        self._last = (before, now)
        grown = self.grown
        ticks = grown("spaces_relay_ticks_total") / max(now.value["spaces_relay_processes"], 1.0)
        return {
            "listeners": int(now.value["spaces_relay_listeners"] - now.value["spaces_relay_speakers"]),
            "speakers": int(now.value["spaces_relay_speakers"]),
            "talkers": grown("spaces_relay_talker_ticks_total") / max(ticks, 1.0),
            "joins": int(grown("spaces_relay_sessions_up_total")),
            "media_cpu_s": grown("spaces_relay_media_cpu_seconds_total"),
            "process_cpu_s": grown("process_cpu_seconds_total") + grown("spaces_relay_process_cpu_seconds_total"),
            "packets": int(grown("spaces_relay_packets_sent_total")),
            "bytes": int(grown("spaces_relay_bytes_sent_total")),
            "send_failures": int(grown("spaces_relay_send_failures_total")),
            "ticks": int(ticks),
            "tick_late_p99_ms": quantile_ms(before.stages[LATE], now.stages[LATE], _P99),
            "tick_late_max_ms": 1e3 * now.value["spaces_relay_tick_late_max_seconds"],
            "rss_bytes": int(
                now.value["process_resident_memory_bytes"] + now.value["spaces_relay_resident_memory_bytes"]
            ),
        }

    def grown(self, name: str) -> float:
        """By how much a counter without labels has grown in the last row."""
        before, now = self._last
        return now.value[name] - before.value.get(name, 0.0)

    def stage_ms(self, stage: str, share: float) -> float | None:
        """Quantile of a stage of :data:`media.relay.stats.STAGES` in the last row, in ms; None if it never ran."""
        before, now = self._last
        return quantile_ms(before.stages[stage], now.stages[stage], share)

    def stage_seconds(self, stage: str) -> float:
        """Seconds spent in a stage in the last row."""
        before, now = self._last
        return now.spent[stage] - before.spent[stage]

    def longer(self, stage: str, seconds: float) -> int:
        """How often a stage took longer in the last row; ``seconds`` is one of its histogram's bounds."""
        before, now = (dict(reading.stages[stage]) for reading in self._last)
        return int(now[float("inf")] - now[seconds] - (before[float("inf")] - before[seconds]))

    def _read(self) -> "_Reading":
        response = self._client.get(self._url)
        response.raise_for_status()
        return _Reading(response.text)


class _Reading:
    """One look at ``/metrics``: plain samples, and the stages' cumulative histograms in seconds."""

    def __init__(self, text: str) -> None:
        self.value: dict[str, float] = {}
        self.stages: dict[str, list[tuple[float, float]]] = {}
        self.spent: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if not sample.labels:
                    self.value[sample.name] = sample.value
                elif sample.name == "spaces_relay_stage_seconds_sum":
                    self.spent[sample.labels["stage"]] = sample.value
                elif sample.name == "spaces_relay_stage_seconds_bucket":
                    stage = self.stages.setdefault(sample.labels["stage"], [])
                    stage.append((float(sample.labels["le"]), sample.value))


def quantile_ms(before: list[tuple[float, float]], now: list[tuple[float, float]], share: float) -> float | None:
    """Milliseconds of a quantile between two cumulative histograms; None if nothing happened in between."""
    grown = [(bound, count - old) for (bound, count), (_, old) in zip(now, before, strict=True)]
    total = grown[-1][1] if grown else 0.0
    if total <= 0:
        return None
    lower, below = 0.0, 0.0
    for bound, count in grown:
        if count >= share * total and count > below:
            upper = bound if bound != float("inf") else lower
            return 1e3 * (lower + (upper - lower) * (share * total - below) / (count - below))
        lower, below = bound, count
    return 1e3 * lower


def hearsay(probes: pl.DataFrame) -> str:
    """What a ``probes`` table says, in one line for people."""
    heard = probes["mouth_to_ear_ms"].drop_nulls()
    if heard.is_empty():
        return f"none of {probes.height} chirps was heard"
    quantiles = (f"p{100 * share:.0f} {heard.quantile(share, 'linear'):.0f} ms" for share in (0.5, 0.95, 0.99))
    packets, lost = int(probes["packets"].sum()), int(probes["lost"].sum())
    return (
        f"mouth to ear {', '.join(quantiles)}; {probes.height - heard.len()} of {probes.height} chirps unheard,"
        f" {lost} of {packets + lost} packets missing"
    )


class Recorder:
    """Collects one run and writes its folder; rows come in Unix time and are kept in seconds since the start."""

    def __init__(
        self, programme: Programme, root: str, run_id: str, base: str, tiers: dict[str, int], token: str = ""
    ) -> None:
        self._probe = RelayProbe(base, token=token)
        self._writer = RunWriter(
            root,
            source="measured",
            scenario=programme.scenario,
            seed=programme.seed,
            tiers=tiers,
            run_id=run_id or None,
        )
        self.started = time.time()
        self.checkpoint()

    @property
    def run_id(self) -> str:
        """Name of the record."""
        return self._writer.id

    def sample(self) -> None:
        """Book the relay's last second."""
        self._writer.relay(t=time.time() - self.started, **self._probe.row())

    def book(self, rows: Mapping[str, list[dict[str, Any]]]) -> None:
        """Book what a worker saw: rows of any table but the relay's."""
        for table in REPORTED:
            for row in rows[table]:
                self._writer.append(
                    table, {**row, **{name: self._since(row[name]) for name in TIMES & row.keys()}}
                )

    def checkpoint(self) -> None:
        """Keep what there is, in case the process is killed."""
        self._writer.checkpoint()

    def finish(self, cut_short: str | None = None) -> Run:
        """Write the folder and read it back; ``cut_short`` is why the run did not come to its end."""
        return self._writer.finish(cut_short=cut_short)

    def _since(self, at: float | None) -> float | None:
        return None if at is None else max(0.0, at - self.started)
