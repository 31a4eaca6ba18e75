"""A relay that hangs is told from one on a machine that stands still or has too much to do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from media.relay.liveness import LOOK, SILENCE, Liveness, ProcessState, state_of

LOOKS = round(SILENCE / LOOK)
"""Looks in a silence that is too long."""
STOPPED = ProcessState(running=3.0, waited=1.0, state="T")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that only sleeps."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def looks(watch: Liveness, states: list[ProcessState], start: float = 0.0, step: float = LOOK) -> list[bool]:
    return [watch.look(start + step * (number + 1), state) for number, state in enumerate(states)]


def test_silence_of_a_stopped_process_is_given_up_after_the_limit():
    watch = Liveness(0.0, SILENCE)
    watch.look(0.0, STOPPED)
    assert looks(watch, [STOPPED] * LOOKS) == [False] * (LOOKS - 1) + [True]


def test_every_sign_of_life_begins_the_silence_anew():
    watch = Liveness(0.0, SILENCE)
    for number in range(10 * LOOKS):
        assert not watch.look(LOOK * number, STOPPED)
        if number % (LOOKS - 2) == 0:
            watch.heard()


def test_process_that_waits_for_a_cpu_is_not_silent():
    watch = Liveness(0.0, SILENCE)
    watch.look(0.0, ProcessState(running=3.0, state="R"))
    assert not any(looks(watch, [ProcessState(running=3.0, state="R")] * (4 * LOOKS))), "it had no turn at all"
    turns = [ProcessState(3.0 + 0.01 * n, 0.24 * n, "R") for n in range(1, 4 * LOOKS)]
    assert not any(looks(watch, turns, 4 * SILENCE)), "a hundredth of a second in each quarter"


def test_process_that_waits_for_a_disk_is_not_silent():
    watch = Liveness(0.0, SILENCE)
    assert not any(looks(watch, [ProcessState(state="D")] * (4 * LOOKS)))


def test_process_that_runs_for_ever_without_an_answer_is_given_up():
    watch = Liveness(0.0, SILENCE)
    busy = [ProcessState(running=LOOK * n, state="R") for n in range(1, LOOKS + 1)]
    assert looks(watch, busy)[-1]


def test_watcher_that_stood_still_itself_does_not_count_that_time():
    watch = Liveness(0.0, SILENCE)
    asleep = ProcessState(state="S")
    assert not watch.look(60.0, asleep), "a minute in which nobody ran"
    watch.heard()
    assert not watch.look(120.0, asleep)
    assert watch.silent <= 2 * LOOK


def test_state_is_read_of_a_real_process(child: subprocess.Popen[bytes]):
    os.kill(child.pid, signal.SIGSTOP)
    until = time.monotonic() + 20
    while state_of(child.pid).state != "T":
        assert time.monotonic() < until
        time.sleep(0.01)
    assert state_of(child.pid) == state_of(child.pid), "a stopped process neither runs nor waits for a CPU"
    own = state_of(os.getpid())
    assert own.state == "R" and own.running > 0


def test_state_of_a_process_that_is_gone_is_asleep(child: subprocess.Popen[bytes]):
    child.kill()
    child.wait()
    assert state_of(child.pid) == ProcessState()
