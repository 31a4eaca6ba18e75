"""The wall clock of the Spaces: one task that wakes when the next grace time or cool-down is over."""

import asyncio
import contextlib
from typing import Final

from media.server.spaces import Spaces
from media.space.space import Space

LOOK: Final = 1.0
"""Seconds between two looks at whether the clock of the machine was set."""


class Timers:
    """Calls ``handle_timer`` of every Space in time."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces
        self._deadline: float | None = None
        self._sooner = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        spaces.on_timer_changed = self._changed

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def fire(self) -> None:
        """Do what is due now, and find out when something is due next."""
        self._spaces.follow_clock()
        for space in self._spaces.in_memory:
            due = space.next_timer()
            if due is not None and due <= self._spaces.clock():
                self._spaces.note(space.id, Space.handle_timer)
        times = [t for s in self._spaces.in_memory if (t := s.next_timer()) is not None]
        self._deadline = min(times, default=None)

    def _changed(self, space: Space) -> None:
        due = space.next_timer()
        if due is not None and (self._deadline is None or due < self._deadline):
            self._deadline = due
            self._sooner.set()

    async def _run(self) -> None:
        while True:
            self._sooner.clear()
            wait = LOOK if self._deadline is None else min(LOOK, max(0.0, self._deadline - self._spaces.clock()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), wait)
                continue  # the deadline moved
            if self._spaces.follow_clock() or (
                self._deadline is not None and self._deadline <= self._spaces.clock()
            ):
                self.fire()
