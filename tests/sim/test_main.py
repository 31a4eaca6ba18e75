import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.__main__ import main
from sim.machine import differences, machine_facts
from sim.run import Run

MakeRun = Callable[..., Run]


def test_the_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"product-launch", "candidacy-2023"} <= {scenario["name"] for scenario in listed}
    assert main(["list"]) == 0
    assert "product-launch" in capsys.readouterr().out


def test_run_simulates_and_leaves_a_run_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    how = ["run", "service-hour", "--json", "--replications", "3", "--out", str(tmp_path), "--scale", "2"]
    assert main(how) == 0
    first = json.loads(capsys.readouterr().out)
    assert Run.load(first["run"]).source == "simulated"
    assert first["peak_listeners"]["low"] <= first["peak_listeners"]["mean"] <= first["peak_listeners"]["high"]
    assert main(how) == 0
    again = json.loads(capsys.readouterr().out)
    assert first.pop("run") != again.pop("run")
    assert first == again


def test_plan_reads_a_run_checks_the_model_and_prints_the_plan(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run((100, 200, 400, 800))
    assert main(["plan", "service-hour", "--run", str(run.folder), "--json", "--replications", "4"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["scenario"] == "service-hour"
    assert plan["relays"] == 1
    assert plan["validation"]["listeners"] == 800
    assert plan["validation"]["error"] < 0.15
    assert main(["plan", "service-hour", "--run", str(run.folder), "--replications", "4"]) == 0
    assert "first bottleneck" in capsys.readouterr().out


def test_several_runs_are_fitted_together_and_a_run_of_elsewhere_is_named(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [make_run((100, 200, 400, 800)), make_run((100, 200, 400, 800))]
    named = [word for run in runs for word in ("--run", str(run.folder))]
    assert main(["plan", "service-hour", *named, "--json", "--replications", "4"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert all(run.id in plan["run_id"] for run in runs)
    assert differences({"cpu": "another", "cores": machine_facts()["cores"]}, {"numba": "0.1"}) == [
        f"the run is of another machine (cpu: another there, {machine_facts()['cpu']} here): costs may be others",
        "the run is of another version (numba 0.1): costs may have changed since",
    ]


def test_a_reader_that_goes_away_ends_it_without_a_traceback() -> None:
    command = f"{sys.executable} -m sim plan --help | head -c 1; {sys.executable} -m sim list | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["plan"],
            "a plan needs the cost of a relay: give a measured run with --run runs/<id>, or call `make plan`",
        ),
        (["plan", "--run", "nowhere"], "there is no run folder nowhere; make one with `make plan`"),
        (["run", "friday"], "there is no scenario named 'friday'"),
    ],
)
def test_a_problem_is_one_sentence_and_exit_1(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.startswith(f"sim: {sentence}")
    assert caught.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["dance"], ["run", "--seed", "-1"], ["run", "--scale", "0"]])
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_models_stand_without_load_generator_and_plotting() -> None:
    code = (
        "import sim.__main__, sys; print(*sorted({'locust', 'loadtest', 'gevent', 'matplotlib'} & {*sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
