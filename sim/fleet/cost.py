"""What a relay costs, as the fleet asks for it: any calibrated model that answers these questions will do."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sim.relay import PACKETS_PER_S, WIRE_OVERHEAD, CostModel


class RelayCost(Protocol):
    """A cost model of one relay process."""

    @property
    def bytes_per_packet(self) -> float:
        """UDP payload of one packet."""
        ...

    def cpu(self, packets_per_s: Any, joins_per_s: Any = 0.0, talkers: Any = 0.0) -> Any:
        """CPU seconds a second (cores); arguments broadcast."""
        ...

    def tick_p99_ms(self, listeners: float, talkers: float = 1.0) -> float:
        """99th percentile of the fan-out time of a tick, in ms."""
        ...


@dataclass(frozen=True, slots=True)
class LinearCost:
    """A :class:`sim.relay.CostModel` with a tick whose p99 is a straight line over the listeners."""

    model: CostModel
    tick_base_ms: float = 0.0
    """Of a tick that sends nothing."""
    tick_listener_us: float | None = None
    """µs of the p99 for one more listener; without it, what a packet costs."""
    cold_s: float = 0.0
    """CPU seconds of each tick in which somebody joins: rare joins find caches that others emptied."""

    @property
    def bytes_per_packet(self) -> float:
        """As the model has it."""
        return self.model.bytes_per_packet

    def cpu(self, packets_per_s: Any, joins_per_s: Any = 0.0, talkers: Any = 0.0) -> Any:
        """As the model has it, and the ticks in which Poisson joins fall."""
        return self.model.cpu(packets_per_s, joins_per_s, talkers) + self.cold_s * joined_ticks(joins_per_s)

    def tick_p99_ms(self, listeners: float, talkers: float = 1.0) -> float:
        """Grows with each listener by what its packet takes."""
        each = self.model.packet_s * 1e3 if self.tick_listener_us is None else self.tick_listener_us * 1e-3
        return self.tick_base_ms + each * listeners


def joined_ticks(joins_per_s: Any) -> Any:
    """Ticks of a second in which at least one of so many Poisson joins falls; broadcasts."""
    return PACKETS_PER_S * -np.expm1(-np.asarray(joins_per_s, dtype=float) / PACKETS_PER_S)


def wire_mbit_s(cost: RelayCost, packets_per_s: float) -> float:
    """Mbit/s on Ethernet of so many packets."""
    return packets_per_s * (cost.bytes_per_packet + WIRE_OVERHEAD) * 8e-6


__all__ = ["PACKETS_PER_S", "LinearCost", "RelayCost", "joined_ticks", "wire_mbit_s"]
