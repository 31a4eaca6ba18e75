"""Which resource of a fleet breaks first, second, third, and at how many listeners.

Each resource is asked by itself: the Space grows, its listeners are placed as the relays place them, and the
knee is the smallest number of listeners at which the worst relay, host or process is over its limit. Knees come
from bisection over whole listeners, because placement fills relays one after the other and no formula follows
that.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial

from sim.fleet.cost import PACKETS_PER_S, RelayCost, wire_mbit_s
from sim.fleet.hosts import Fleet
from sim.fleet.spreading import Spreading
from sim.fleet.units import FleetError

TICK, CORE, JOINS, CARD = "tick p99", "relay core", "join path", "network card"
FILES, MEMORY, API = "open files", "memory", "API"
RESOURCES = (TICK, CORE, JOINS, CARD, FILES, MEMORY, API)
MOST = 100_000_000
"""Listeners beyond which nobody asks; a resource that holds until there has no knee."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one listener asks for in the worst second, and the stage."""

    joins_per_listener_s: float = 0.02
    """Joins a second for each listener of the peak (?)."""
    calls_per_listener_s: float = 0.005
    """API calls a second of each listener: reactions, requests, reads (?)."""
    events_per_listener_s: float = 0.5
    """Events a second on each listener's stream; ``bench events`` finds 1.9 in a storm of reactions (?)."""
    streams_per_listener: float = 1.0
    """Connections that each listener holds at the server: a page reads events."""
    talkers: float = 1.0
    packets_per_s: float = PACKETS_PER_S
    """To each listener; 25 with packets of 40 ms."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When each resource counts as broken."""

    tick_p99_ms: float = 18.0
    """Of the 20 ms between two ticks (``bench fanout``)."""
    core_share: float = 0.65
    """Of a relay's core while it streams."""
    joins_share: float = 0.9
    """Of a relay's core and of a process of the control plane, with all they do, in the second of most joins."""
    card_share: float = 0.65
    files_share: float = 0.9
    """Of the connections that a process may hold."""
    memory_share: float = 0.8
    api_share: float = 0.65
    """Of a process of the control plane, with calls and events alone."""
    relay_bytes: float = 170e6
    """Resident memory of a relay without sessions; ``bench start`` finds 281 MB for it and the server."""
    listener_bytes: float = 16.6e3
    """Of one more listener on a relay (``bench memory``, README)."""

    def __post_init__(self) -> None:
        """Refuse what is no limit; :raises FleetError: which, in one sentence."""
        for name, value in asdict(self).items():
            if not 0 < value < float("inf") or (name.endswith("_share") and value > 1):
                rule = "more than 0 and at most 1" if name.endswith("_share") else "more than 0"
                raise FleetError(f"the limit {name} is {value:g}; it must be {rule}")


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A resource and where it breaks."""

    resource: str
    """One of :data:`RESOURCES`."""
    listeners: int | None
    """The smallest number of them that breaks it; None if :data:`MOST` do not."""
    where: str
    """Which relay, host or process."""


def bottlenecks(fleet: Fleet, load: Load, limits: Limits, cost: RelayCost) -> tuple[Bottleneck, ...]:
    """Every resource of the fleet, the one that breaks first in front."""
    found: list[Bottleneck] = []
    for resource in RESOURCES:
        over = partial(_is_over, fleet, load, limits, cost, resource)
        knee = _first(over)
        where = usage(fleet, load, limits, cost, knee or 1)[resource][1]
        found.append(Bottleneck(resource, knee, where))
    return tuple(sorted(found, key=lambda each: MOST + 1 if each.listeners is None else each.listeners))


def usage(
    fleet: Fleet, load: Load, limits: Limits, cost: RelayCost, listeners: int
) -> Mapping[str, tuple[float, str]]:
    """What each resource uses of its limit (1 is at the limit), and where it is worst.

    A process of the control plane that is full is named after what takes more of it, joins or calls with events.
    """
    space = Spreading(fleet.relays, fleet.listeners_per_relay)
    space.join(listeners)
    relays = _relays(fleet, space, load, limits, cost)
    hosts: dict[int, tuple[float, float]] = {}
    for relay, each in relays.items():
        mbit, held = hosts.get(fleet.host_of(relay), (0.0, 0.0))
        hosts[fleet.host_of(relay)] = mbit + each.mbit_s, held + each.bytes
    mbit, held = hosts.get(0, (0.0, 0.0))
    control = fleet.control
    hosts[0] = mbit, held + control.processes * control.base_bytes + control.session_bytes * listeners
    slowest = max(relays, key=lambda relay: relays[relay].tick_ms)
    busiest = max(relays, key=lambda relay: relays[relay].core)
    fullest = max(hosts, key=lambda host: hosts[host][0])
    largest = max(hosts, key=lambda host: hosts[host][1])
    calls = control.cpu(0.0, load.calls_per_listener_s * listeners, load.events_per_listener_s * listeners)
    joins = control.cpu(load.joins_per_listener_s * listeners)
    both = (calls + joins) / control.processes / limits.joins_share
    connections = control.processes * control.connections(fleet.host.open_files)
    return {
        TICK: (relays[slowest].tick_ms / limits.tick_p99_ms, f"relay {slowest}"),
        CORE: (relays[busiest].core, f"relay {busiest}"),
        JOINS: (both if joins >= calls else joins / control.processes / limits.joins_share, "control plane"),
        CARD: (hosts[fullest][0] / (limits.card_share * fleet.host.nic_mbit_s), f"host {fullest}"),
        FILES: (load.streams_per_listener * listeners / (limits.files_share * connections), "control plane"),
        MEMORY: (hosts[largest][1] / (limits.memory_share * fleet.host.memory_bytes), f"host {largest}"),
        API: (max(calls / control.processes / limits.api_share, both if calls > joins else 0.0), "control plane"),
    }


@dataclass(frozen=True, slots=True)
class _Relay:
    core: float
    """Share of what its core may do, streaming or with joins, whichever is more."""
    tick_ms: float
    mbit_s: float
    bytes: float


def _relays(fleet: Fleet, space: Spreading, load: Load, limits: Limits, cost: RelayCost) -> dict[int, _Relay]:
    """What each relay does; equal ones are computed once."""
    known: dict[tuple[int, int, int], _Relay] = {}
    links = space.links
    found: dict[int, _Relay] = {}
    for relay, sessions in space.loads.items():
        home = relay == space.home
        fed = len(links) if home else 0
        outside = sum(fleet.host_of(other) != fleet.host_of(relay) for other in links) if home else 0
        key = sessions, fed, outside
        if key not in known:
            talkers = load.talkers if home else 0.0
            packets = load.packets_per_s * sessions + PACKETS_PER_S * fed
            streaming = float(cost.cpu(packets, 0.0, talkers)) / limits.core_share
            pouring = float(cost.cpu(packets, load.joins_per_listener_s * sessions, talkers)) / limits.joins_share
            known[key] = _Relay(
                core=max(streaming, pouring),
                tick_ms=float(cost.tick_p99_ms(packets / PACKETS_PER_S, talkers)),
                mbit_s=wire_mbit_s(cost, load.packets_per_s * sessions + PACKETS_PER_S * outside),
                bytes=limits.relay_bytes + limits.listener_bytes * sessions,
            )
        found[relay] = known[key]
    return found


def _is_over(fleet: Fleet, load: Load, limits: Limits, cost: RelayCost, resource: str, listeners: int) -> bool:
    return usage(fleet, load, limits, cost, listeners)[resource][0] > 1.0


def _first(over: Callable[[int], bool]) -> int | None:
    """The smallest whole number that is over, by doubling and bisection; None if none up to :data:`MOST` is."""
    high = 1
    while not over(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if over(middle) else (middle, high)
    return high
