"""The time of the server: Unix time for what people see and agree on, and a count that no step of it can stretch.

An operator, or NTP after a boot, may set the clock of the machine by an hour. Appointments, tokens and what is
shown go by the clock as it is then: :meth:`Clock.__call__`. What lasts so and so long does not: a Space that is
told of the step moves its deadlines along (:meth:`Clock.step`, :meth:`media.space.space.Space.shift`), and event
streams, payments and attendance count by :meth:`Clock.steady`.
"""

import time
from collections.abc import Callable
from typing import Final

JUMP: Final = 1.0
"""Seconds between Unix time and monotonic time that are a step; what is less is slewed by NTP, and followed."""


class Clock:
    """Unix time and monotonic time of one machine, held against each other."""

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._began = wall() - monotonic()

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self._wall()

    def steady(self) -> float:
        """Return seconds that never jump: Unix seconds, as if the clock had not been set since the start."""
        return self._began + self._monotonic()

    def step(self) -> float:
        """Return by how many seconds the clock was set since the last call; 0 for less than :data:`JUMP`."""
        offset = self._wall() - self._monotonic()
        step, self._offset = offset - self._offset, offset
        return step if abs(step) >= JUMP else 0.0


def clock_of(clock: Callable[[], float]) -> Clock:
    """Return a clock as it is, or one of a source that is never set."""
    return clock if isinstance(clock, Clock) else Clock(clock, clock)
