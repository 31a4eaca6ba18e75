"""What one subscriber has still to be sent: a queue with an end, so that nobody slow costs others anything."""

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from media.server.events.frame import HEARTBEAT

BYTES: Final = 256 * 1024
"""That may wait for one subscriber, beside what its connection holds; a busy minute of a Space is less."""
AGE: Final = 20.0
"""Seconds that something may wait; who is later than that is better served by a new beginning."""
BEAT: Final = 15.0
"""Seconds without an event after which a comment is sent."""


class Reader:
    """The queue of one subscriber.  No I/O, no clock: a channel puts in, a connection is woken and takes out."""

    def __init__(self, person: str | None, *, until: float = math.inf, limit: int = BYTES) -> None:
        """Take who reads, None for somebody anonymous, and when the right to it ends (Unix seconds)."""
        self.person = person
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to take, or the end has come."""
        self.cut: Callable[[], None] = lambda: None
        """Called when the reader is too slow, and its connection is to end at once."""
        self.finished = False
        """Whether the stream ends when all that waits is sent."""
        self.dropped = False
        """Whether the reader was too slow; nothing is sent any more."""
        self.gone = False
        """Whether nobody is there any more."""
        self.since = 0.0
        """When the oldest of what waits was put in (Unix seconds)."""
        self._latest = 0.0
        self._until = until
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._bytes = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    @property
    def over(self) -> bool:
        """Whether nothing can be put in any more."""
        return self.finished or self.dropped or self.gone

    def put(self, frame: bytes, now: float) -> None:
        """Queue a frame; a reader for whom it is too much is dropped, with all that waits."""
        if self.over:
            return
        if self._waiting and (self._bytes + len(frame) > self._limit or now - self.since > AGE):
            self.dropped = True
            self._clear()
            self.cut()
        else:
            if not self._waiting:
                self.since = now
            self._latest = now
            self._waiting.append(frame)
            self._bytes += len(frame)
        self.wake()

    def take(self) -> bytes:
        """Return all that waits; a single frame is not copied."""
        taken = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._clear()
        return taken

    def tick(self, now: float, wall: float | None = None) -> None:
        """End the stream when its right ends, and let a silent one be heard.

        :param wall: Unix seconds, by which rights end, where ``now`` counts on through a step of the clock
        """
        if (now if wall is None else wall) >= self._until:
            self.finish()
        elif now - self._latest >= BEAT:
            self.put(HEARTBEAT, now)

    def finish(self) -> None:
        """End the stream after what waits."""
        self.finished = True
        self.wake()

    def leave(self) -> None:
        """Note that nobody is there to be sent anything."""
        self.gone = True
        self._clear()
        self.wake()

    def _clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0
