"""What each relaxation of a fleet saves: one change at a time, in listeners and in hosts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.fleet.bottlenecks import Limits, Load, bottlenecks, usage
from sim.fleet.cost import PACKETS_PER_S, RelayCost
from sim.fleet.hosts import Fleet
from sim.fleet.units import FleetError

HOSTS_MOST = 1024
"""Hosts beyond which a plan is refused."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One change and what it brings."""

    change: str
    listeners: int
    """That the fleet then serves before anything breaks."""
    gain: int
    """Listeners more than without it."""
    first: str
    """The resource that then breaks first."""
    hosts_saved: int | None
    """Hosts fewer for the same target; None without a target, or if no number of hosts reaches it."""


Change = Callable[[Fleet, Load], tuple[Fleet, Load]]
CHANGES: dict[str, Change] = {
    "one core more a host": lambda fleet, load: (
        replace(fleet, host=replace(fleet.host, cores=fleet.host.cores + 1)),
        load,
    ),
    "a card twice as fast": lambda fleet, load: (
        replace(fleet, host=replace(fleet.host, nic_mbit_s=2 * fleet.host.nic_mbit_s)),
        load,
    ),
    "twice the open files": lambda fleet, load: (
        replace(fleet, host=replace(fleet.host, open_files=2 * fleet.host.open_files)),
        load,
    ),
    "twice the memory": lambda fleet, load: (
        replace(fleet, host=replace(fleet.host, memory_bytes=2 * fleet.host.memory_bytes)),
        load,
    ),
    "a join at half its cost": lambda fleet, load: (
        replace(fleet, control=replace(fleet.control, join_s=fleet.control.join_s / 2)),
        load,
    ),
    "half as many joins a second": lambda fleet, load: (
        fleet,
        replace(load, joins_per_listener_s=load.joins_per_listener_s / 2),
    ),
    "half as many calls and events": lambda fleet, load: (
        fleet,
        replace(
            load,
            calls_per_listener_s=load.calls_per_listener_s / 2,
            events_per_listener_s=load.events_per_listener_s / 2,
        ),
    ),
    "packets of 40 ms": lambda fleet, load: (fleet, replace(load, packets_per_s=PACKETS_PER_S / 2)),
    "spread from half as many sessions a relay": lambda fleet, load: (
        replace(fleet, listeners_per_relay=max(1, fleet.listeners_per_relay // 2)),
        load,
    ),
}
"""One at a time; each is a change that an operator or the code could make."""


def relaxations(
    fleet: Fleet, load: Load, limits: Limits, cost: RelayCost, target: int | None = None
) -> tuple[Relaxation, ...]:
    """Every change, the one that gains the most listeners in front; ``target``: listeners to be served."""
    before = _served(fleet, load, limits, cost)[0]
    needed = hosts_for(fleet, load, limits, cost, target) if target else None
    found: list[Relaxation] = []
    for change, make in CHANGES.items():
        changed, asked = make(fleet, load)
        listeners, first = _served(changed, asked, limits, cost)
        saved = None
        if target and needed is not None:
            after = hosts_for(changed, asked, limits, cost, target)
            saved = None if after is None else needed - after
        found.append(Relaxation(change, listeners, listeners - before, first, saved))
    return tuple(sorted(found, key=lambda each: -each.gain))


def hosts_for(fleet: Fleet, load: Load, limits: Limits, cost: RelayCost, target: int) -> int | None:
    """The fewest hosts that serve so many listeners before anything breaks; None if no number of them does."""
    hosts = 1
    while hosts <= HOSTS_MOST and not _serves(fleet, hosts, load, limits, cost, target):
        hosts *= 2
    if hosts > HOSTS_MOST:
        return None
    low, high = hosts // 2, hosts
    while high - low > 1:
        middle = (low + high) // 2
        served = _serves(fleet, middle, load, limits, cost, target)
        low, high = (low, middle) if served else (middle, high)
    return high


def _serves(fleet: Fleet, hosts: int, load: Load, limits: Limits, cost: RelayCost, target: int) -> bool:
    try:
        used = usage(replace(fleet, hosts=hosts), load, limits, cost, target)
    except FleetError:
        return False  # too few cores
    return max(share for share, _ in used.values()) <= 1.0


def _served(fleet: Fleet, load: Load, limits: Limits, cost: RelayCost) -> tuple[int, str]:
    """Listeners before anything breaks, and what then does."""
    first = bottlenecks(fleet, load, limits, cost)[0]
    if first.listeners is None:
        raise FleetError("nothing of the fleet breaks; give limits that can be reached")
    return first.listeners - 1, first.resource
