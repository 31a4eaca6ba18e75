"""The text of ``/metrics``: Prometheus' own parser reads it whatever was counted; so does the recorder of runs."""

from collections import Counter

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.recorder import LATE, RelayProbe
from media.relay.metrics import families
from media.relay.stats import STAGES, RelayStats
from media.server.metrics import Metrics

numbers = st.integers(0, 1 << 53)
seconds = st.floats(0, 1e9)
counted = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), numbers, max_size=5).map(Counter)


def text_of(stats: RelayStats) -> str:
    return generate_latest(Metrics(lambda: families(stats)).registry).decode()


@st.composite
def some_stats(draw: st.DrawFn) -> RelayStats:
    """Counters of every kind, with any text for a reason."""
    stats = RelayStats()
    for name, value in vars(stats).items():
        if isinstance(value, int | float):
            setattr(stats, name, draw(numbers if isinstance(value, int) else seconds))
        elif isinstance(value, Counter):
            setattr(stats, name, draw(counted))
    for duration in draw(st.lists(st.floats(0, 10), max_size=10)):
        stats.stages[draw(st.sampled_from(STAGES))].observe(duration)
    return stats


@settings(max_examples=60, deadline=None)
@given(some_stats())
def test_what_was_counted_is_what_is_read(stats: RelayStats) -> None:
    read = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text_of(stats))
        for sample in family.samples
    }
    assert read["spaces_relay_listeners",] == stats.listeners
    assert read["spaces_relay_bytes_sent_total",] == stats.octets
    assert read["spaces_relay_media_cpu_seconds_total",] == stats.cpu_seconds
    for reason, count in stats.dropped.items():
        assert read["spaces_relay_datagrams_dropped_total", reason] == count
    for stage, histogram in stats.stages.items():
        assert read["spaces_relay_stage_seconds_count", stage] == sum(histogram.counts)
        assert read["spaces_relay_stage_seconds_sum", stage] == pytest.approx(histogram.total)


@settings(max_examples=30, deadline=None)
@given(some_stats(), some_stats())
def test_a_record_finds_everything_it_reads(before: RelayStats, after: RelayStats) -> None:
    answers = iter([text_of(before), text_of(after)])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=next(answers)))
    with httpx.Client(transport=transport) as client:
        row = RelayProbe("http://relay", client).row()
    assert row["packets"] == after.packets - before.packets
    assert row["media_cpu_s"] == after.cpu_seconds - before.cpu_seconds
    assert row["rss_bytes"] > 0
    grown = [sum(stats.stages[LATE].counts) for stats in (before, after)]
    assert (row["tick_late_p99_ms"] is None) == (grown[1] <= grown[0])
