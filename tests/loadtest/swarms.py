"""Locust as a user runs it: a process, what it printed, and the record it left."""

import os
import signal
import subprocess
import sys
import time
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

    def interrupt(self, after: float) -> None:
        """Ctrl-C, some seconds after the record was begun."""
        deadline = time.monotonic() + TIMEOUT
        while not self.folder.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        time.sleep(after)
        self.process.send_signal(signal.SIGINT)

    def put_away(self) -> None:
        """Whatever became of it, nothing is left."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT)
        self._log.close()
