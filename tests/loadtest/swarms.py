"""Locust as a user runs it: a process, what it printed, and the record it left."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from loadtest.lab import LOCUSTFILE
from sim.run import Run

TIMEOUT = 100.0
QUIET = ("--headless", "--only-summary")


class Swarm:
    """Started when made; runs in the background until asked for."""

    def __init__(self, runs: Path, name: str, *flags: str, host: str = "", token: str = "") -> None:
        self.folder = runs / name
        self._log = (runs / f"{name}.log").open("w+")
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *QUIET]
        command += ["--runs", str(runs), "--run-id", name, *(("-H", host) if host else ()), *flags]
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "SPACES_"))
        }
        self.process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**environment, "SPACES_TOKEN": token},
            start_new_session=True,
        )

    def wait(self) -> int:
        """Its exit status."""
        return self.process.wait(TIMEOUT)

    def said(self) -> str:
        """Everything it printed so far."""
        self._log.seek(0)
        return self._log.read()

    def run(self) -> Run:
        """The record, once it has ended."""
        self.wait()
        return Run.load(self.folder)

    def until(self, what: str) -> None:
        """Wait until it has printed that."""
        deadline = time.monotonic() + TIMEOUT
        while what not in self.said():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def family(self) -> dict[int, str]:
        """Its process and all that descend from it: what each was started as, by pid."""
        return family(self.process.pid)

    def put_away(self) -> None:
        """Whatever became of it, nothing is left."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT)
        self._log.close()


def family(pid: int) -> dict[int, str]:
    """A process and all that descend from it: their command lines, by pid."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        with suppress(OSError):
            found[one] = Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ")
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
    return found


def left_of(processes: dict[int, str], seconds: float = 30.0) -> dict[int, str]:
    """Those that are still there after so many seconds; at once if there are none."""
    deadline = time.monotonic() + seconds
    while (left := {pid: name for pid, name in processes.items() if _runs(pid, name)}) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    return left


def _runs(pid: int, name: str) -> bool:
    """Whether it is still that process, and no zombie, whose command line is empty."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") == name
    return False
