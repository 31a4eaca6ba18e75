"""The media thread: wakes every 20 ms on an absolute schedule, and serves the port in between.

One thread owns all media state, so nothing is locked. A due tick comes before everything else; between ticks,
timers, commands of the control plane and datagrams take turns in small steps, so that a storm of joins makes
joins slower and not the sound late.
"""

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from media.relay.core import TICK, RelayCore
from media.rtc.inbox import Inbox

logger = logging.getLogger(__name__)

BEHIND_MAX = 10 * TICK
"""A schedule further behind than this is given up and started anew: 200 ms of sound would come in one burst."""
_TURN = 8
"""Datagrams in a row before timers and commands have their turn."""
_LATE_WINDOW = 50
"""Ticks in which the largest lateness is looked for: 1 s."""


class MediaThread(threading.Thread):
    """Runs a :class:`RelayCore` on a bound, non-blocking UDP socket until :meth:`stop`."""

    def __init__(
        self, sock: socket.socket, core: RelayCore, after_tick: Callable[[int], None] = lambda _: None
    ) -> None:
        """``after_tick`` runs on this thread with the number of sessions, when there is most time."""
        super().__init__(name="media", daemon=True)
        self._socket = sock
        self._core = core
        self._after_tick = after_tick
        self._inbox = Inbox()
        self._commands: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self._stopping = False
        self._worst = 0.0

    def warm(self) -> None:
        """Compile or load the kernels; call before :meth:`start`."""
        self._inbox.warm()
        self._core.warm()

    def call(self, command: Callable[[], None]) -> None:
        """Have ``command`` run on this thread, soon; from any thread."""
        self._commands.append(command)
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End all sessions and the thread; returns when it is done."""
        self.call(self._finish)
        self.join()
        os.close(self._wake)

    def run(self) -> None:
        """The loop."""
        core = self._core
        next_tick = time.monotonic() + TICK
        while not self._stopping:
            now = time.monotonic()
            if now >= next_tick:
                next_tick = self._tick(now, next_tick)
                continue
            if core.next_timer <= now:
                self._guarded(core.handle_timers, now)
            if self._commands:
                self._guarded(self._commands.popleft())
            elif not self._read(next_tick):
                self._wait(min(next_tick, core.next_timer))

    def _tick(self, now: float, due: float) -> float:
        """Run the tick that was due; returns when the next one is."""
        stats = self._core.stats
        late = now - due
        stats.stages["tick late"].observe(late)
        self._worst = max(self._worst, late)
        if late > BEHIND_MAX:
            stats.ticks_skipped += int(late / TICK)
            due = now
        self._guarded(self._core.tick, self._socket.fileno(), due, time.time())
        self._after_tick(stats.sessions)
        stats.cpu_seconds = time.thread_time()
        if stats.ticks % _LATE_WINDOW == 0:
            stats.tick_late_max, self._worst = self._worst, 0.0
        return due + TICK

    def _read(self, deadline: float) -> bool:
        """Serve some datagrams, but no longer than ``deadline``; False if there were none."""
        inbox = self._inbox
        if not inbox and not inbox.fill(self._socket.fileno()):
            return False
        if inbox.unseen:
            own = (inbox, self._socket.fileno(), time.monotonic(), deadline, time.time())
            self._guarded(self._core.serve, *own)
        for _ in range(_TURN):
            now = time.monotonic()
            if not inbox or now >= deadline:
                break
            datagram, source, opened = inbox.pop()
            self._guarded(self._core.receive, datagram, source, now, opened)
        return True

    def _wait(self, until: float) -> None:
        ready, _, _ = select.select([self._socket, self._wake], [], [], max(0.0, until - time.monotonic()))
        if self._wake in ready:
            os.eventfd_read(self._wake)

    def _guarded(self, step: Callable[..., None], *arguments: object) -> None:
        """One step; what it raises is a bug, is counted and logged, and ends neither thread nor sound."""
        try:
            step(*arguments)
        except Exception:
            self._core.stats.faults += 1
            logger.exception("the media thread goes on after a fault in %s", getattr(step, "__name__", step))

    def _finish(self) -> None:
        self._core.close()
        self._stopping = True
