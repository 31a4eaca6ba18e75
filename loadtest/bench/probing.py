"""The probes' stand: a server in a process of its own, and Spaces in it that one speaks in and one listens to."""

import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from loadtest.engine.probes import Probes
from loadtest.lab import Server, server
from loadtest.venue import Host, Venue


@dataclass
class Probing:
    """Everything a benchmark of sound needs."""

    server: Server
    venues: list[Venue]
    """Each with a token for its host, who may speak."""
    probes: Probes


SWITCH_INTERVAL = 0.0005
"""Seconds after which whoever evaluates has to hand Python over to the probes' thread; usually 5 ms."""


@asynccontextmanager
async def probing(title: str, spaces: int) -> AsyncIterator[Probing]:
    """Build it up, and take it down."""
    with server() as where, ExitStack() as hosts:
        venues = [
            hosts.enter_context(Host(where.base, where.token)).open(f"{title} {number}", 1)
            for number in range(spaces)
        ]
        probes, usual = Probes(), sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL)
        probes.start()
        try:
            yield Probing(where, venues, probes)
        finally:
            await probes.stop()
            sys.setswitchinterval(usual)
