"""What every rival is to a benchmark: a process that costs something, and an address where its listeners go."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.engine.engine import Engine
from loadtest.lab import LabError

_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _STIME = 1, 11, 12
"""Places in ``/proc/<pid>/stat`` after the name (proc(5))."""


@dataclass(frozen=True)
class Stage:
    """A server that is up, with sound in it."""

    engine: Engine
    """Whose listeners are to join."""
    whep: str
    """Where they go."""
    pid: int

    def cpu_seconds(self) -> float:
        """CPU that the server has used so far, with all its threads and the processes it has started."""
        return _cpu_seconds(self.pid)


def _cpu_seconds(pid: int) -> float:
    """User and system time in seconds of a process and all that descend from it and live."""
    used: dict[int, float] = {}
    parent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended in between
        parent[int(entry.name)] = int(fields[_PPID])
        used[int(entry.name)] = (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS
    family, total = [pid], 0.0
    while family:
        member = family.pop()
        total += used.get(member, 0.0)
        family += [child for child, of in parent.items() if of == member]
    return total


def program(name: str, advice: str) -> str:
    """Where a program is; :raises LabError: it is not installed, and ``advice`` says how to get it."""
    found = shutil.which(name)
    if found is None:
        raise LabError(f"{name} is not installed: {advice}.")
    return found


@contextmanager
def folder() -> Generator[Path]:
    """A temporary folder for a rival's files."""
    with tempfile.TemporaryDirectory(prefix="spaces-rival-") as name:
        yield Path(name)


@asynccontextmanager
async def engine(host: str) -> AsyncGenerator[Engine]:
    """An engine whose members have sockets of their own at ``host``, an address of this machine, and say so."""
    made = Engine(host=host)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
