"""``python -m sim``: list scenarios, simulate one, or plan for one from a measured run."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sim import scenario as scenarios
from sim.calibrate import fit
from sim.experiment import Experiment, replicate
from sim.machine import differences
from sim.plan import Limits, Plan, PlanError, make_plan
from sim.run import Run, RunError
from sim.scenario import Scenario, ScenarioError
from sim.simulate import simulate
from sim.staffing import StaffingError, ask
from sim.validate import largest_but_one, validate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for a problem named in one sentence, 2 for usage."""
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except (ScenarioError, RunError, PlanError, StaffingError) as error:
        print(f"sim: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has seen enough
        return 1
    except OSError as error:
        print(f"sim: {error.filename or 'a file'} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def plan_from_runs(experiment: Experiment, runs: Sequence[Run]) -> Plan:
    """Fit all runs, and check on the largest step of the last one with a fit that has not seen it."""
    run = runs[-1]
    below = largest_but_one(run)
    checked = None
    if below is not None:
        try:
            checked = validate(fit(runs, at_most=below), run)
        except RunError:
            checked = None  # too little is left below the largest step; the plan says that it was not checked
    limits = Limits(open_files=int(run.machine.get("open_files", Limits().open_files)))
    ordinary, raid = ask(experiment)
    return make_plan(
        experiment,
        fit(runs),
        validation=checked,
        limits=limits,
        moderators=ordinary,
        moderators_in_raid=raid,
        cautions=list(dict.fromkeys(each for one in runs for each in differences(one.machine, one.versions))),
    )


def _list(options: argparse.Namespace) -> int:
    found = [scenarios.load(name) for name in scenarios.names()]
    if options.json:
        print(json.dumps([scenario.to_dict() for scenario in found], ensure_ascii=False))
        return 0
    table = Table("scenario", "minutes", "followers", "on stage", "story", title="Scenarios")
    for scenario in found:
        table.add_row(
            scenario.name,
            f"{scenario.length_min:g}",
            f"{scenario.host.followers:,}",
            str(scenario.speakers),
            scenario.story,
        )
    Console().print(table)
    return 0


def _run(options: argparse.Namespace) -> int:
    scenario = scenarios.load(options.scenario)
    calibration = fit([Run.load(folder) for folder in dict.fromkeys(options.run)]) if options.run else None
    run = simulate(
        scenario, options.seed, options.out, scale=options.scale, calibration=calibration, relays=options.relays
    )
    experiment = _replicate(scenario, options)
    mean, low, high = experiment.mean_peak()
    facts = {
        "scenario": scenario.name,
        "seed": options.seed,
        "scale": options.scale,
        "replications": experiment.n,
        "precise": experiment.precise,
        "peak_listeners": {"mean": mean, "low": low, "high": high},
        "peak_joins_s": float(experiment.joins.max(axis=1).mean()),
        "run": str(run.folder),
    }
    if options.json:
        print(json.dumps(facts, ensure_ascii=False))
        return 0
    table = Table(show_header=False, title=scenario.title)
    table.add_row("mean peak of listeners", f"{mean:,.0f}  [{low:,.0f}, {high:,.0f}]")
    table.add_row("mean peak of joins a second", f"{facts['peak_joins_s']:,.0f}")
    table.add_row("replications", str(experiment.n))
    table.add_row("one evening, second by second", str(run.folder))
    Console().print(table)
    return 0


def _plan(options: argparse.Namespace) -> int:
    scenario = scenarios.load(options.scenario)
    if not options.run:
        raise PlanError(
            "a plan needs the cost of a relay: give a measured run with --run runs/<id>, or call `make plan`"
        )
    runs = [Run.load(folder).require_valid() for folder in dict.fromkeys(options.run)]
    plan = plan_from_runs(_replicate(scenario, options), runs)
    if options.json:
        print(json.dumps(plan.to_json(), ensure_ascii=False))
        return 0
    names = ", ".join(run.id for run in runs)
    table = Table(show_header=False, title=f"{scenario.title}, from run {names}")
    for what, value in plan.table():
        table.add_row(what, value)
    Console().print(table)
    for caution in plan.cautions:
        Console().print(f"[yellow]Note:[/] {caution}.")
    return 0


def _replicate(scenario: Scenario, options: argparse.Namespace) -> Experiment:
    return replicate(
        scenario,
        options.seed,
        scale=options.scale,
        replications=options.replications,
        progress=not options.json and sys.stderr.isatty(),
    )


_COMMANDS = {"list": _list, "run": _run, "plan": _plan}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the scenarios there are")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for name, purpose in (("run", "simulate a scenario"), ("plan", "plan the capacity a scenario needs")):
        command = commands.add_parser(name, help=purpose)
        command.add_argument(
            "scenario",
            nargs="?",
            default=scenarios.DEFAULT,
            help="a name from the list, or the path of a .toml file",
        )
        command.add_argument(
            "--run",
            type=Path,
            action="append",
            default=[],
            metavar="runs/<id>",
            help="a measured run that costs are fitted to; several are fitted together",
        )
        command.add_argument("--seed", type=_whole(0), default=1, help="seed of all random streams (default: 1)")
        command.add_argument(
            "--replications", type=_whole(2), help="how many evenings (default: until it is precise)"
        )
        command.add_argument("--scale", type=_factor, default=1.0, help="make the crowd so many times as large")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "run":
            command.add_argument(
                "--relays", type=_whole(1), default=1, help="relays that share the room (default: 1)"
            )
            command.add_argument("--out", type=Path, default=Path("runs"), help="where the run folder goes")
    return parser


def _whole(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of {least} or more")
        return int(text)

    return convert


def _factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
