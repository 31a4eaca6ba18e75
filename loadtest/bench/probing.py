"""The probes' stand: a server in a process of its own, and Spaces in it that one speaks in and one listens to."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from loadtest.engine.hearing import SWITCH_INTERVAL
from loadtest.engine.probes import Probes
from loadtest.lab import Server, server
from loadtest.recorder import RelayProbe
from loadtest.venue import Host, Venue


@dataclass
class Probing:
    """Everything a benchmark of sound needs."""

    server: Server
    venues: list[Venue]
    """Each with a token for its host, who may speak."""
    probes: Probes

    def watch(self) -> Callable[[], float]:
        """From now on; the answer says by how much, in ms, a probe or a tick of the relay was late at most.

        More than :data:`STILL` means that the machine stood still: what was measured then was that.
        """
        before, relay = self.probes.clockwork.late().size, RelayProbe(self.server.base)

        def latest() -> float:
            relay.row()
            late = self.probes.clockwork.late(before)
            return max(1e3 * float(late.max(initial=0.0)), relay.stage_ms("tick late", 1.0) or 0.0)

        return latest


STILL = 20.0
"""Milliseconds of lateness, a tick, that no network made and that jitter buffers must take for one."""


@asynccontextmanager
async def probing(title: str, spaces: int) -> AsyncGenerator[Probing]:
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
