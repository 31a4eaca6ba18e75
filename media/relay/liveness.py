"""Whether a relay's process has stopped answering: its silence, as far as it could have spoken.

A process that is stopped or waits for ever is silent, and so is one on a machine that is overloaded or stands
still. Only the first is to be ended. So time does not count in which the process waited for a CPU or a disk, or in
which whoever watches stood still as well.
"""

from dataclasses import dataclass
from pathlib import Path

LOOK = 0.25
"""Seconds between two looks, and between two questions to a process that says nothing by itself."""
SILENCE = 1.5
"""Seconds of silence after which a relay that was ready is given up; its media thread answers between ticks."""
STARTING_SILENCE = 20.0
"""Seconds for one that starts, however long that takes: while it compiles it speaks every second."""
COMPILING_SILENCE = 60.0
"""Seconds for one that was ready and has said that it must compile a kernel all the same."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the kernel says of a process's main thread."""

    running: float = 0.0
    """Seconds on a CPU so far."""
    waited: float = 0.0
    """Seconds that it was able to run and had to wait for a CPU, so far."""
    state: str = "S"
    """One letter: R runs or could, S sleeps, D waits for a disk, T is stopped, Z has ended (proc(5))."""


def state_of(pid: int) -> ProcessState:
    """Read ``/proc``; a process that is gone sleeps."""
    try:
        running, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return ProcessState()
    return ProcessState(int(running) / 1e9, int(waited) / 1e9, state)


class Liveness:
    """Driven by whoever watches: :meth:`heard` for each sign of life, :meth:`look` every :data:`LOOK` seconds."""

    def __init__(self, now: float, limit: float) -> None:
        """``limit`` is in seconds of silence."""
        self.limit = limit
        self.silent = 0.0
        """Seconds without a sign of life that count."""
        self._looked = now
        self._before = ProcessState()

    def heard(self) -> None:
        """The process has said something."""
        self.silent = 0.0

    def look(self, now: float, process: ProcessState) -> bool:
        """Count the time since the last look; True if the process is to be given up."""
        passed, self._looked = min(now - self._looked, 2 * LOOK), now
        before, self._before = self._before, process
        waits_for_cpu = process.state == "R" and process.running == before.running
        if process.state != "D" and not waits_for_cpu:
            self.silent += max(0.0, passed - (process.waited - before.waited))
        return self.silent >= self.limit
