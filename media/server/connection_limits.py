"""Bounds of the server's TCP connections, and the count of those that are open.

Each connection holds a descriptor and memory before anything is known of its client, so both are bounded for each
connection, for each address and in all. What is refused is counted, and told to the operator once in a while.
"""

import ipaddress
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from media.server.client_address import is_local, network_of
from media.server.errors import Problem

RETRY: Final = 5
"""Seconds after which some connection may have ended."""
LOGGED: Final = 10.0
"""Seconds between two lines about the same."""
STATES: Final = ("idle", "head", "body", "answer")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection."""

    head_seconds: float = 10.0
    """From the connection, or the first byte of a request, to the end of its head."""
    body_seconds: float = 10.0
    """Without a byte of the body; what has come gives more time, at ``body_rate``."""
    body_rate: float = 512.0
    """Bytes a second, on the average."""
    idle_seconds: float = 30.0
    """Between two requests."""
    unread_seconds: float = 30.0
    """That a client takes nothing of an answer."""
    linger_seconds: float = 2.0
    """That a refused client has to read why."""
    url: int = 16 * 1024
    """Bytes; whatever is longer is 414."""
    head: int = 64 * 1024
    """Bytes of URL, header fields and trailers; whatever is longer is 431."""
    fields: int = 100
    """Header fields."""
    in_flight: int = 8
    """Requests that are not answered yet; what comes after them is not read."""


class Tracked(Protocol):
    """A connection, as it is counted."""

    @property
    def state(self) -> str:
        """One of :data:`STATES`."""
        ...


class Connections:
    """The open connections of one server."""

    def __init__(
        self,
        per_address: int = 0,
        most: int = 0,
        trusted: Sequence[str] = (),
        limits: Limits = Limits(),
    ) -> None:
        """Take how many there may be; 0 for no limit.

        :param per_address: this machine's own addresses, and trusted proxies, have no limit
        :param trusted: networks of proxies
        """
        self.limits = limits
        self._per_address, self._most = per_address, most
        self._trusted = [ipaddress.ip_network(network) for network in trusted]
        self._open: dict[Tracked, str] = {}
        self._by_address: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._told: dict[str, tuple[float, int]] = {}
        """When a reason was last logged, and how many there had been."""

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Tracked, address: str, now: float) -> Problem | None:
        """Count a connection, or return why there cannot be another one; ``now`` on a monotonic clock."""
        if self._most and len(self._open) >= self._most:
            self.note("descriptors", now, lambda: f"{self._most} connections are open, as many as there can be")
            sentence = "The server has as many connections as it can hold; try again in a few seconds."
            return Problem(503, "too-many-connections", sentence, headers={"Retry-After": str(RETRY)})
        key = "" if not self._per_address or self._is_free(address) else network_of(address)
        if key and self._by_address[key] >= self._per_address:
            self.note("address", now, lambda: f"{self._per_address} connections from {address} are open already")
            sentence = f"There are {self._per_address} connections from your address already; close some first."
            return Problem(429, "too-many-connections", sentence, headers={"Retry-After": str(RETRY)})
        self._open[connection] = key
        if key:
            self._by_address[key] += 1
        return None

    def leave(self, connection: Tracked) -> None:
        """Count a connection no more."""
        key = self._open.pop(connection, "")
        if key:
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]

    def note(self, reason: str, now: float, sentence: Callable[[], str] | None = None) -> None:
        """Count a connection that the server refused or ended, and log the sentence if none was of late."""
        self._ended[reason] += 1
        last, before = self._told.get(reason, (-LOGGED, 0))
        if sentence is not None and now - last >= LOGGED:
            count = self._ended[reason] - before
            self._told[reason] = now, self._ended[reason]
            log.warning("%s; refused since the last such line: %d.", sentence(), count)

    def families(self) -> Iterator[Metric]:
        """Yield metrics."""
        states = Counter(connection.state for connection in self._open)
        by_state = GaugeMetricFamily("spaces_http_connections", "Open TCP connections for HTTP", labels=["state"])
        for state in STATES:
            by_state.add_metric([state], states[state])
        yield by_state
        ended = CounterMetricFamily(
            "spaces_http_connections_ended", "Connections that the server refused or ended", labels=["reason"]
        )
        for reason, count in sorted(self._ended.items()):
            ended.add_metric([reason], count)
        yield ended

    def _is_free(self, address: str) -> bool:
        if is_local(address):
            return True
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self._trusted)
