"""An evening over the relays of a fleet: who is where in each second, and what the worst relay-second costs.

Listeners join where the pool's rules place them, and leave at random: each is as likely to go as any other, so
those who go are spread over the relays as a multivariate hypergeometric draw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.fleet.cost import PACKETS_PER_S, RelayCost, wire_mbit_s
from sim.fleet.hosts import Fleet
from sim.fleet.spreading import Counts, Spreading
from sim.relay import Demand

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evening:
    """Sessions and joins of each relay in each second: shape (seconds, relays) each."""

    sessions: Counts
    """At the end of the second, those who speak included."""
    joins: Counts
    leaves: Counts
    links: Counts
    """Cascade links that each relay feeds."""
    home: NDArray[np.bool_]
    talkers: Floats
    """Mean number of active talkers: shape (seconds,)."""
    talking: Floats
    """Share of the second in which anybody talks: shape (seconds,)."""

    def packets(self, always: bool) -> Floats:
        """Packets a second of each relay; ``always``: also in silence, as comfort noise."""
        return PACKETS_PER_S * (self.during + self.links) * self._share(always)

    @property
    def during(self) -> Floats:
        """Sessions in the mean of each second: half-way between its beginning and its end."""
        before = np.vstack((np.zeros((1, self.sessions.shape[1]), dtype=np.int64), self.sessions[:-1]))
        return (before + self.sessions) / 2

    def cpu(self, cost: RelayCost, always: bool = True, leave_s: float = 0.0) -> Floats:
        """Cores of each relay in each second; the home alone hears the talkers.

        ``leave_s``: CPU seconds of a session that ends.
        """
        talkers = self.talkers[:, np.newaxis] * self.home
        cpu = np.asarray(cost.cpu(self.packets(always), self.joins, talkers), dtype=np.float64)
        return cpu + leave_s * self.leaves

    def worst(self, cost: RelayCost, always: bool = True, leave_s: float = 0.0) -> tuple[float, int, int]:
        """The most cores that a relay uses in a second, which second (from 0) and which relay."""
        cpu = self.cpu(cost, always, leave_s)
        second, relay = np.unravel_index(int(cpu.argmax()), cpu.shape)
        return float(cpu[second, relay]), int(second), int(relay)

    def card_mbit_s(self, fleet: Fleet, cost: RelayCost, always: bool = True) -> Floats:
        """Mbit/s out of each host's card in each second, cascade links left out: shape (seconds, hosts)."""
        out = np.zeros((len(self.sessions), fleet.hosts))
        sent = PACKETS_PER_S * self.during * self._share(always)
        for relay in range(fleet.relays):
            out[:, fleet.host_of(relay)] += wire_mbit_s(cost, 1.0) * sent[:, relay]
        return out

    def _share(self, always: bool) -> Floats:
        """Of each second in which packets flow: shape (seconds, 1)."""
        talking = np.asarray(self.talking, dtype=np.float64)[:, np.newaxis]
        return np.ones_like(talking) if always else talking


def spread_evening(demand: Demand, fleet: Fleet, seed: int, speakers: int = 0) -> Evening:
    """Place an evening's listeners second by second; ``demand`` says how many there are and how many join.

    ``speakers`` are on the home from the beginning to the end.
    """
    space = Spreading(fleet.relays, fleet.listeners_per_relay)
    space.seat(speakers)
    rng = np.random.default_rng(seed)
    shape = len(demand.listeners), fleet.relays
    sessions, joins, leaves, links = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    home = np.zeros(shape, dtype=np.bool_)
    for second, (wanted, coming) in enumerate(zip(demand.listeners.tolist(), demand.joins.tolist(), strict=True)):
        for relay, count in space.join(coming).items():
            joins[second, relay] = count
        there = space.sessions(fleet.relays)
        there[space.home] -= speakers
        going = int(there.sum()) - wanted
        if going > 0:
            left = rng.multivariate_hypergeometric(there, going)
            leaves[second] = left
            space.leave(dict(enumerate(left.tolist())))
        sessions[second] = space.sessions(fleet.relays)
        links[second, space.home] = len(space.links)
        home[second, space.home] = True
    return Evening(sessions, joins, leaves, links, home, demand.talkers, demand.talking)
