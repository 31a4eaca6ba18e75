"""A relay is killed: its listeners notice the silence, join again through the join path, and hear again.

The others hear on, unless it was the home of the Space: then they wait until it is mixed elsewhere. Where the
sessions go is the pool's own rule (:mod:`sim.fleet.spreading`).
"""

from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from media.relay.restarts import restart_delay
from sim.fleet.join_path import TICK_S, JoinPath, Processes, Steps
from sim.fleet.spreading import Spreading
from sim.fleet.units import FleetError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Retry:
    """When a listener tries again: the wait doubles up to the longest, and a share of it is chance.

    As the page does it (``media/web/backoff.js``).
    """

    first_s: float = 0.5
    longest_s: float = 15.0
    chance: float = 0.5
    """A wait is between 1 - chance and all of it."""

    def wait(self, tries: int, draw: float) -> float:
        """Seconds before the next try after ``tries`` others; ``draw`` is uniform in [0, 1)."""
        return min(self.longest_s, self.first_s * 2.0**tries) * (1.0 - self.chance * draw)


@dataclass(frozen=True, slots=True)
class Outage:
    """What happens around the kill, in seconds after it."""

    patience_s: float = 1.0
    """Of silence after which a listener joins again (?); a browser's consent check takes 15 s (RFC 7675)."""
    noticed_s: float = 0.05
    """When the server knows; a join before that may be sent to the dead relay (?)."""
    start_s: float = 2.0
    """That a relay takes to start again; ``bench start`` finds 2.1 s for it and the server."""
    moved_s: float = 0.1
    """When a Space whose home was lost is mixed elsewhere, counted from ``noticed_s`` (?)."""

    def __post_init__(self) -> None:
        """Refuse times that there cannot be; :raises FleetError: in one sentence."""
        if min(self.patience_s, self.noticed_s, self.start_s, self.moved_s) < 0:
            raise FleetError("times after a relay's end must be 0 or more seconds")


@dataclass(frozen=True, slots=True)
class Failover:
    """What the listeners of the killed relay went through, and the others."""

    silence_s: Floats
    """From the kill to the first packet of the new session, one entry for each listener of the dead relay."""
    attempts: int
    """Joins, refused ones included."""
    others_s: float
    """Silence of everybody else: 0, or until the Space has another home."""
    placed: dict[int, int]
    """Relay to the sessions it took over."""
    back_s: float
    """When the killed relay lives again."""

    @property
    def p50_s(self) -> float:
        """Median silence of those who lost their relay; 0 if nobody was on it."""
        return float(np.median(self.silence_s)) if len(self.silence_s) else 0.0


def fail_over(
    space: Spreading,
    relay: int,
    path: JoinPath,
    outage: Outage,
    retry: Retry,
    seed: int,
    failures: int = 0,
) -> Failover:
    """Kill a relay of a Space at time 0 and follow its listeners; ``space`` is changed as it goes.

    ``failures``: how often the relay has ended in a row before. ``path.relays`` must be those of the Space, the
    dead one included.
    """
    env = simpy.Environment()
    processes = Processes(env, path)
    rng = np.random.default_rng(seed)
    home = relay == space.home
    lost = space.lose(relay)
    back = outage.noticed_s + restart_delay(failures) + outage.start_s
    silence, placed, attempts = np.zeros(lost), dict[int, int](), 0

    def listener(number: int, phase: float, draws: NDArray[np.float64]) -> Steps:
        nonlocal attempts
        yield env.timeout(outage.patience_s + phase)
        tries = 0
        while env.now < outage.noticed_s or not space.loads:
            attempts += 1
            yield from processes.refuse()
            yield env.timeout(retry.wait(tries, float(draws[tries % len(draws)])))
            tries += 1
        attempts += 1
        ((place, _),) = space.join(1).items()
        placed[place] = placed.get(place, 0) + 1
        yield from processes.join(place, float(draws[-1]) * TICK_S)
        silence[number] = env.now

    def restart() -> Steps:
        yield env.timeout(back)
        space.restart(relay)

    env.process(restart())
    for number in range(lost):
        env.process(listener(number, float(rng.uniform(0.0, TICK_S)), rng.uniform(size=8)))
    env.run()
    others = outage.noticed_s + outage.moved_s if home else 0.0
    return Failover(silence, attempts, others, placed, back)
