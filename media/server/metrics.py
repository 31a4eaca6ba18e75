"""What Prometheus reads: the process, the HTTP side, the Spaces, and whatever the relay counts.

A registry for each app instead of the library's global one, so that two servers in one process (as in tests) do
not add up.
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.server.auth import NamedOrNobody
from media.server.client_address import address_of, is_from_here, is_local
from media.server.errors import Problem
from media.server.routes import problems
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.states import State

Families = Callable[[], Iterable[Metric]]
"""Yields the metric families of a relay."""
Refresh = Callable[[], Awaitable[None]]
"""Has a relay elsewhere bring its figures up to date."""

router: Final = APIRouter(tags=["Operation"])


@router.get(
    "/metrics",
    response_class=Response,
    responses=problems(403) | {200: {"content": {"text/plain": {}}}},
)
async def metrics(request: Request, who: NamedOrNobody) -> Response:
    """Show everything that is counted, in Prometheus' text format.

    To callers on the server's own machine without a proxy, to addresses of `--metrics-from`, and to admins.
    """
    state = request.app.state
    if not (is_from_here(request.scope) or (who is not None and who.admin) or _is_named(request)):
        sentence = "Metrics are shown on this machine, to addresses of --metrics-from, and with an admin's token."
        raise Problem(403, "not-for-you", sentence)
    rendering: asyncio.Future[bytes] | None = state.rendering
    if rendering is None or rendering.done():
        rendering = state.rendering = asyncio.ensure_future(_render(state.registry, state.refresh))
    return Response(await asyncio.shield(rendering), media_type=CONTENT_TYPE_LATEST)


def _is_named(request: Request) -> bool:
    """Whether the operator named the caller's address; what a proxy here passes on has an address of its own."""
    address = address_of(request.scope)
    if is_local(address):
        return False
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in request.app.state.metrics_from)


async def _render(registry: CollectorRegistry, refresh: Refresh | None) -> bytes:
    """Collect on the event loop, where what is counted changes; write the text beside it, which takes longer."""
    if refresh is not None:
        await refresh()
    collected = list(registry.collect())
    return await asyncio.to_thread(generate_latest, _Families(lambda: collected))


class Metrics:
    """The registry of one app, and its HTTP metrics."""

    def __init__(self, families: Families | None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        if families is not None:
            self.registry.register(_Families(families))
        self._requests = Counter(
            "spaces_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "spaces_http_request_seconds",
            "Time from the request line to the last byte of the answer; of an event stream, to the first",
            ["method", "route"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )

    def watch(self, spaces: Spaces, sessions: Sessions) -> None:
        """Count Spaces and people, too."""
        self.add(lambda: _people(spaces, sessions))

    def add(self, families: Families) -> None:
        """Show what somebody else counts, too."""
        self.registry.register(_Families(families))

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)


class RequestMetrics:
    """ASGI middleware that counts requests by route: by the template, since addresses have no end."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and look at its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        began: float | None = None
        status = 500

        async def watched(message: Message) -> None:
            nonlocal began, status
            if message["type"] == "http.response.start":
                status = message["status"]
                if _STREAM in message["headers"]:
                    began = time.perf_counter()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.note(method, route, status, (began or time.perf_counter()) - started)


_STREAM: Final = (b"content-type", b"text/event-stream")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Families(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families()


def _people(spaces: Spaces, sessions: Sessions) -> Iterator[Metric]:
    by_state = GaugeMetricFamily("spaces_spaces", "Spaces that are not over", labels=["state"])
    for state in (State.DRAFT, State.SCHEDULED, State.LIVE):
        by_state.add_metric([state.value], sum(space.state is state for space in spaces.in_memory))
    yield by_state
    live = [space for space in spaces.in_memory if space.state is State.LIVE]
    yield GaugeMetricFamily(
        "spaces_participants", "People connected to live Spaces", sum(space.participant_count for space in live)
    )
    yield GaugeMetricFamily(
        "spaces_waiting_to_speak", "Requests in all queues", sum(len(space.people.queue) for space in live)
    )
    by_kind = GaugeMetricFamily("spaces_media_sessions", "WHIP and WHEP sessions", labels=["kind"])
    for kind in ("whip", "whep"):
        by_kind.add_metric([kind], sum(session.kind == kind for session in sessions))
    yield by_kind
