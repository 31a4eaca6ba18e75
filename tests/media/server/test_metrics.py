"""The text of ``/metrics``: Prometheus' own parser reads it whatever was counted; so does the recorder of runs."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from loadtest.recorder import LATE, RelayProbe
from media.relay.metrics import families
from media.relay.stats import STAGES, RelayStats
from media.server.metrics import Metrics, _Families
from tests.media.server.service import running

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


@pytest.mark.parametrize(
    ("address", "named", "headers", "status"),
    [
        ("127.0.0.1", (), {}, 200),
        ("::1", (), {}, 200),
        ("127.0.0.1", (), {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", ("127.0.0.0/8",), {"Via": "1.1 proxy"}, 403),
        ("203.0.113.7", (), {}, 403),
        ("203.0.113.7", ("203.0.113.0/24",), {}, 200),
        ("203.0.113.7", ("203.0.113.8/32", "2001:db8::/32"), {}, 403),
        ("203.0.113.7", (), {"X-Forwarded-For": "127.0.0.1"}, 403),
    ],
)
async def test_who_may_read_them(
    tmp_path: Path, address: str, named: tuple[str, ...], headers: dict[str, str], status: int
) -> None:
    async with running(tmp_path, metrics_from=named) as service:
        transport = httpx.ASGITransport(service.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://s") as service.http:
            answer = await service.call(None, "GET", "/metrics", headers=headers)
            assert answer.status_code == status
            if status == 403:
                assert "--metrics-from" in answer.json()["detail"]
                assert (await service.call("ana", "GET", "/metrics", headers=headers)).status_code == 403
            read = await service.call("root", "GET", "/metrics", headers=headers)
            assert read.status_code == 200 and "spaces_http_requests_total" in read.text


async def test_readers_at_one_time_share_one_text(tmp_path: Path) -> None:
    collected = 0

    def families() -> Iterable[Metric]:
        nonlocal collected
        collected += 1
        return ()

    async with running(tmp_path) as service:
        registry = service.app.state.registry
        registry.register(_Families(families))
        before = collected
        answers = await asyncio.gather(*(service.call(None, "GET", "/metrics") for _ in range(10)))
        assert len({answer.text for answer in answers}) == 1 and collected == before + 1
