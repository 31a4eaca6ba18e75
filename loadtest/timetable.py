"""When each synthetic listener comes and goes: an audience is an open loop, Locust a closed one.

Locust's users are only seats here. A user in a seat takes the next arrival from the timetable, waits for its time,
listens as long as that person would, leaves, and takes the next; the shape sees to it that there are always seats
enough. So joins come when the model says, however long the ones before them took.
"""

from dataclasses import dataclass

import numpy as np

from sim.schedule import Schedule

SPARE_SEATS = 1.1
"""Seats per person present: for those who are still leaving when the next one comes."""
LOOK_AHEAD = 3.0
"""Seconds before they are needed that seats are made."""


@dataclass(frozen=True)
class Arrival:
    """One person's visit, in seconds since the run began."""

    at: float
    stay: float


class Timetable:
    """The arrivals of one worker: every ``workers``-th of the schedule's, beginning with number ``worker``."""

    def __init__(self, schedule: Schedule, worker: int = 0, workers: int = 1) -> None:
        order = np.argsort(schedule.arrival_s, kind="stable")[worker::workers]
        self._arrivals = list(
            zip(schedule.arrival_s[order].tolist(), schedule.dwell_s[order].tolist(), strict=True)
        )
        self._next = 0

    def __len__(self) -> int:
        return len(self._arrivals) - self._next

    def take(self) -> Arrival | None:
        """The next arrival; None if nobody comes any more."""
        if self._next == len(self._arrivals):
            return None
        self._next += 1
        return Arrival(*self._arrivals[self._next - 1])


def seats(schedule: Schedule, at: float) -> int:
    """Seats wanted ``at`` seconds into the run: enough for everyone who was or soon will be there at once."""
    times, present = schedule.steps()
    soon = int(np.searchsorted(times, at + LOOK_AHEAD, side="right"))
    return int(np.ceil(SPARE_SEATS * int(present[:soon].max(initial=0)))) + 1


@dataclass(frozen=True)
class Steps:
    """A staircase: so many listeners for so long, then the next number."""

    listeners: tuple[int, ...]
    seconds: float
    """Of each step, the climb included."""

    def at(self, seconds: float) -> int | None:
        """How many are wanted; None when the staircase has ended."""
        step = int(seconds / self.seconds)
        return self.listeners[step] if step < len(self.listeners) else None

    @staticmethod
    def parse(text: str, seconds: float) -> "Steps":
        """``100,200,400``; :raises ValueError: in one sentence."""
        try:
            listeners = tuple(int(part) for part in text.split(","))
        except ValueError:
            raise ValueError(f"--steps takes numbers of listeners with commas between, not {text!r}") from None
        if any(count < 1 for count in listeners) or not seconds > 0:
            raise ValueError("--steps and --step-time take numbers above 0")
        return Steps(listeners, seconds)
