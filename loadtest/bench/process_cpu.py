"""CPU time of the processes of a test, read from outside: the server, each of its relays, and this one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU seconds that all threads of a process have used, those of threads that have ended left out."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue  # it has ended in between
    return total / 1e9


def relay_processes(server: int) -> list[int]:
    """Process ids of a server's relays, in the order in which they were started."""
    return [child for child in _children(server) if b"media.relay" in Path(f"/proc/{child}/cmdline").read_bytes()]


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds of each process so far, or between two looks."""

    server: float
    relays: tuple[float, ...]
    client: float
    """Of this process."""

    @staticmethod
    def read(server: int) -> "Cpu":
        """Look at a server, its relays and this process."""
        relays = tuple(cpu_seconds(relay) for relay in relay_processes(server))
        return Cpu(cpu_seconds(server), relays, cpu_seconds(os.getpid()))

    def __sub__(self, other: "Cpu") -> "Cpu":
        relays = tuple(one - before for one, before in zip(self.relays, other.relays, strict=True))
        return Cpu(self.server - other.server, relays, self.client - other.client)

    def scaled(self, factor: float) -> "Cpu":
        """Every part so many times as much."""
        return Cpu(self.server * factor, tuple(each * factor for each in self.relays), self.client * factor)

    @property
    def total(self) -> float:
        """All of them."""
        return self.server + sum(self.relays) + self.client


def _children(process: int) -> Iterator[int]:
    yield from map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
