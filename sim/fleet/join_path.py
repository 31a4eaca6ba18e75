"""Joins through the processes they need: how long each takes, and how many a second the path sustains.

A join is worked on by four stages, one after the other: the client writes an offer, the server checks rights and
asks a relay, the relay answers and shakes hands, the client checks the handshake. A stage holds its process, which
has one thread, and a core. Between people's devices there is nothing to share; the clients of a load test are one
process on the relay's machine, and have to be part of a model of that test.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import ArrayLike, NDArray

from sim.fleet.units import FleetError

Floats = NDArray[np.float64]
TICK_S = 0.02
"""A relay sends every 20 ms: a listener who is ready hears the next tick."""
Steps = Generator[simpy.Event, None, None]


@dataclass(frozen=True, slots=True)
class JoinPath:
    """CPU seconds of one join in each process, and the machine they share."""

    server_s: float = 1.25e-3
    """Of the server's process (twin.md §1)."""
    relay_s: float = 1.3e-3
    """Of the relay's process: 2.5 to 3.0 ms of all processes (``bench join``), less the server's."""
    client_s: float = 0.0
    """Of the one process that all clients of a load test share; 0 for people."""
    latency_s: float = 0.0
    """Round trips and timers, in which no process of this machine works."""
    servers: int = 1
    relays: int = 1
    cores: int | None = None
    """That all these processes share; None if each has its own."""
    clients_apart: bool = False
    """The clients of a load test have a core of their own."""
    busy: float = 0.0
    """Cores of those that streams and the rest of the machine use meanwhile."""

    def __post_init__(self) -> None:
        """Refuse a path that nobody can take; :raises FleetError: why not, in one sentence."""
        if min(self.server_s, self.relay_s, self.client_s, self.latency_s, self.busy) < 0 or self.work_s <= 0:
            raise FleetError("a join must cost some time in its processes, and none less than 0")
        if min(self.servers, self.relays) < 1 or (self.cores is not None and self.cores - self.busy <= 0):
            raise FleetError("a join needs a server, a relay and some of a core that is not busy")

    @property
    def work_s(self) -> float:
        """CPU seconds of a join in all processes."""
        return self.server_s + self.relay_s + self.client_s

    @property
    def slowdown(self) -> float:
        """How many times longer a stage takes because the machine does other things."""
        return 1.0 if self.cores is None else self.cores / (self.cores - self.busy)

    @property
    def limit(self) -> float:
        """Joins a second that fill the narrowest process, or the cores."""
        each = [self.server_s / self.servers, self.relay_s / self.relays]
        shared = self.work_s - (self.client_s if self.clients_apart else 0.0)
        each += [] if self.cores is None else [shared / self.cores]
        apart = self.client_s if self.clients_apart else self.client_s * self.slowdown
        return 1.0 / max(max(each) * self.slowdown, apart)


class Processes:
    """The processes of a path in one simulated world; each does one thing at a time."""

    def __init__(self, env: simpy.Environment, path: JoinPath) -> None:
        self._env, self._path = env, path
        self._cores = simpy.Resource(env, path.cores) if path.cores is not None else None
        self._server = simpy.Resource(env, path.servers)
        self._relays = [simpy.Resource(env, 1) for _ in range(path.relays)]
        self._client = simpy.Resource(env, 1)

    def join(self, relay: int, until_tick_s: float) -> Steps:
        """Take a listener to the first packet from ``relay``."""
        path = self._path
        yield from self._work(self._client, path.client_s / 2)
        yield from self._work(self._server, path.server_s)
        yield from self._work(self._relays[relay], path.relay_s)
        yield from self._work(self._client, path.client_s / 2)
        yield self._env.timeout(path.latency_s + until_tick_s)

    def refuse(self) -> Steps:
        """Ask the server, and be told that the relay has ended."""
        yield from self._work(self._client, self._path.client_s / 2)
        yield from self._work(self._server, self._path.server_s)

    def _work(self, process: simpy.Resource, seconds: float) -> Steps:
        if not seconds:
            return
        with process.request() as turn:
            yield turn
            if self._cores is None or (process is self._client and self._path.clients_apart):
                yield self._env.timeout(seconds)
            else:
                with self._cores.request() as core:
                    yield core
                    yield self._env.timeout(seconds * self._path.slowdown)


def first_packets(path: JoinPath, arrivals: ArrayLike, seed: int, relays: Sequence[int] | None = None) -> Floats:
    """Seconds from the request to the first packet, for each arrival (s): shape (joins,).

    ``relays``: the relay that each join gets; without it, each relay in turn.
    """
    times = np.asarray(arrivals, dtype=float)
    rng = np.random.default_rng(seed)
    ticks = rng.uniform(0.0, TICK_S, len(times)).tolist()
    places = [number % path.relays for number in range(len(times))] if relays is None else relays
    env = simpy.Environment()
    processes = Processes(env, path)
    took = np.zeros(len(times))

    def listener(number: int, arrival: float) -> Steps:
        yield env.timeout(arrival)
        yield from processes.join(places[number], ticks[number])
        took[number] = env.now - arrival

    for number, arrival in enumerate(times.tolist()):
        env.process(listener(number, arrival))
    env.run()
    return took


def sustained(path: JoinPath, joins: int, offered_per_s: float, seed: int) -> float:
    """Joins a second when so many come evenly: their number over the time to the last first packet.

    Counted as ``bench join`` counts ``joins_per_s``.
    """
    arrivals = np.arange(joins) / offered_per_s
    return joins / float((arrivals + first_packets(path, arrivals, seed)).max())
