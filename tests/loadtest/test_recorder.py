"""From two looks at ``/metrics`` to a row of the record, and quantiles from cumulative histograms."""

from math import inf

import httpx
import polars as pl
import pytest

from loadtest.recorder import RelayProbe, hearsay, quantile_ms
from sim.schema import SCHEMA

METRICS = """\
# TYPE spaces_relay_processes gauge
spaces_relay_processes 2
# TYPE spaces_relay_listeners gauge
spaces_relay_listeners {listeners}
# TYPE spaces_relay_speakers gauge
spaces_relay_speakers 2
# TYPE spaces_relay_tick_late_max_seconds gauge
spaces_relay_tick_late_max_seconds {late_max}
# TYPE spaces_relay_sessions_up counter
spaces_relay_sessions_up_total {up}
# TYPE spaces_relay_packets_sent counter
spaces_relay_packets_sent_total {packets}
# TYPE spaces_relay_bytes_sent counter
spaces_relay_bytes_sent_total {octets}
# TYPE spaces_relay_send_failures counter
spaces_relay_send_failures_total {failures}
# TYPE spaces_relay_ticks counter
spaces_relay_ticks_total {ticks}
# TYPE spaces_relay_talker_ticks counter
spaces_relay_talker_ticks_total {talker_ticks}
# TYPE spaces_relay_media_cpu_seconds counter
spaces_relay_media_cpu_seconds_total {media_cpu}
# TYPE spaces_relay_process_cpu_seconds counter
spaces_relay_process_cpu_seconds_total {relay_cpu}
# TYPE spaces_relay_resident_memory_bytes gauge
spaces_relay_resident_memory_bytes 1000
# TYPE process_cpu_seconds counter
process_cpu_seconds_total {cpu}
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.5e+08
# TYPE spaces_relay_stage_seconds histogram
spaces_relay_stage_seconds_bucket{{le="0.001",stage="tick late"}} {late[0]}
spaces_relay_stage_seconds_bucket{{le="0.002",stage="tick late"}} {late[1]}
spaces_relay_stage_seconds_bucket{{le="+Inf",stage="tick late"}} {late[2]}
spaces_relay_stage_seconds_count{{stage="tick late"}} {late[2]}
spaces_relay_stage_seconds_sum{{stage="tick late"}} 1.0
spaces_relay_stage_seconds_bucket{{le="0.001",stage="mix"}} 0
spaces_relay_stage_seconds_bucket{{le="+Inf",stage="mix"}} 0
spaces_relay_stage_seconds_count{{stage="mix"}} 0
spaces_relay_stage_seconds_sum{{stage="mix"}} 0
"""
FIRST = METRICS.format(
    listeners=2,
    late_max=0.001,
    up=2,
    packets=100,
    octets=10_000,
    failures=0,
    ticks=2000,
    talker_ticks=300,
    media_cpu=1.25,
    relay_cpu=2.0,
    cpu=4.0,
    late=(900, 990, 1000),
)
SECOND = METRICS.format(
    listeners=12,
    late_max=0.003,
    up=12,
    packets=650,
    octets=75_000,
    failures=1,
    ticks=2100,
    talker_ticks=375,
    media_cpu=1.5,
    relay_cpu=2.5,
    cpu=4.75,
    late=(900, 1040, 1050),
)


def probe(*texts: str) -> RelayProbe:
    answers = iter(texts)
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=next(answers)))
    return RelayProbe("http://relay", httpx.Client(transport=transport))


def test_a_row_is_what_happened_between_two_looks() -> None:
    row = probe(FIRST, SECOND).row()
    assert row.pop("tick_late_p99_ms") == pytest.approx(1.99)
    assert row == {
        "listeners": 10,
        "speakers": 2,
        "talkers": 1.5,
        "joins": 10,
        "media_cpu_s": 0.25,
        "process_cpu_s": 1.25,
        "packets": 550,
        "bytes": 65_000,
        "send_failures": 1,
        "ticks": 50,
        "tick_late_max_ms": 3.0,
        "rss_bytes": 150_001_000,
    }


def test_a_row_is_a_row_of_the_relays_table() -> None:
    row = {"t": 1.0, **probe(FIRST, SECOND).row()}
    assert row.keys() == SCHEMA["relay"].keys()
    pl.DataFrame([row], schema={name: column.dtype for name, column in SCHEMA["relay"].items()})


def test_a_relay_that_did_nothing_gives_a_row_of_nothing() -> None:
    row = probe(FIRST, FIRST).row()
    assert (row["packets"], row["ticks"], row["talkers"], row["tick_late_p99_ms"]) == (0, 0, 0.0, None)


def test_the_stages_of_the_last_row_can_be_asked_for() -> None:
    reading = probe(FIRST, SECOND)
    reading.row()
    assert reading.stage_ms("tick late", 0.5) == pytest.approx(1.5)
    assert reading.stage_ms("mix", 0.5) is None


def test_a_relay_that_does_not_answer_is_an_error() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(503, text="shutting down"))
    with pytest.raises(httpx.HTTPStatusError):
        RelayProbe("http://relay", httpx.Client(transport=transport))


BEFORE = [(0.001, 10.0), (0.002, 20.0), (0.004, 20.0), (inf, 20.0)]


@pytest.mark.parametrize(
    ("grown", "share", "expected"),
    [
        ([0, 0, 0, 0], 0.99, None),
        ([10, 10, 10, 10], 0.5, 0.5),
        ([0, 10, 10, 10], 0.5, 1.5),
        ([0, 0, 10, 10], 1.0, 4.0),
        ([5, 5, 5, 10], 0.99, 4.0),
        ([0, 0, 0, 10], 0.5, 4.0),
        ([5, 10, 10, 10], 0.0, 0.0),
    ],
    ids=["nothing", "first bin", "interpolated", "last bound", "beyond", "all beyond", "lowest"],
)
def test_quantiles_between_two_histograms(grown: list[float], share: float, expected: float | None) -> None:
    now = [(bound, count + more) for (bound, count), more in zip(BEFORE, grown, strict=True)]
    found = quantile_ms(BEFORE, now, share)
    assert found == (None if expected is None else pytest.approx(expected))


def test_what_probes_heard_is_said_in_one_line() -> None:
    schema = {name: column.dtype for name, column in SCHEMA["probes"].items()}
    delays = [*range(50, 150), None]
    rows = [
        {"t": 1.0, "worker": "w", "probe": 1, "mouth_to_ear_ms": delay, "packets": 12, "lost": 1, "late_ms": 0.1}
        for delay in delays
    ]
    assert hearsay(pl.DataFrame(rows, schema=schema)) == (
        "mouth to ear p50 100 ms, p95 144 ms, p99 148 ms; 1 of 101 chirps unheard, 101 of 1313 packets missing"
    )
    assert hearsay(pl.DataFrame(rows[-1:], schema=schema)) == "none of 1 chirps was heard"


def test_a_histogram_without_bins_has_no_quantile() -> None:
    assert quantile_ms([], [], 0.5) is None
