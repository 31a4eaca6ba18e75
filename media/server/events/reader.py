"""What one subscriber has still to be sent: a queue with an end, so that nobody slow costs others anything."""

from collections import deque
from collections.abc import Callable
from typing import Final

LIMIT: Final = 256 * 1024
"""Bytes that may wait for one subscriber, beside what its connection holds; a busy minute of a Space is less."""


class Reader:
    """The queue of one subscriber.  No I/O: a channel puts in, a connection is woken and takes out."""

    def __init__(self, person: str | None, limit: int = LIMIT) -> None:
        """Take who reads, None for somebody anonymous."""
        self.person = person
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to take, or the end has come."""
        self.cut: Callable[[], None] = lambda: None
        """Called when the reader is too slow, and its connection is to end at once."""
        self.finished = False
        """Whether the stream ends when all that waits is sent."""
        self.dropped = False
        """Whether the reader was too slow; nothing is sent any more."""
        self.since = 0.0
        """When the oldest of what waits was put in, on the clock of :meth:`put`."""
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
        return self.finished or self.dropped

    def put(self, frame: bytes, now: float) -> None:
        """Queue a frame; one that does not fit drops the reader, with all that waits."""
        if self.over:
            return
        if self._bytes + len(frame) > self._limit:
            self.dropped = True
            self._waiting.clear()
            self._bytes = 0
            self.cut()
        else:
            if not self._waiting:
                self.since = now
            self._waiting.append(frame)
            self._bytes += len(frame)
        self.wake()

    def take(self) -> bytes:
        """Return all that waits; a single frame is not copied."""
        waiting = self._waiting
        taken = waiting.popleft() if len(waiting) == 1 else b"".join(waiting)
        waiting.clear()
        self._bytes = 0
        return taken

    def leave(self) -> None:
        """Note that nobody is there to be sent anything."""
        self.dropped = True
        self._waiting.clear()
        self._bytes = 0
        self.wake()

    def finish(self) -> None:
        """End the stream after what waits."""
        self.finished = True
        self.wake()
