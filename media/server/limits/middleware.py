"""The limits in front of every route: 429 with ``Retry-After``, and in every answer what is left.

``RateLimit`` and ``RateLimit-Policy`` are those of draft-ietf-httpapi-ratelimit-headers-10. Admins are not
limited, and neither is who calls from this machine without a proxy in between: a lab's swarm has thousands of
people behind one loopback address. Forwarded addresses are believed where the operator named the proxy, and
nowhere else; what another proxy on this machine passes on is limited by user, and without a token as one address.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.server.auth import bearer_of
from media.server.client_address import address_of, by_proxy, counted_address, is_local
from media.server.compat.answers import is_xs, refusal
from media.server.errors import Problem, respond
from media.server.limits.buckets import Buckets, Verdict
from media.server.limits.rates import kind_of, rates

log = logging.getLogger(__name__)

_FREE: Final = frozenset({"/healthz", "/metrics"})


class Limits:
    """ASGI middleware that refuses who asks for too much."""

    def __init__(
        self, app: ASGIApp, state: State, reads: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take how many reads a second a person may make."""
        self._app = app
        self._state = state
        self._person, self._address = rates(reads)
        self._buckets = Buckets()
        self._clock = clock
        self._told = False
        """Whether the operator knows of a proxy that was not named."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        verdict = self._judge(scope) if scope["type"] == "http" else None
        if verdict is None:
            await self._app(scope, receive, send)
            return
        headers = _headers(verdict)
        if is_xs(scope["path"]):
            headers += _x_headers(verdict)
        if verdict.retry:
            problem = Problem(429, "too-many-requests", _sentence(verdict), headers=dict(headers))
            problem.headers["Retry-After"] = str(math.ceil(verdict.retry))
            answer = refusal(problem) if is_xs(scope["path"]) else respond(problem)
            await answer(scope, receive, send)
            return
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *raw]
            await send(message)

        await self._app(scope, receive, told)

    def _judge(self, scope: Scope) -> Verdict | None:
        """Take a token from the buckets of a request; return the tighter, None if there is no limit."""
        address, proxied = address_of(scope), by_proxy(scope)
        local = is_local(address)
        if scope["path"] in _FREE or (local and not proxied):
            return None
        token = bearer_of(scope)
        who = None if token is None else self._state.tokens.look(token)
        if who is not None and who.admin:
            return None
        if local:
            self._tell_of_proxy(address)
        kind, now = kind_of(scope["method"], scope["path"]), self._clock()
        verdicts: list[Verdict] = []
        if who is not None:
            verdicts.append(self._buckets.take(("person", who.name), self._person[kind], now))
        network = counted_address(scope, named=who is not None)
        if network and not (verdicts and verdicts[0].retry):
            verdicts.append(self._buckets.take(("address", network), self._address[kind], now))
            if verdicts[-1].retry and who is not None:
                self._buckets.give_back(("person", who.name), self._person[kind])
        refused = [verdict for verdict in verdicts if verdict.retry]
        return min(refused or verdicts, key=lambda v: v.remaining / v.rate.burst)

    def _tell_of_proxy(self, address: str) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "A proxy at %s passes requests on; without --trusted-proxy %s all who come by it without a token "
                "share the limit of one address.",
                address,
                address,
            )


def _headers(verdict: Verdict) -> list[tuple[str, str]]:
    rate = verdict.rate
    return [
        ("RateLimit-Policy", f'"{rate.name}";q={rate.burst};w={math.ceil(rate.window)}'),
        ("RateLimit", f'"{rate.name}";r={verdict.remaining};t={math.ceil(verdict.reset)}'),
    ]


def _x_headers(verdict: Verdict) -> list[tuple[str, str]]:
    """The same as X says it, which clients written for X wait by."""
    return [
        ("x-rate-limit-limit", str(verdict.rate.burst)),
        ("x-rate-limit-remaining", str(verdict.remaining)),
        ("x-rate-limit-reset", str(math.ceil(time.time() + (verdict.retry or verdict.reset)))),
    ]


def _sentence(verdict: Verdict) -> str:
    whose = "from this address" if verdict.rate.name.endswith("-of-address") else "of yours"
    kind = verdict.rate.name.partition("-")[0]
    return f"Too many {kind} {whose}; try again in {math.ceil(verdict.retry)} s."
