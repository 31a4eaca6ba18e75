"""What a relay costs: CPU and bytes as a function of listeners, joins and voices.

The relay encodes a mix once and sends it to everybody who is silent, so its work is a fixed part (the tick,
one mix, one encode), a part per packet (header, encryption, send), a part per join (offer, ICE, DTLS
handshake) and a part per active talker (decode, and one more mix and encode without their own voice). The
coefficients come from a measured run (``sim.calibrate``); none is assumed here.
"""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import simpy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PTIME_MS = 20.0
"""Milliseconds of sound in one packet, the tick of the relay."""
PACKETS_PER_S = 1000.0 / PTIME_MS
"""Packets per second to one listener while somebody talks."""
WIRE_OVERHEAD = 42
"""Bytes around a UDP payload on Ethernet: 14 Ethernet, 20 IPv4, 8 UDP."""


@dataclass(frozen=True, slots=True)
class CostModel:
    """CPU seconds per unit of work of one relay process, and the size of its packets."""

    base_s: float
    """CPU seconds per second of a live room nobody listens to."""
    packet_s: float
    """CPU seconds per packet sent."""
    join_s: float
    """CPU seconds per session that comes up."""
    talker_s: float
    """CPU seconds per second of one active talker."""
    bytes_per_packet: float
    """UDP payload of one packet."""
    talking: float = 1.0
    """Share of the calibrating time in which packets flowed; below 1 if the relay is quiet when nobody talks."""

    def cpu(self, packets_per_s: ArrayLike, joins_per_s: ArrayLike = 0.0, talkers: ArrayLike = 0.0) -> Floats:
        """Return CPU seconds per second (cores); arguments broadcast."""
        packets, joins, voices = (
            np.asarray(value, dtype=float) for value in (packets_per_s, joins_per_s, talkers)
        )
        return self.base_s + self.packet_s * packets + self.join_s * joins + self.talker_s * voices

    def listeners(self, budget: float, talkers: float = 1.0) -> float:
        """Return how many listeners one relay serves with ``budget`` cores while somebody talks all the time."""
        left = budget - self.base_s - self.talker_s * talkers
        return max(left, 0.0) / (PACKETS_PER_S * self.packet_s)

    def egress_mbit_s(self, listeners: ArrayLike) -> Floats:
        """Return bandwidth on the wire in Mbit/s while somebody talks."""
        per_listener = PACKETS_PER_S * (self.bytes_per_packet + WIRE_OVERHEAD) * 8e-6
        return per_listener * np.asarray(listeners, dtype=float)

    def to_json(self) -> dict[str, Any]:
        """Return the coefficients by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Demand:
    """What comes upon the relays: one entry per second, shape (seconds,) each."""

    listeners: NDArray[np.int64]
    """People who want to listen, connected or still waiting for it."""
    joins: NDArray[np.int64]
    talkers: Floats
    """Mean number of active voices."""
    talking: Floats
    """Share of the second in which anybody talks."""


def serve(demand: Demand, cost: CostModel, relays: int = 1, cores_per_relay: float = 1.0) -> pl.DataFrame:
    """Simulate ``relays`` equal relays that share one room; return one row per second.

    Packets go first: what they leave of the CPU is spent on joins, and joins it does not suffice for wait.
    Columns: ``t`` (s), ``listeners`` (connected), ``waiting`` (joins not served yet), ``joins`` (served),
    ``join_wait_s`` (how long a join made now will wait), ``talkers``, ``packets``, ``bytes``,
    ``cpu_s`` (used by all relays), ``utilisation`` (of the CPU they have), ``late_share`` (of the packets,
    those there was no CPU for).
    """
    if relays < 1 or cores_per_relay <= 0:
        raise ValueError("there must be at least one relay with some CPU")
    env = simpy.Environment()
    pool = _Pool(env, demand, cost, relays, relays * cores_per_relay)
    env.process(pool.crowd())
    env.process(pool.run())
    env.run()
    return pl.DataFrame(pool.rows)


class _Pool:
    """The relays of one room: a crowd process puts joins into the queue, the relays take them out."""

    def __init__(self, env: simpy.Environment, demand: Demand, cost: CostModel, relays: int, cores: float) -> None:
        self._env = env
        self._demand = demand
        self._cost = cost
        self._relays = relays
        self._cores = cores
        self._queue = simpy.Container(env)
        self.rows: list[dict[str, float | int]] = []

    def crowd(self) -> Generator[simpy.Event, None, None]:
        for joins in self._demand.joins.tolist():
            if joins:
                yield self._queue.put(joins)
            yield self._env.timeout(1.0)

    def run(self) -> Generator[simpy.Event, None, None]:
        demand, cost = self._demand, self._cost
        quiet_in_silence = cost.talking < 0.95
        columns = (demand.listeners.tolist(), demand.talkers.tolist(), demand.talking.tolist())
        for second, (wanted, talkers, talking) in enumerate(zip(*columns, strict=True)):
            yield self._env.timeout(0.5)  # after the second's joins are in the queue
            waiting = min(int(self._queue.level), wanted)
            packets = (wanted - waiting) * PACKETS_PER_S * (talking if quiet_in_silence else 1.0)
            # every relay ticks; one mixes for all
            fixed = self._relays * cost.base_s + cost.talker_s * talkers
            streaming = fixed + cost.packet_s * packets
            spare = max(self._cores - streaming, 0.0)
            room = int(spare / cost.join_s) if cost.join_s > 0 else int(self._queue.level)
            served = min(int(self._queue.level), room)
            if served:
                yield self._queue.get(served)
            used = min(streaming, self._cores) + cost.join_s * served
            late = max(streaming - self._cores, 0.0) / streaming if streaming > 0 else 0.0
            left = int(self._queue.level)
            self.rows.append(
                {
                    "t": second + 1.0,
                    "listeners": max(wanted - left, 0),
                    "waiting": left,
                    "joins": served,
                    "join_wait_s": left / room if room else float(left > 0) * np.inf,
                    "talkers": talkers,
                    "packets": round(packets * (1.0 - late)),
                    "bytes": round(packets * (1.0 - late) * cost.bytes_per_packet),
                    "cpu_s": used,
                    "utilisation": used / self._cores,
                    "late_share": late,
                }
            )
            yield self._env.timeout(0.5)
