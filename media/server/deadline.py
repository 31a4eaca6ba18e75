"""A deadline that is put off with every request, and costs the event loop a timer only once in a while."""

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """Calls when it has passed.

    To put it off is one assignment: a timer that is due too early looks again. Only an earlier deadline needs
    another timer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop, self._passed = loop, passed
        self._timer: asyncio.TimerHandle | None = None
        self._at = math.inf

    @property
    def left(self) -> float:
        """Seconds until it passes."""
        return self._at - self._loop.time()

    def set(self, seconds: float) -> None:
        """Let it pass after so many seconds from now; infinity for never."""
        self._at = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and self._at < math.inf:
            self._timer = self._loop.call_at(self._at, self._look)

    def cancel(self) -> None:
        """Let it never pass."""
        self._at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._at == math.inf:
            return
        if self.left > 0:
            self._timer = self._loop.call_at(self._at, self._look)
        else:
            self._at = math.inf
            self._passed()
