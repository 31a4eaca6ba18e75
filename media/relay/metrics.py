"""The relay's counters as Prometheus metric families: the names that dashboards and run records rely on."""

from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from media.relay.fleet import RelayFleet
from media.relay.stats import Histogram, RelayStats

_GAUGES = (
    ("processes", "Relays that these figures are the sum of", "processes"),
    ("listeners", "Sessions that hear", "listeners"),
    ("speakers", "Participants who may be heard and have a session to be heard by", "speakers"),
    ("rooms", "Live rooms, each where it is mixed", "rooms"),
    (
        "linked_rooms",
        "Rooms that are heard on a relay that does not mix them, once for each such relay",
        "linked_rooms",
    ),
    ("links", "Ways of a room's mix to another relay", "links"),
    ("resident_memory_bytes", "Memory of the relay processes; not that of the server", "resident_bytes"),
    ("sessions", "Sessions, those still connecting included", "sessions"),
    ("tick_late_max_seconds", "Largest lateness of a tick in the last whole second", "tick_late_max"),
)
_COUNTERS = (
    ("sessions_up", "Sessions that connected", "sessions_up"),
    ("packets_sent", "RTP packets handed to the system", "packets"),
    ("bytes_sent", "UDP payload bytes handed to the system, RTCP included", "octets"),
    ("send_failures", "Packets the system refused or SRTP could not protect", "send_failures"),
    ("datagrams_received", "Datagrams received", "datagrams"),
    ("checks_answered", "Consent checks answered at the door, without Python", "checks"),
    ("reports_read", "RTCP compounds read at the door, without Python", "reports"),
    ("ticks", "Ticks of 20 ms", "ticks"),
    ("ticks_skipped", "Ticks left out because the machine stood still", "ticks_skipped"),
    ("talker_ticks", "Sum over ticks of the people talking in them", "talker_ticks"),
    ("frames_encoded", "Opus frames encoded", "mixes"),
    ("media_cpu_seconds", "CPU time of the media thread", "cpu_seconds"),
    (
        "process_cpu_seconds",
        "CPU time of the relay processes, all threads; not that of the server",
        "process_cpu_seconds",
    ),
    ("link_packets", "Packets received from other relays", "link_packets"),
    ("link_packets_lost", "Packets missing between those", "link_lost"),
    ("recorder_refused_ticks", "Ticks that the recorder had no room for", "recorder_refused"),
    ("faults", "Unexpected errors, each with a traceback in the log", "faults"),
)
_LABELLED = (
    ("sessions_down", "Sessions that ended", "reason", "sessions_down"),
    ("datagrams_dropped", "Received datagrams that were not used", "reason", "dropped"),
    ("speaker_frames", "Frames of speakers' sound by how they came about", "kind", "speaker_frames"),
)
_RECEPTION = (
    ("loss_ratio", "Listeners by the share of packets they lost between their last two reports"),
    ("jitter_seconds", "Listeners by the jitter that they reported last"),
    ("round_trip_seconds", "Listeners by round trip; waiting for the relay's tick is part of it"),
)


def families(stats: RelayStats) -> Iterator[Metric]:
    """Everything in ``stats`` as ``spaces_relay_*``; durations in seconds."""
    for name, text, attribute in _GAUGES:
        yield GaugeMetricFamily(f"spaces_relay_{name}", text, value=getattr(stats, attribute))
    for name, text, attribute in _COUNTERS:
        yield CounterMetricFamily(f"spaces_relay_{name}", text, value=getattr(stats, attribute))
    sealers = GaugeMetricFamily(
        "spaces_relay_srtp_sealer", "Relays by what seals AES-128-GCM packets", labels=["sealer"]
    )
    for sealer, relays in stats.sealers.items():
        sealers.add_metric([sealer], relays)
    yield sealers
    for name, text, label, attribute in _LABELLED:
        family = CounterMetricFamily(f"spaces_relay_{name}", text, labels=[label])
        for value, count in getattr(stats, attribute).items():
            family.add_metric([value], count)
        yield family
    stages = HistogramMetricFamily(
        "spaces_relay_stage_seconds", "Where time goes between a packet in and a packet out", labels=["stage"]
    )
    for stage, histogram in stats.stages.items():
        stages.add_metric([stage], _buckets(histogram), histogram.total)
    yield stages
    for name, text in _RECEPTION:
        histogram = stats.reception[name]
        yield HistogramMetricFamily(f"spaces_relay_listener_{name}", text, _buckets(histogram), histogram.total)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    return [("+Inf" if bound == float("inf") else f"{bound:g}", n) for bound, n in histogram.cumulative()]


_EACH = (
    ("sessions", "Sessions of one relay process", "sessions"),
    ("tick_late_max_seconds", "Largest lateness of a tick of one relay in the last whole second", "tick_late_max"),
)


def fleet_families(fleet: RelayFleet) -> Iterator[Metric]:
    """All relays together as :func:`families`, and ``spaces_relay_process_*`` for each by its number."""
    yield from families(fleet.stats())
    up = GaugeMetricFamily("spaces_relay_process_up", "Whether a relay process lives", labels=["relay"])
    restarts = CounterMetricFamily(
        "spaces_relay_process_restarts", "How often a relay was started again", labels=["relay"]
    )
    each = [GaugeMetricFamily(f"spaces_relay_process_{name}", text, labels=["relay"]) for name, text, _ in _EACH]
    for slot in fleet.slots:
        label = [str(slot.index)]
        up.add_metric(label, slot.relay is not None)
        restarts.add_metric(label, slot.restarts)
        for family, (_, _, attribute) in zip(each, _EACH, strict=True):
            family.add_metric(label, getattr(slot.stats, attribute))
    yield from (up, restarts, *each)
