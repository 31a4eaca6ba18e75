"""What the media thread does: wake every 20 ms on an absolute schedule, and serve the port in between.

One thread owns all media state, so nothing is locked. A due tick comes before everything else; between ticks,
timers, commands of the control plane and datagrams take turns in small steps, so that a storm of joins makes
joins slower and not the sound late.

Waking up costs more than what one datagram has to say, so the thread looks at its sockets at most every
:data:`GATHER` seconds and reads everything that has come by then.
"""

import logging
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

from media.relay.core import RelayCore
from media.relay.ticker import TICK
from media.rtc.inbox import Inbox

logger = logging.getLogger(__name__)

BEHIND_MAX = 10 * TICK
"""A schedule further behind than this is given up and started anew: 200 ms of sound would come in one burst."""
GATHER = 0.002
"""Seconds between two looks at the sockets while there is little to do. What comes in between is not urgent: sound
waits for the tick, and a handshake has two round trips of network."""
LAST_LOOK = 0.001
"""Seconds that a tick waits for what has come before it to be read."""
_TURN = 8
"""Datagrams in a row before timers and commands have their turn."""
_LATE_WINDOW = 50
"""Ticks in which the largest lateness is looked for: 1 s."""


class Desk(Protocol):
    """Where commands of the control plane arrive."""

    @property
    def ended(self) -> bool:
        """No more commands will come, and the relay is to end."""
        ...

    @property
    def unsent(self) -> bool:
        """There is something for the other end."""
        ...

    def fileno(self) -> int:
        """Becomes readable when there is a command."""
        ...

    def serve(self) -> bool:
        """Deal with one command if there is one, without waiting; True if there may be more."""
        ...

    def flush(self) -> None:
        """Give the other end what there is for it, as far as it has room."""
        ...


class MediaLoop:
    """Runs a :class:`RelayCore` on a bound, non-blocking UDP socket until :meth:`stop`."""

    def __init__(
        self,
        sock: socket.socket,
        core: RelayCore,
        desk: Desk,
        after_tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``after_tick`` is called with the number of sessions, when there is most time."""
        self._socket = sock
        self._core = core
        self._desk = desk
        self._after_tick = after_tick
        self._inbox = Inbox()
        self._stopping = False
        self._looked = 0.0
        self._datagrams = self._letters = False
        """There may be some to read."""
        self._mixed = 0.0
        self._worst = 0.0
        self._cpu_before = 0.0

    def warm(self) -> None:
        """Compile or load the kernels; call before :meth:`run`."""
        self._inbox.warm()
        self._core.warm()

    def stop(self) -> None:
        """Have :meth:`run` end all sessions and return, at the next tick at the latest; from anywhere."""
        self._stopping = True

    def run(self) -> None:
        """The loop; the thread that calls it is the media thread."""
        core, desk = self._core, self._desk
        self._cpu_before = time.thread_time()
        next_tick = time.monotonic() + TICK
        while not (self._stopping or desk.ended):
            now = time.monotonic()
            if now >= next_tick:
                next_tick = self._tick(now, next_tick)
                if time.monotonic() < next_tick:
                    continue
                self._wait(0.0)  # ticks that take all the time must not keep a mute out
            if core.next_timer <= now:
                self._guarded(core.handle_timers, now)
            if self._letters:
                self._letters = desk.serve()
            if self._datagrams:
                self._datagrams = self._read(next_tick)
                self._letters |= self._datagrams  # a crowd at the port must not keep commands out
            if desk.unsent:
                desk.flush()
            if not (self._letters or self._datagrams):
                self._wait(min(next_tick, core.next_timer))
        core.close()

    def _tick(self, now: float, due: float) -> float:
        """Run the tick that was due; returns when the next one is."""
        stats = self._core.stats
        late = now - due
        stats.stages["tick late"].observe(late)
        self._worst = max(self._worst, late)
        if late > BEHIND_MAX:
            stats.ticks_skipped += int(late / TICK)
            due = now
        self._look_once_more(now + LAST_LOOK)
        self._mixed = due
        self._guarded(self._core.tick, self._socket.fileno(), due, time.time())
        self._after_tick(self._core.sessions)
        stats.cpu_seconds = time.thread_time() - self._cpu_before
        if stats.ticks % _LATE_WINDOW == 0:
            stats.tick_late_max, self._worst = self._worst, 0.0
        return due + TICK

    def _read(self, deadline: float) -> bool:
        """Serve some datagrams, but no longer than ``deadline``; True if there may be more."""
        inbox = self._inbox
        if not self._through_the_door(deadline):
            return False
        for _ in range(_TURN):
            now = time.monotonic()
            if not inbox or now >= deadline:
                break
            self._take(now)
        return bool(inbox) or inbox.full

    def _through_the_door(self, deadline: float) -> bool:
        """Have something in the inbox that the door has looked at; False if there is nothing."""
        inbox, fd = self._inbox, self._socket.fileno()
        if not inbox and not inbox.fill(fd):
            return False
        if inbox.unseen:
            self._guarded(self._core.serve, inbox, fd, time.monotonic(), deadline, time.time(), self._mixed)
        return True

    def _take(self, now: float) -> None:
        """One datagram, at the time of its arrival; if it has missed a tick by being read late, at this time.

        Else a jitter buffer would believe that it was in time, and never wait longer.
        """
        inbox = self._inbox
        datagram, source, opened = inbox.pop()
        arrival = inbox.arrival if inbox.arrival > self._mixed else now
        self._guarded(self._core.receive, datagram, source, arrival, opened)

    def _look_once_more(self, deadline: float) -> None:
        """Read what has come before the tick, of those who may have a part in it."""
        inbox = self._inbox
        while self._through_the_door(deadline):
            while inbox.known and (now := time.monotonic()) < deadline:
                self._take(now)
            if inbox or not inbox.full or time.monotonic() >= deadline:
                return

    def _wait(self, until: float) -> None:
        """Wait for something to read, and at least until :data:`GATHER` has passed since the last time."""
        pause = min(self._looked + GATHER, until) - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        full = [self._desk] if self._desk.unsent else []
        left = max(0.0, until - time.monotonic())
        readable, _, _ = select.select([self._socket, self._desk], full, [], left)
        self._looked = time.monotonic()
        self._datagrams, self._letters = self._socket in readable, self._desk in readable

    def _guarded(self, step: Callable[..., None], *arguments: object) -> None:
        """One step; what it raises is a bug, is counted and logged, and ends neither thread nor sound."""
        try:
            step(*arguments)
        except Exception:
            self._core.stats.faults += 1
            logger.exception("the media thread goes on after a fault in %s", getattr(step, "__name__", step))
