"""A bottleneck made to happen: listeners join step by step until a resource is over its limit.

Tick, core, join path, card and memory are watched in every step, not only the one that the plan names: what breaks
first of them is what the measurement says. Knees of continuous use are where the straight line through the steps
reaches the limit; those of refusals and losses lie between the last step without and the first with them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from rich.progress import Progress
from scipy.stats import theilslopes

from loadtest.bench.process_cpu import Cpu
from loadtest.bench.stand import Stand, join_all, now, stand
from loadtest.bench.watch import resident
from sim.fleet.bottlenecks import CARD, CORE, JOINS, MEMORY, TICK, Bottleneck, Limits, Load, bottlenecks
from sim.fleet.cost import RelayCost, wire_mbit_s
from sim.fleet.hosts import Fleet

SPEAKERS = 1
LOST = 0.01
"""Share of packets lost from which on a card counts as full."""
FROM, TO, STEPS = 0.75, 1.3, 12
"""Of the planned knee, where the steps begin and where they end; and how many they are."""
JOIN_RATE = 100.0
CARD_JOIN_RATE = 20.0
"""Joins a second on a slow card, which carries their HTTP too."""
QUIET = 1.0
"""Seconds after the last join of a step before anything counts."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet, what is asked of it, and how to bring it about here."""

    name: str
    fleet: Fleet
    load: Load
    limits: Limits
    options: tuple[str, ...] = ()
    """Of the server."""
    prefix: tuple[str, ...] = ()
    card_mbit_s: float | None = None
    """To which the card is shaped; None if it is not."""

    def first(self, cost: RelayCost) -> Bottleneck:
        """What the plan says breaks first."""
        return bottlenecks(self.fleet, self.load, self.limits, cost)[0]


@dataclass(slots=True)
class Steps:
    """Use of each resource (1 is at the limit) at each number of listeners."""

    listeners: list[int] = field(default_factory=list[int])
    used: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, listeners: int, used: Mapping[str, float]) -> None:
        """Book a step."""
        self.listeners.append(listeners)
        for resource, share in used.items():
            self.used.setdefault(resource, []).append(share)

    def knee(self, resource: str) -> float | None:
        """Listeners at which a resource reaches its limit; None if it did not."""
        used = np.array(self.used[resource])
        over = np.flatnonzero(used > 1.0)
        if not len(over):
            return None
        if resource == CARD:
            first = int(over[0])
            return float(np.mean(self.listeners[max(first - 1, 0) : first + 1]))
        slope, start = line(self.listeners, used)
        return (1.0 - start) / slope if slope > 0 else float(self.listeners[int(over[0])])

    def first(self) -> tuple[str, float]:
        """The resource with the smallest knee, and that; "" if none has one."""
        knees = {resource: knee for resource in self.used if (knee := self.knee(resource)) is not None}
        return min(knees.items(), key=lambda each: each[1], default=("", 0.0))


def line(sizes: ArrayLike, seen: ArrayLike) -> tuple[float, float]:
    """Slope and start of the line that most pairs of points agree on (Theil, 1950; Sen, JASA 63, 1968).

    A tick that met somebody else's work must not move it.
    """
    slope, start = np.asarray(theilslopes(seen, sizes))[:2].tolist()
    return slope, start


def step_sizes(knee: float) -> Sequence[int]:
    """Numbers of listeners around a knee, each at least one more than the one before."""
    sizes = np.linspace(FROM * knee, TO * knee, STEPS).round().astype(int)
    return sorted({max(1, size) for size in sizes.tolist()})


async def ramp(case: Case, cost: RelayCost, knee: int, dwell: float, progress: Progress) -> Steps:
    """Let listeners join up to a third beyond the planned knee, and look at every resource."""
    steps = Steps()
    async with stand(case.name, SPEAKERS, options=case.options, prefix=case.prefix) as built:
        task = progress.add_task(case.name, total=STEPS)
        there = 0
        for listeners in step_sizes(knee):
            quiet = Progress(disable=True)
            rate = JOIN_RATE if case.card_mbit_s is None else CARD_JOIN_RATE
            await join_all(built, listeners - there, rate, quiet)
            there = listeners
            await asyncio.sleep(QUIET)
            steps.add(listeners, await look(built, case, cost, dwell))
            progress.advance(task)
            if steps.used[CARD][-1] > 1.0:
                break  # a full card lets nobody in
    return steps


async def look(built: Stand, case: Case, cost: RelayCost, dwell: float) -> dict[str, float]:
    """Use of each resource, as a share of its limit."""
    limits, host = case.limits, case.fleet.host
    await asyncio.to_thread(built.probe.row)
    before, cpu, begun = built.engine.totals(), Cpu.read(built.server.pid), now()
    await asyncio.sleep(dwell)
    spent, seconds, after = Cpu.read(built.server.pid) - cpu, now() - begun, built.engine.totals()
    await asyncio.to_thread(built.probe.row)
    expected = after["expected"] - before["expected"]
    lost = 1.0 - (after["received"] - before["received"]) / max(expected, 1)
    filled = wire_mbit_s(cost, expected / seconds) / (limits.card_share * host.nic_mbit_s)
    return {
        TICK: (built.probe.stage_ms("fan-out", 0.99) or 0.0) / limits.tick_p99_ms,
        CORE: max(spent.relays) / seconds / limits.core_share,
        JOINS: spent.server / seconds / limits.joins_share,
        CARD: lost / LOST if case.card_mbit_s is not None else filled,
        MEMORY: resident(built.server.pid) / (limits.memory_share * host.memory_bytes),
    }
