"""What a server's processes hold in memory, and for how long its event loop answers nobody, seen from outside."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
PAUSE = 0.002
"""Seconds between two looks."""
PATIENCE = 30.0


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def resident(pid: int) -> int:
    """Bytes that a process and its descendants hold in memory."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family(pid))
    return pages * 4096


class MemoryWatch:
    """The largest :func:`resident` of a server from the beginning on."""

    def __init__(self, pid: int) -> None:
        self._pid, self._over = pid, threading.Event()
        self.first = self.most = resident(pid)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End; return the growth in MB of 1,000,000 bytes."""
        self._over.set()
        self._thread.join()
        return max(0, self.most - self.first) / 1e6

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, resident(self._pid))


class LoopWatch:
    """How long one request for ``/healthz`` waits for another, on a connection of its own.

    A look counts with the time it took, but with no more than the CPU time that the server's process used
    meanwhile: what the machine gave to others is not the server's. A server that does not answer within 30 s, or
    hangs up, counts with these 30 s.
    """

    def __init__(self, host: str, port: int, pid: int) -> None:
        self._pid, self._over = pid, threading.Event()
        self._worst = 0.0
        self._connection = socket.create_connection((host, port), PATIENCE)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def take(self) -> float:
        """Seconds of the longest look since the last call."""
        worst, self._worst = self._worst, 0.0
        return worst

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()
        self._connection.close()

    def _look(self) -> None:
        while not self._over.wait(PAUSE):
            used, begun = self._used(), time.perf_counter()
            try:
                self._connection.sendall(REQUEST)
                while b"\r\n\r\n" not in self._connection.recv(4096):
                    continue
            except OSError:  # it answers no more
                self._worst = PATIENCE
                return
            took = time.perf_counter() - begun
            self._worst = max(self._worst, min(took, self._used() - used))

    def _used(self) -> float:
        """CPU seconds of the server's own process, all its threads."""
        total = 0
        for task in Path(f"/proc/{self._pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue  # it has ended in between
        return total / 1e9
