"""What the streams count for ``/metrics``."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from media.server.events.hub import Hub

_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Counters:
    """Of one app."""

    def __init__(self, registry: CollectorRegistry, hub: Hub) -> None:
        self.dropped = Counter(
            "spaces_event_readers_dropped", "Streams ended because their reader was too slow", registry=registry
        )
        self.delivery = Histogram(
            "spaces_event_delivery_seconds",
            "Time from an event to its being written to a reader's connection",
            buckets=_BUCKETS,
            registry=registry,
        )
        registry.register(_OfHub(hub))


class _OfHub(Collector):
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        by_kind = GaugeMetricFamily("spaces_event_readers", "Open event streams", labels=["of"])
        for kind, number in self._hub.readers().items():
            by_kind.add_metric([kind], number)
        yield by_kind
        yield CounterMetricFamily(
            "spaces_events_sent", "Events sent, each counted once for each reader", self._hub.published
        )
