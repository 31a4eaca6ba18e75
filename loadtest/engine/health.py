"""The generator's own health: a swarm that cannot keep up must not blame the relay."""

import asyncio
import threading
import time
from pathlib import Path

LAG_PROBE = 0.05
"""Seconds between two looks at how late the event loop is."""


def rcvbuf_errors(snmp: str | None = None) -> int:
    """UDP datagrams this network namespace dropped because a receive buffer was full, since it exists.

    ``snmp`` is the text of Linux's ``/proc/net/snmp``, read anew if not given.
    """
    lines = (snmp or Path("/proc/net/snmp").read_text()).splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index("RcvbufErrors")])


class Health:
    """CPU of the busiest thread, lag of the event loop, and full receive buffers, each since it was last asked."""

    def __init__(self) -> None:
        self._lag = 0.0
        self._task: asyncio.Task[None] | None = None
        self._asked = time.monotonic()
        self._cpu: dict[int, float] = {}
        self._errors = rcvbuf_errors()

    def start(self) -> None:
        """Begin to watch the running event loop; what was imported and compiled before does not count."""
        self.take_cpu()
        self._task = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Cease to watch."""
        if self._task:
            self._task.cancel()

    def take_cpu(self) -> float:
        """Share of a core (0..1) that the busiest thread used: the one that saturates first."""
        now, busiest = time.monotonic(), 0.0
        cpu = {thread.ident: _cpu_seconds(thread.ident) for thread in threading.enumerate() if thread.ident}
        for ident, seconds in cpu.items():
            busiest = max(busiest, seconds - self._cpu.get(ident, 0.0))
        elapsed, self._asked, self._cpu = now - self._asked, now, cpu
        return busiest / elapsed if elapsed > 0 else 0.0

    def take_lag(self) -> float:
        """Largest lag of the event loop in seconds."""
        lag, self._lag = self._lag, 0.0
        return lag

    def take_rcvbuf_errors(self) -> int:
        """Datagrams lost to full receive buffers, on this whole host."""
        before, self._errors = self._errors, rcvbuf_errors()
        return self._errors - before

    async def _watch(self) -> None:
        while True:
            due = time.monotonic() + LAG_PROBE
            await asyncio.sleep(LAG_PROBE)
            self._lag = max(self._lag, time.monotonic() - due)


def _cpu_seconds(ident: int) -> float:
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(ident))
    except OSError:  # the thread ended in between
        return 0.0
