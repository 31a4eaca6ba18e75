"""Who talks when: conversational speech after ITU-T P.59.

Two models, for two needs. :func:`talk_spurts` is one synthetic voice on its own: what a load generator plays.
:func:`converse` is a stage of open microphones that listen to each other, in SimPy: what decides how many
voices a relay mixes at once and how much of the time nobody talks.

P.59 describes two parties: single talk, double talk and mutual silence last -0.854 ln x, -0.226 ln x and
-0.456 ln x seconds; single talk turns into double talk with probability 0.4, else into silence; out of double
talk and silence either party goes on with equal chance. That is 70 % single talk, 7.4 % double, 22.5 % silence.
More microphones keep the three mean times (people who wait for each other do not fall silent for a shorter
time because there are more of them; no source, grade ?), and a further voice breaks into double talk at the
rate at which a second one breaks into single talk (grade ?). With 13 microphones three or more then talk
0.5 % of the time.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.scenario import Talk

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TALK_S = 1.004
"""Mean talk-spurt in seconds (ITU-T P.59, table 1)."""
PAUSE_S = 1.587
"""Mean pause in seconds (ITU-T P.59, table 1): 38.5 % activity."""


def talk_spurts(
    rng: np.random.Generator, duration: float, talk_s: float = TALK_S, pause_s: float = PAUSE_S
) -> Floats:
    """Return the talk-spurts of one voice on its own: shape (n, 2), start and length in seconds, sorted.

    Spurts and pauses are exponential and alternate. The first second is like any other: with probability
    talk / (talk + pause) the voice is in the middle of a spurt at 0. Spurts lie within [0, ``duration``].
    """
    if duration <= 0 or talk_s <= 0 or pause_s <= 0:
        raise ValueError(
            f"duration, talk_s and pause_s are {duration}, {talk_s}, {pause_s}; they must be positive"
        )
    talking = bool(rng.random() < talk_s / (talk_s + pause_s))
    clock = 0.0 if talking else float(rng.exponential(pause_s))
    parts: list[Floats] = []
    while clock < duration:
        count = int((duration - clock) / (talk_s + pause_s) * 1.2) + 8
        lengths = rng.exponential(talk_s, count)
        gaps = rng.exponential(pause_s, count)
        ends = clock + np.cumsum(lengths + gaps)
        starts = np.concatenate(([clock], ends[:-1]))
        parts.append(np.column_stack((starts, lengths)))
        clock = float(ends[-1])
    spurts = np.concatenate(parts) if parts else np.empty((0, 2))
    spurts = spurts[spurts[:, 0] < duration]
    spurts[:, 1] = np.minimum(spurts[:, 1], duration - spurts[:, 0])
    return spurts


@dataclass(frozen=True, slots=True)
class Conversation:
    """A finished conversation as a step function: from ``times[i]`` on, ``talkers[i]`` voices are active."""

    duration: float
    times: Floats
    talkers: Ints
    spurts: tuple[Floats, ...]
    """Per microphone: shape (n, 2), start and length in seconds."""

    def fractions(self) -> Floats:
        """Return the share of time with 0, 1, 2, ... active voices; shape (most voices at once + 1,)."""
        spans = np.diff(self.times, append=self.duration)
        return np.bincount(self.talkers, weights=spans) / self.duration

    def per_second(self) -> tuple[Floats, Floats]:
        """Return for every whole second the mean number of active voices and the share with any at all."""
        seconds = int(np.ceil(self.duration))
        voices = _mean_over_seconds(self.times, self.talkers.astype(float), self.duration, seconds)
        anybody = _mean_over_seconds(self.times, (self.talkers > 0).astype(float), self.duration, seconds)
        return voices, anybody


def converse(rng: np.random.Generator, duration: float, talk: Talk) -> Conversation:
    """Simulate ``duration`` seconds of a stage with ``talk.open_microphones`` open microphones."""
    env = simpy.Environment()
    stage = _Stage(env, rng, talk)
    env.process(stage.run())
    env.run(until=duration)
    return stage.finish(duration)


class _Stage:
    """The floor that the microphones share; one SimPy process moves it from state to state."""

    def __init__(self, env: simpy.Environment, rng: np.random.Generator, talk: Talk) -> None:
        self._env = env
        self._rng = rng
        self._talk = talk
        self._since: dict[int, float] = {}
        self._silent = list(range(talk.open_microphones))
        self._spurts: list[list[tuple[float, float]]] = [[] for _ in self._silent]
        self._times = [0.0]
        self._counts = [0]

    def _rates(self) -> tuple[float, float]:
        """Return how often per second, in the present state, somebody starts and somebody stops."""
        talk, active = self._talk, len(self._since)
        if talk.open_microphones == 1:
            return (1.0 / talk.pause_s, 0.0) if active == 0 else (0.0, 1.0 / talk.talk_s)
        interrupt = talk.interrupt_share / talk.single_s if self._silent else 0.0
        if active == 0:
            return 1.0 / talk.silence_s, 0.0
        if active == 1:
            return interrupt, (1.0 - talk.interrupt_share) / talk.single_s
        return interrupt, active / (2.0 * talk.double_s)

    def run(self) -> Generator[simpy.Event, None, None]:
        while True:
            start, stop = self._rates()
            yield self._env.timeout(float(self._rng.exponential(1.0 / (start + stop))))
            if self._rng.random() * (start + stop) < start:
                microphone = self._silent.pop(int(self._rng.integers(len(self._silent))))
                self._since[microphone] = self._env.now
            else:
                microphone = list(self._since)[int(self._rng.integers(len(self._since)))]
                begun = self._since.pop(microphone)
                self._spurts[microphone].append((begun, self._env.now - begun))
                self._silent.append(microphone)
            self._times.append(self._env.now)
            self._counts.append(len(self._since))

    def finish(self, duration: float) -> Conversation:
        for microphone, begun in self._since.items():
            self._spurts[microphone].append((begun, duration - begun))
        return Conversation(
            duration=duration,
            times=np.array(self._times),
            talkers=np.array(self._counts, dtype=np.int64),
            spurts=tuple(np.array(spurts, dtype=float).reshape(-1, 2) for spurts in self._spurts),
        )


def _mean_over_seconds(times: Floats, levels: Floats, duration: float, seconds: int) -> Floats:
    """Average a step function over each whole second; the last second may be short."""
    edges = np.minimum(np.arange(seconds + 1, dtype=float), duration)
    area = np.concatenate(([0.0], np.cumsum(np.diff(times, append=duration) * levels)))
    at_edges = np.interp(edges, np.append(times, duration), area)
    return np.diff(at_edges) / np.diff(edges)
