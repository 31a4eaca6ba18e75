"""Runs that are stopped before their end, by real signals: what they leave, and what they do not leave behind.

Each test stops one, while the next two get ready in the background.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from loadtest import lab
from loadtest.lab import Server
from loadtest.status import EXIT_INVALID
from sim.calibrate import fit
from sim.run import UNFINISHED, Run, RunError
from tests.loadtest.engine.mouths import until
from tests.loadtest.swarms import TIMEOUT, Swarm, family, left_of

LONG = ("--steps", "3", "--step-time", "300", "--speakers", "1")
CASES = {
    **dict.fromkeys(("SIGTERM", "SIGINT", "SIGHUP"), LONG),
    "endless": ("-u", "2", "-r", "2", "--speakers", "1"),
    "early": LONG,
    **dict.fromkeys(("begun", "killed", "engine"), LONG),
    **{
        name: (*LONG, "--processes", "2", "--master-bind-port", str(port), "--master-port", str(port))
        for name, port in ((name, lab.free_port()) for name in ("group", "master", "worker"))
    },
}
AHEAD = 2
SPAWNED = "All users spawned"


class Swarms:
    """Those of :data:`CASES`, in this order."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.made: dict[str, Swarm] = {}
        self._server, self._folder = server, folder

    def __getitem__(self, name: str) -> Swarm:
        for each in [*CASES][: [*CASES].index(name) + AHEAD + 1]:
            if each not in self.made:
                where = {"host": self._server.base, "token": self._server.token}
                self.made[each] = Swarm(self._folder, each, *CASES[each], **where)
        return self.made[name]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of their own: nobody else opens Spaces on it."""
    with lab.server() as running:
        yield running


@pytest.fixture(scope="module")
def swarms(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarms]:
    made = Swarms(server, tmp_path_factory.mktemp("stopped"))
    yield made
    for swarm in made.made.values():
        swarm.put_away()


def engines(swarm: Swarm) -> list[int]:
    return [pid for pid, name in swarm.family().items() if "loadtest.engine" in name]


def workers(swarm: Swarm) -> list[int]:
    return [pid for pid, name in swarm.family().items() if "locustfile.py" in name and pid != swarm.process.pid]


def measured(swarm: Swarm, workers: int = 1) -> Run:
    """What is kept of a run that goes on, as soon as every worker has measured something."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        with suppress(RunError):
            run = Run.load(swarm.folder)
            if run.clients["worker"].n_unique() == workers and run.relay.height:
                return run
        assert swarm.process.poll() is None and time.monotonic() < deadline, swarm.said()
        time.sleep(0.2)


def stopped(swarm: Swarm, status: int = EXIT_INVALID, processes: dict[int, str] | None = None) -> Run:
    """The record of a run that is ending, of which no process is left."""
    processes = processes or swarm.family()
    assert swarm.wait() == status, swarm.said()
    assert left_of(processes) == {}
    assert "Traceback" not in swarm.said(), swarm.said()
    return Run.load(swarm.folder)


def refused(run: Run, why: str) -> None:
    """It says that it was cut short, and no model takes it."""
    assert run.cut_short is not None and why in run.cut_short
    assert not run.verdict.valid and run.verdict.reasons[0] == f"the run was cut short: {run.cut_short}"
    with pytest.raises(RunError, match="is invalid and must not be used: the run was cut short"):
        fit(run)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_the_run_with_what_was_measured_up_to_then(swarms: Swarms, number: signal.Signals) -> None:
    swarm = swarms[number.name]
    swarm.until(SPAWNED)
    time.sleep(3.0)
    assert len(engines(swarm)) == 1
    swarm.process.send_signal(number)
    run = stopped(swarm)
    refused(run, "Ctrl-C" if number == signal.SIGINT else number.name)
    assert run.clients.height >= 1 and run.joins["ok"].all()


def test_a_run_that_has_no_end_of_its_own_is_complete_when_it_is_ended(swarms: Swarms) -> None:
    swarm = swarms["endless"]
    swarm.until(SPAWNED)
    time.sleep(3.0)
    swarm.process.send_signal(signal.SIGINT)
    swarm.wait()
    run = Run.load(swarm.folder)
    assert run.cut_short is None and "cut short" not in "".join(run.verdict.reasons)


def test_a_run_that_is_stopped_while_it_gets_ready_says_so(swarms: Swarms) -> None:
    swarm = swarms["early"]
    swarm.until("Shape test updating")
    swarm.process.send_signal(signal.SIGTERM)
    refused(stopped(swarm), "SIGTERM")


def test_a_run_that_is_killed_as_soon_as_its_space_is_live_leaves_no_process(swarms: Swarms) -> None:
    """Nor a Space, see below."""
    swarm = swarms["begun"]
    until(swarm.folder.exists, TIMEOUT)
    processes = swarm.family()
    swarm.process.kill()
    assert swarm.wait() == -signal.SIGKILL
    assert left_of(processes) == {}


def test_what_a_killed_run_has_measured_stays_and_its_engine_ends_the_space(swarms: Swarms) -> None:
    swarm = swarms["killed"]
    kept = measured(swarm)
    processes = swarm.family()
    swarm.process.kill()
    run = stopped(swarm, -signal.SIGKILL, processes)
    refused(run, UNFINISHED)
    assert run.clients.height >= kept.clients.height and run.relay.height >= kept.relay.height


def test_a_run_ends_with_its_engine(swarms: Swarms) -> None:
    swarm = swarms["engine"]
    swarm.until(SPAWNED)
    os.kill(engines(swarm)[0], signal.SIGKILL)
    refused(stopped(swarm), "the engine ended by itself (killed by SIGKILL)")


def test_a_signal_to_master_and_workers_at_once_ends_them_all(swarms: Swarms) -> None:
    swarm = swarms["group"]
    measured(swarm, 2)
    processes = swarm.family()
    assert len(workers(swarm)) == len(engines(swarm)) == 2
    os.killpg(swarm.process.pid, signal.SIGTERM)
    run = stopped(swarm, processes=processes)
    refused(run, "SIGTERM")
    assert run.clients["worker"].n_unique() == 2


def test_workers_do_not_outlive_a_killed_master(swarms: Swarms) -> None:
    swarm = swarms["master"]
    measured(swarm, 2)
    processes = swarm.family()
    swarm.process.kill()
    run = stopped(swarm, -signal.SIGKILL, processes)
    refused(run, UNFINISHED)


def test_a_run_ends_with_one_of_its_workers(swarms: Swarms) -> None:
    swarm = swarms["worker"]
    measured(swarm, 2)
    processes = swarm.family()
    os.kill(workers(swarm)[0], signal.SIGKILL)
    run = stopped(swarm, processes=processes)
    refused(run, "was lost")


def test_a_master_that_waits_for_workers_ends_and_has_begun_nothing(server: Server, tmp_path: Path) -> None:
    flags = ("--master", "--master-bind-port", str(lab.free_port()), "--expect-workers", "1")
    swarm = Swarm(tmp_path, "waits", *LONG, *flags, host=server.base, token=server.token)
    try:
        swarm.until("Waiting for workers")
        swarm.process.send_signal(signal.SIGTERM)
        assert swarm.wait() == 128 + signal.SIGTERM, swarm.said()
        assert "Traceback" not in swarm.said() and not swarm.folder.exists()
    finally:
        swarm.put_away()


NOTEBOOK = """
    import sys
    from loadtest import lab
    with lab.server() as relay:
        print(relay.base, flush=True)
        lab.swarm(relay, sys.argv[1], steps=[2], step_time=300.0, speakers=1, progress=False)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_relay_and_swarm_end_with_who_started_them(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(NOTEBOOK), str(tmp_path)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert starter.stdout
    base = starter.stdout.readline().strip()
    try:
        deadline = time.monotonic() + 100
        while "\nspaces_relay_listeners 3.0\n" not in httpx.get(f"{base}/metrics").text:
            assert time.monotonic() < deadline and starter.poll() is None
            time.sleep(0.1)
        processes = family(starter.pid)
        for part in ("-m media", "-m locust", "loadtest.engine"):
            assert any(part in name for name in processes.values()), part
    finally:
        starter.send_signal(number)
        starter.wait(100)
        starter.stdout.close()
    assert left_of(processes) == {}
    (folder,) = tmp_path.iterdir()
    run = Run.load(folder)
    assert run.cut_short == "SIGTERM" and not run.verdict.valid


def test_no_space_is_left_open(server: Server, swarms: Swarms) -> None:
    """Whoever was killed, one of those who are left has ended the Space: nobody waits for ``empty_grace``."""
    for swarm in swarms.made.values():
        swarm.put_away()
    until(lambda: "\nspaces_relay_rooms 0.0\n" in httpx.get(f"{server.base}/metrics").text)
