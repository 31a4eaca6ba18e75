"""The room with one SimPy process per listener: slow, obvious, and what the cohort model is tested against.

It draws each burst as people with delays of their own and lets every listener share by themselves, instead of
counting a crowd second by second. Its law is that of :func:`sim.growth.grow`; its numbers differ only by the
cohort model's whole seconds.
"""

from collections.abc import Generator

import numpy as np
import simpy

from sim.growth import Burst, Growth, Kind, bursts, draw_dwell, draw_turnout
from sim.scenario import Collapse, Scenario
from sim.streams import Purpose, stream


def grow_each(scenario: Scenario, seed: int, *, replication: int = 0, scale: float = 1.0) -> Growth:
    """Simulate the audience of one Space with a process per listener; arguments as for ``grow``."""
    env = simpy.Environment()
    room = _Room(env, scenario, seed, replication)
    for burst in bursts(scenario, scale * draw_turnout(scenario, seed, replication)):
        room.expect(burst)
    for event in scenario.events:
        if isinstance(event, Collapse):
            env.process(room.collapse(event))
    env.run(until=scenario.length_s)
    return room.finish()


class _Room:
    """Everybody who is in the room, and what each of them did."""

    def __init__(self, env: simpy.Environment, scenario: Scenario, seed: int, replication: int) -> None:
        self._env = env
        self._scenario = scenario
        self._rng = stream(seed, Purpose.ARRIVALS, replication)
        self._ended = env.event()
        self._open = True
        self._generation = 0
        self._stays: list[tuple[float, float, int]] = []
        self._present: dict[int, tuple[float, int]] = {}
        self._number = 0

    def expect(self, burst: Burst) -> None:
        """Start one process for everybody whom a burst will bring."""
        delays = burst.median_s * np.exp(burst.sigma * self._rng.standard_normal(self._rng.poisson(burst.size)))
        for delay in delays[burst.start + delays < burst.until]:
            self._env.process(self._visit(burst.start + float(delay), burst.kind))

    def _visit(self, delay: float, kind: Kind) -> Generator[simpy.Event, None, None]:
        generation = self._generation
        yield self._env.timeout(delay)
        shared_before_collapse = kind == Kind.WORD and generation != self._generation
        if self._open and not shared_before_collapse:
            yield from self._listen(kind)

    def _listen(self, kind: Kind) -> Generator[simpy.Event, None, None]:
        env, rng, word = self._env, self._rng, self._scenario.word_of_mouth
        me = self._number = self._number + 1
        self._present[me] = (env.now, kind)
        leave = env.now + float(draw_dwell(rng, self._scenario.dwell, 1)[0])
        share_every = 3600.0 / word.joins_per_listener_hour if word.joins_per_listener_hour else np.inf
        while True:
            share = env.now + float(rng.exponential(share_every)) if np.isfinite(share_every) else np.inf
            until = env.timeout(min(leave, share) - env.now)
            yield until | self._ended
            if me not in self._present:
                return
            if share >= leave:
                break
            env.process(self._visit(float(rng.exponential(word.delay_s)), Kind.WORD))
        came, kind_of = self._present.pop(me)
        self._stays.append((came, env.now - came, kind_of))

    def collapse(self, event: Collapse) -> Generator[simpy.Event, None, None]:
        """Throw everybody out, stay closed, reopen, and let a share of them come back."""
        yield self._env.timeout(event.minute * 60.0)
        thrown_out = len(self._present)
        self._stays += [(came, self._env.now - came, kind) for came, kind in self._present.values()]
        self._present.clear()
        self._open = False
        self._generation += 1
        ended, self._ended = self._ended, self._env.event()
        ended.succeed()
        yield self._env.timeout(event.down_min * 60.0)
        self._open = True
        back = int(self._rng.binomial(thrown_out, event.return_share))
        delays = event.return_median_s * np.exp(event.return_sigma * self._rng.standard_normal(back))
        for delay in delays:
            self._env.process(self._visit(float(delay), Kind.RETURN))

    def finish(self) -> Growth:
        """Return the record, with those who stayed to the end cut at the end."""
        length = self._scenario.length_s
        stays = self._stays + [(came, length - came, kind) for came, kind in self._present.values()]
        table = np.array(stays, dtype=float).reshape(-1, 3)
        table = table[np.argsort(table[:, 0], kind="stable")]
        return Growth(length, table[:, 0], table[:, 1], table[:, 2].astype(np.int8))
