"""The relay's counters as Prometheus metric families: the names that dashboards and run records rely on."""

from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from media.relay.stats import RelayStats

_GAUGES = (
    ("listeners", "Sessions that hear", "listeners"),
    ("speakers", "Participants who may be heard and have a session to be heard by", "speakers"),
    ("rooms", "Live rooms", "rooms"),
    ("sessions", "Sessions, those still connecting included", "sessions"),
    ("tick_late_max_seconds", "Largest lateness of a tick in the last whole second", "tick_late_max"),
)
_COUNTERS = (
    ("sessions_up", "Sessions that connected", "sessions_up"),
    ("packets_sent", "RTP packets handed to the system", "packets"),
    ("bytes_sent", "UDP payload bytes handed to the system, RTCP included", "octets"),
    ("send_failures", "Packets the system refused or SRTP could not protect", "send_failures"),
    ("datagrams_received", "Datagrams received", "datagrams"),
    ("ticks", "Ticks of 20 ms", "ticks"),
    ("ticks_skipped", "Ticks left out because the machine stood still", "ticks_skipped"),
    ("talker_ticks", "Sum over ticks of the people talking in them", "talker_ticks"),
    ("frames_encoded", "Opus frames encoded", "mixes"),
    ("media_cpu_seconds", "CPU time of the media thread", "cpu_seconds"),
    ("faults", "Unexpected errors, each with a traceback in the log", "faults"),
)
_LABELLED = (
    ("sessions_down", "Sessions that ended", "reason", "sessions_down"),
    ("datagrams_dropped", "Received datagrams that were not used", "reason", "dropped"),
    ("speaker_frames", "Frames of speakers' sound by how they came about", "kind", "speaker_frames"),
)


def families(stats: RelayStats) -> Iterator[Metric]:
    """Everything in ``stats`` as ``spaces_relay_*``; durations in seconds."""
    for name, text, attribute in _GAUGES:
        yield GaugeMetricFamily(f"spaces_relay_{name}", text, value=getattr(stats, attribute))
    for name, text, attribute in _COUNTERS:
        yield CounterMetricFamily(f"spaces_relay_{name}", text, value=getattr(stats, attribute))
    for name, text, label, attribute in _LABELLED:
        family = CounterMetricFamily(f"spaces_relay_{name}", text, labels=[label])
        for value, count in getattr(stats, attribute).items():
            family.add_metric([value], count)
        yield family
    stages = HistogramMetricFamily(
        "spaces_relay_stage_seconds", "Where time goes between a packet in and a packet out", labels=["stage"]
    )
    for stage, histogram in stats.stages.items():
        buckets = [("+Inf" if bound == float("inf") else f"{bound:g}", n) for bound, n in histogram.cumulative()]
        stages.add_metric([stage], buckets, histogram.total)
    yield stages
