"""A thread that does things at the right moment: the clock of the probes.

An event loop's timers are whole milliseconds, rounded up; a probe's figures are fractions of one. Like the relay's
media thread it sleeps in ``select``, to the microsecond, until something is due or a datagram is there.
"""

import heapq
import itertools
import os
import select
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Action = Callable[[], None]


class Clockwork(threading.Thread):
    """Runs what is due, on ``time.monotonic``. Everything but :meth:`call` is for its own thread.

    ``failure`` is what ended it before its time; whoever waits for a result looks there.
    """

    def __init__(self) -> None:
        super().__init__(name="probes", daemon=True)
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._readers: dict[int, Action] = {}
        self._commands: deque[Action] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._stopping = False
        self.failure: BaseException | None = None
        self._late = array("d")

    def call(self, command: Action) -> None:
        """Have ``command`` done on this thread, soon; from any thread."""
        self._commands.append(command)
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End it; what is still due is not done."""
        self.call(lambda: setattr(self, "_stopping", True))
        self.join()
        os.close(self._wake)

    def late(self, since: int = 0) -> NDArray[np.float64]:
        """Seconds by which each thing was done after it was due, without the first ``since``; from any thread."""
        return np.array(self._late[since:])  # a slice first: numpy would hold the array while it grows

    def at(self, due: float, action: Callable[[float], None]) -> None:
        """Do ``action`` at ``due``, which it is given."""
        heapq.heappush(self._heap, (due, next(self._order), action))

    def watch(self, fd: int, reader: Action) -> None:
        """Call ``reader`` when there is something to read."""
        self._readers[fd] = reader

    def unwatch(self, fd: int) -> None:
        """No more."""
        self._readers.pop(fd, None)

    def run(self) -> None:
        """The loop."""
        try:
            while not self._stopping:
                self._turn()
        except BaseException as error:
            self.failure = error
            raise

    def _turn(self) -> None:
        while self._heap and (now := time.monotonic()) >= self._heap[0][0]:
            due, _, action = heapq.heappop(self._heap)
            self._late.append(now - due)
            action(due)
        left = max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None
        for fd in select.select([*self._readers, self._wake], [], [], left)[0]:
            if fd == self._wake:
                os.eventfd_read(self._wake)
            elif reader := self._readers.get(fd):
                reader()
        while self._commands:
            self._commands.popleft()()
