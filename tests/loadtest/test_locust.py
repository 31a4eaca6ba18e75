"""Locust against a real server, as a user types it: the record it leaves, and how it refuses.

The runs go on at the same time in the background. How busy the machine is may make a record invalid, so what is
held to is that the verdict follows from the rows.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loadtest import lab
from loadtest.lab import LabError, Server
from loadtest.status import EXIT_INVALID
from sim.run import Run
from sim.schema import SCHEMA, TABLES
from sim.verdict import judge
from tests.loadtest.swarms import Swarm

RUNS = {
    "steps": ("--steps", "5,10", "--step-time", "5"),
    "scenario": ("--scenario", "product-launch", "--listeners", "30", "--duration", "10"),
    "workers": ("--steps", "4,8", "--step-time", "4", "--processes", "2"),
    "plain": ("-u", "4", "-r", "2", "-t", "12", "--speakers", "1", "--probes", "2"),
}


@pytest.fixture(scope="module")
def swarms(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Swarm]]:
    folder = tmp_path_factory.mktemp("runs")
    made = {
        name: Swarm(folder, name, *flags, host=server.base, token=server.token) for name, flags in RUNS.items()
    }
    yield made
    for swarm in made.values():
        swarm.put_away()


@pytest.fixture(params=RUNS)
def swarm(request: pytest.FixtureRequest, swarms: dict[str, Swarm]) -> Swarm:
    return swarms[request.param]


def listeners(run: Run) -> list[int]:
    """How many there were at the end of each second, where one worker counts them."""
    return run.clients["listeners"].to_list()


def test_a_run_leaves_a_record_whose_verdict_follows_from_its_rows(swarm: Swarm) -> None:
    run = swarm.run()
    assert run.verdict == judge(run.clients, run.relay)
    assert swarm.wait() == (0 if run.verdict.valid else EXIT_INVALID), swarm.said()
    assert "Traceback" not in swarm.said()
    assert {table: getattr(run, table).columns for table in TABLES} == {
        table: [*SCHEMA[table]] for table in TABLES
    }
    assert (run.source, run.id) == ("measured", swarm.folder.name)


def test_everyone_gets_in_hears_and_loses_nothing(swarm: Swarm) -> None:
    run = swarm.run()
    assert run.joins["ok"].all()
    assert run.joins["first_packet_ms"].min() > 0
    assert run.clients["packets"].sum() > 0
    assert (run.clients["lost"].sum(), run.relay["send_failures"].sum()) == (0, 0)


def test_a_staircase_is_climbed_step_by_step(swarms: dict[str, Swarm]) -> None:
    run = swarms["steps"].run()
    assert sorted(run.joins["kind"]) == ["listener"] * 10 + ["speaker"] * 2
    assert (max(listeners(run)), run.clients["speakers"].max()) == (10, 2)
    assert 5 in listeners(run)
    assert run.tiers == {"light": 12, "probe": 0, "browser": 0}
    seconds = run.clients["t"].to_list()
    assert seconds == sorted(seconds) and run.duration_s > 9


def test_locusts_own_flags_say_how_many_come_and_for_how_long(swarms: dict[str, Swarm]) -> None:
    run = swarms["plain"].run()
    assert sorted(run.joins["kind"]) == ["listener"] * 4 + ["speaker"]
    assert (max(listeners(run)), run.tiers["light"]) == (4 + 2, 5), "probes listen too"


def test_probes_say_what_a_listener_hears(swarms: dict[str, Swarm]) -> None:
    run, said = swarms["plain"].run(), swarms["plain"].said()
    assert run.tiers["probe"] == 3
    assert run.clients["speakers"].max() == 2
    heard = run.probes.drop_nulls("mouth_to_ear_ms")
    assert sorted(heard["probe"].unique()) == [1, 2]
    assert heard["t"].max() > run.duration_s - 6
    assert 33 < heard["mouth_to_ear_ms"].min() < 500, "a packet and two encoders' look-ahead at least"
    assert "PROBE" in said and "probes: mouth to ear p50" in said


def test_without_probes_nothing_is_said_of_them(swarms: dict[str, Swarm]) -> None:
    run = swarms["steps"].run()
    assert run.probes.is_empty() and "PROBE" not in swarms["steps"].said()


PACE = """
from argparse import Namespace
from loadtest import crew
slept, now = [], 100.0
crew.gevent.sleep, crew.time.monotonic = slept.append, lambda: now
one = object.__new__(crew.Crew)
one._next_entry, one._workers = 0.0, 2
one._environment = Namespace(parsed_options=Namespace(spawn_rate=4.0))
for now, one.programme in [
    *[(100.0, Namespace(steps=True, join_rate=50.0))] * 4,
    *[(200.0, Namespace(steps=None, join_rate=50.0))] * 2,
]:
    one.wait_for_turn()
print([round(seconds, 6) for seconds in slept])
"""


def test_listeners_who_come_at_once_are_let_in_one_after_the_other() -> None:
    done = subprocess.run([sys.executable, "-c", PACE], capture_output=True, text=True, check=False)
    assert done.stdout == "[0.0, 0.04, 0.08, 0.12, 0.0, 0.5]\n", done.stderr


def test_a_scenario_sends_its_audience_through_the_room(swarms: dict[str, Swarm]) -> None:
    run = swarms["scenario"].run()
    assert (run.scenario.name, run.seed) == ("product-launch", 1)
    assert 0 < max(listeners(run)) <= 34, "30, and who is still about to leave"
    came = run.joins.filter(run.joins["kind"] == "listener").height
    assert came > max(listeners(run)), "some left, and others came"


def test_with_workers_the_record_holds_all_of_them_to_the_end(swarms: dict[str, Swarm]) -> None:
    run = swarms["workers"].run()
    assert run.clients["worker"].n_unique() == 2
    assert sorted(run.joins["kind"]) == ["listener"] * 8 + ["speaker"] * 2
    for _, rows in run.clients.group_by("worker"):
        assert rows["listeners"].max() == 4
        assert rows["speakers"].max() == 1
        assert rows["t"].max() > run.duration_s - 3


REFUSALS = {
    "no server": (("--steps", "3"), "http://127.0.0.1:9", "t", "No server answers at http://127.0.0.1:9"),
    "wrong token": (("--steps", "3"), "server", "wrong", "The server does not take the admin token"),
    "no token": (("--steps", "3"), "server", "", "The swarm needs an admin token to open a Space"),
    "no host": (("--steps", "3"), "", "t", "Say where the server is: -H http"),
    "unknown scenario": (("--scenario", "nope"), "server", "t", "there is no scenario named 'nope'"),
    "no steps": (
        ("--steps", "x"),
        "server",
        "t",
        "--steps takes numbers of listeners with commas between, not 'x'",
    ),
}


@pytest.fixture(scope="module")
def refused(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Swarm]]:
    made: dict[str, Swarm] = {}
    for name, (flags, host, token, _) in REFUSALS.items():
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
        made[name] = Swarm(folder, "run", *flags, host=server.base if host == "server" else host, token=token)
    folder = tmp_path_factory.mktemp("taken")
    (folder / "run").mkdir()
    made["taken"] = Swarm(folder, "run", "--steps", "3", host=server.base, token=server.token)
    yield made
    for swarm in made.values():
        swarm.put_away()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_run_that_cannot_begin_says_why_in_one_sentence(refused: dict[str, Swarm], name: str) -> None:
    swarm, why = refused[name], REFUSALS[name][-1]
    assert swarm.wait() not in (0, EXIT_INVALID)
    said = swarm.said()
    assert said.count(why) == 1, said
    assert "Traceback" not in said and "StopUser" not in said
    assert not swarm.folder.exists(), "nothing that a reader could take for a run"


def test_a_name_that_is_taken_is_refused_and_the_record_kept(refused: dict[str, Swarm]) -> None:
    swarm = refused["taken"]
    assert swarm.wait() == 1, swarm.said()
    assert "File exists" in swarm.said() and "Traceback" not in swarm.said()
    assert [*swarm.folder.iterdir()] == []


def test_the_lab_says_what_a_swarm_said_that_left_no_record(server: Server, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"left no record(.|\n)*there is no scenario named 'nope'"):
        lab.swarm(server, tmp_path, scenario="nope", progress=False)


def test_no_space_is_left_open(server: Server, swarms: dict[str, Swarm]) -> None:
    for swarm in swarms.values():
        swarm.wait()
    deadline = time.monotonic() + 20
    while "\nspaces_relay_rooms 0.0\n" not in httpx.get(f"{server.base}/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.2)
