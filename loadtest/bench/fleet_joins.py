"""Joins at the limit: how many a second a path sustains, foretold from slower joins, then measured.

Server and relay have the first core, the clients the others, as in ``join``. A join costs less the more there are
(:mod:`loadtest.bench.saturation`): its cost is taken at three rates up to about half of the limit, and the path is
asked what it sustains with what that says of a busy core. Then more come than it can take.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.progress import Progress

from loadtest.bench.join import WARM, WARM_RATE, one_core
from loadtest.bench.process_cpu import Cpu
from loadtest.bench.saturation import cost_when_busy
from loadtest.bench.stand import Stand, bar, join_all, now, stand
from sim.fleet.join_path import TICK_S, JoinPath, sustained

SLOW = 80.0
"""Joins a second at which the cost is taken first."""
FASTER = (0.7, 1.0)
"""Then, as a share of those that would fill the core at this cost."""
OFFERED = 1.5
"""Times the limit that comes in the flood."""
SEED = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What joins cost at one rate."""

    rate: float
    each: Cpu
    """CPU seconds of a join."""
    idle: float
    """Cores of server and relays while nobody joins."""
    first_packet_s: float
    """Median."""

    @property
    def work(self) -> float:
        """CPU seconds of a join on the core that server and relays share."""
        return self.each.server + sum(self.each.relays)


async def run(joins: int, idle_s: float) -> dict[str, Any]:
    """``joins_limit`` foretold and measured, and by how much they differ; ``idle_s``: of each look at idling."""
    path, foretold, measured = await measure(joins, idle_s)
    return {
        "joins_limit_planned": foretold,
        "joins_limit_measured": measured,
        "error_join_limit": abs(foretold - measured) / measured,
        "join_server_ms": 1e3 * path.server_s,
        "join_relay_ms": 1e3 * path.relay_s,
        "join_client_ms": 1e3 * path.client_s,
    }


async def measure(joins: int, idle_s: float) -> tuple[JoinPath, float, float]:
    """The path, and joins a second at its limit, foretold and measured."""
    async with stand("join limit", 0) as built:
        with bar() as progress, one_core(built.server.pid):
            await join_all(built, WARM, WARM_RATE, progress)
            costs = [await _cost(built, joins // 6, SLOW, idle_s, progress)]
            full = 1.0 / costs[0].work
            for share in FASTER:
                costs.append(await _cost(built, joins // 4, share * full, idle_s, progress))
            path = fitted(costs)
            offered = OFFERED * path.limit
            foretold = sustained(path, joins, offered, SEED)
            begun = now()
            await join_all(built, joins, offered, progress)
            measured = joins / (now() - begun)
    return path, foretold, measured


def fitted(costs: Sequence[Cost]) -> JoinPath:
    """The path at its limit: each process at the cost that it has when its core is always busy."""
    served = [min(1.0, each.rate * each.work + each.idle) for each in costs]
    asked = [min(1.0, each.rate * each.each.client) for each in costs]
    path = JoinPath(
        server_s=cost_when_busy([each.each.server for each in costs], served),
        relay_s=cost_when_busy([sum(each.each.relays) for each in costs], served),
        client_s=cost_when_busy([each.each.client for each in costs], asked),
        cores=1,
        clients_apart=True,
        busy=min(0.9, costs[-1].idle),
    )
    alone = costs[-1].each.total + TICK_S / 2
    return replace(path, latency_s=max(0.0, costs[-1].first_packet_s - alone))


async def _cost(built: Stand, joins: int, rate: float, idle_s: float, progress: Progress) -> Cost:
    """Take it, less what is used while nobody joins."""
    before = await _idle(built, idle_s)
    begun, start = now(), Cpu.read(built.server.pid)
    timings = await join_all(built, joins, rate, progress)
    used, elapsed = Cpu.read(built.server.pid) - start, now() - begun
    after = await _idle(built, idle_s)
    idle = _mean(before, after)
    each = (used - idle.scaled(elapsed)).scaled(1.0 / joins)
    return Cost(
        rate,
        each,
        after.server + sum(after.relays),
        float(np.median([timing.first_packet_ms for timing in timings])) / 1e3,
    )


async def _idle(built: Stand, seconds: float) -> Cpu:
    """Cores of each process while nobody joins."""
    begun, start = now(), Cpu.read(built.server.pid)
    await asyncio.sleep(seconds)
    return (Cpu.read(built.server.pid) - start).scaled(1.0 / (now() - begun))


def _mean(one: Cpu, other: Cpu) -> Cpu:
    relays = tuple((a + b) / 2 for a, b in zip(one.relays, other.relays, strict=True))
    return Cpu((one.server + other.server) / 2, relays, (one.client + other.client) / 2)
