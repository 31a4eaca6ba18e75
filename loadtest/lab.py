"""A relay and a swarm on this machine, started and stopped by a notebook or by ``make plan``.

Both run as processes of their own, as a planner would run them by hand: ``python -m media`` and ``locust``. Both
end with the process that started them, also when that is killed.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from loadtest.status import EXIT_FAILURES, EXIT_INVALID
from loadtest.with_parent import bound
from sim.run import Run, new_run_id

STOP_TIMEOUT = 15.0
"""Seconds a server has to end by itself."""
RECORD_TIMEOUT = 60.0
"""Seconds a swarm has to write its record and to end the Space."""
LOCUSTFILE = Path(__file__).parent / "locustfile.py"
RAIDFILE = Path(__file__).parent / "raid" / "locustfile.py"


class LabError(RuntimeError):
    """A server or a swarm that did not do its work; the message ends with what it said last."""


@dataclass(frozen=True)
class Server:
    """A relay with its server, ready."""

    base: str
    """Where it answers HTTP, for example ``http://127.0.0.1:43215``."""
    token: str
    """An admin token."""
    pid: int
    data: str = ""
    """Its folder."""


@contextmanager
def server(*options: str, prefix: Sequence[str] = ()) -> Generator[Server]:
    """Run ``python -m media`` on free loopback ports, with its data in a temporary folder, and further options.

    ``prefix``: a command that runs another with limits of its own, for example ``prlimit --nofile=128``.
    """
    with tempfile.TemporaryDirectory(prefix="spaces-lab-") as folder:
        port, log = free_port(), Path(folder) / "server.log"
        command = [*prefix, sys.executable, "-m", "media", "--port", str(port), "--data", folder, *options]
        with process(command, log) as running:
            base = f"http://127.0.0.1:{port}"
            _wait_until_ready(running, base, log)
            yield Server(base, admin_token(folder), running.pid, folder)


def admin_token(folder: str) -> str:
    """A token that the server with its data in ``folder`` takes as an admin's."""
    command = [sys.executable, "-m", "media", "token", "--user", "lab", "--admin", "--data", folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (our own)
    return done.stdout.strip()


def invent_users(where: Server, users: int, folder: Path) -> None:
    """Import so many invented users with as many posts into a server of :func:`server`, by way of ``folder``."""
    for arguments in (
        ["people", "--users", str(users), "--posts", str(users), "--out", str(folder)],
        ["import", str(folder / "users.csv"), str(folder / "follows.csv"), "--data", where.data],
        ["import", "posts", str(folder / "posts.jsonl"), "--data", where.data],
    ):
        command = [sys.executable, "-m", "media", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
        if done.returncode:
            raise LabError(f"{' '.join(command[1:])} ended with status {done.returncode}: {done.stderr[-500:]}")


@contextmanager
def process(command: list[str], log: Path) -> Generator["subprocess.Popen[bytes]"]:
    """Run a server until the end of the context, or of this process; what it says is in ``log``."""
    with log.open("wb") as output:
        running = subprocess.Popen(  # noqa: S603 (our own list)
            bound(command), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield running
    finally:
        _end(running, STOP_TIMEOUT)


def swarm(
    where: Server,
    runs: str | Path,
    *,
    steps: Sequence[int] = (),
    step_time: float = 15.0,
    scenario: str = "",
    listeners: int = 200,
    duration: float = 60.0,
    speakers: int = 2,
    seed: int = 1,
    progress: bool = True,
) -> Run:
    """Run Locust headless against a server, by ``steps`` or by ``scenario``; returns the record of the run.

    An invalid run is returned too: its verdict says why it must not be used. :raises LabError: there is no record.
    """
    flags = ["--speakers", str(speakers), "--seed", str(seed)]
    if steps:
        seconds = step_time * len(steps)
        flags += ["--steps", ",".join(map(str, steps)), "--step-time", str(step_time)]
    else:
        seconds = duration
        flags += ["--scenario", scenario, "--listeners", str(listeners), "--duration", str(duration)]
    return _locust(where, runs, LOCUSTFILE, flags, seconds, f"swarm of {max(steps, default=listeners)}", progress)


def raid(
    where: Server,
    runs: str | Path,
    *,
    listeners: int = 50,
    raiders: int = 20,
    reporters: int = 3,
    moderators: int = 3,
    apart_s: float = 3.0,
    report_after_s: float = 2.0,
    review_median_s: float = 8.0,
    review_error: float = 0.0,
    duration: float = 120.0,
    seed: int = 1,
    progress: bool = True,
) -> Run:
    """Let raiders disturb a live Space, listeners report them and moderators clear them; returns the record.

    :raises LabError: there is no record
    """
    flags = ["-u", str(listeners), "-r", "50", "-t", f"{duration:.0f}", "--speakers", "1", "--seed", str(seed)]
    flags += ["--raiders", str(raiders), "--reporters", str(reporters), "--moderators", str(moderators)]
    flags += ["--raid-apart", str(apart_s), "--report-after", str(report_after_s)]
    flags += ["--review-median", str(review_median_s), "--review-error", str(review_error)]
    return _locust(where, runs, RAIDFILE, flags, duration, f"raid of {raiders}", progress)


def _locust(
    where: Server, runs: str | Path, file: Path, flags: list[str], seconds: float, what: str, progress: bool
) -> Run:
    run_id = new_run_id()
    command = [sys.executable, "-m", "locust", "-f", str(file), "-H", where.base, "--headless"]
    command += ["--only-summary", "--runs", str(runs), "--run-id", run_id, *flags]
    status, said = _run_with_bar(command, where.token, seconds, what, progress)
    if status not in (0, EXIT_FAILURES, EXIT_INVALID) or not (Path(runs) / run_id / "run.json").exists():
        raise LabError(f"The swarm ended with status {status} and left no record. It said last:\n{said}")
    return Run.load(Path(runs) / run_id)


def free_port() -> int:
    """A port on which both TCP and UDP are free at this moment on loopback."""
    for _ in range(100):
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise LabError("No port on 127.0.0.1 is free for both TCP and UDP; end what holds them.")


def _run_with_bar(command: list[str], token: str, seconds: float, what: str, progress: bool) -> tuple[int, str]:
    """Run to the end, showing how far it should be; returns the exit status and the last lines it printed."""
    environment = {**os.environ, "SPACES_TOKEN": token}
    with (
        tempfile.TemporaryFile("w+") as output,
        tqdm(total=round(seconds), desc=what, unit="s", disable=not progress) as bar,
    ):
        process = subprocess.Popen(  # noqa: S603 (our own)
            bound(command), stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        begun = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.25)
                bar.update(min(bar.total, int(time.monotonic() - begun)) - bar.n)
        finally:
            _end(process, RECORD_TIMEOUT)
        bar.update(bar.total - bar.n)
        output.seek(0)
        return process.returncode, "".join(output.readlines()[-15:])


def _end(process: "subprocess.Popen[bytes]", timeout: float) -> None:
    """End a process, if it has not yet, and kill it if that takes longer."""
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", base: str, log: Path) -> None:
    while process.poll() is None:  # it compiles for as long as it takes, and ends if its relay falls silent
        try:
            with urllib.request.urlopen(f"{base}/healthz", timeout=2.0) as answer:  # noqa: S310 (our own)
                if json.load(answer)["status"] == "ready":
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise LabError(f"The server did not become ready. It said last:\n{log.read_text()[-2000:]}")
