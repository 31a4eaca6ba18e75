"""``python -m notebooks SCENARIO`` makes a capacity plan; ``--check`` runs every notebook on a small stage."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from notebooks.execute import InterruptError, NotebookError, execute, write_html
from sim import scenario as scenarios
from sim.scenario import ScenarioError

HERE = Path(__file__).parent
PLAN = HERE / "capacity_plan.ipynb"
SMALL = {
    "capacity_plan": {
        "steps": [50, 150, 300],
        "unseen": 400,
        "step_time": 12.0,
        "replications": 4,
        "tolerance": 0.5,
    },
    "moderation_throughput": {
        "listeners": 10,
        "raiders": 10,
        "apart_s": 1.0,
        "moderators": 1,
        "review_median_s": 1.0,
        "duration": 20.0,
        "cases": 100,
        "claims": 30,
        "rounds": 1,
        "replications": 4,
        "tolerance": 0.5,
    },
}
"""What CI runs, by notebook: the same story on a smaller stage."""


def main() -> int:
    """Do what the command line says; returns the exit status."""
    options = _parser().parse_args()
    runs = Path(options.runs).resolve()
    runs.mkdir(parents=True, exist_ok=True)
    try:
        return _check(runs) if options.check else _plan(options.scenario, options.seed, runs)
    except (NotebookError, ScenarioError) as error:
        print(error, file=sys.stderr)
        return error.status if isinstance(error, InterruptError) else 1


def _plan(scenario: str, seed: int, runs: Path) -> int:
    scenarios.load(scenario)
    before = {path.parent for path in runs.glob("*/plan.json")}
    complaint = None
    try:
        notebook = execute(PLAN, {"scenario": scenario, "seed": seed, "runs": str(runs), "progress": False})
    except NotebookError as error:
        complaint, notebook = error, error.notebook
    folder = next(iter({path.parent for path in runs.glob("*/plan.json")} - before), None)
    if folder is None:
        raise complaint or NotebookError("The notebook left no plan.json.", notebook)
    write_html(notebook, folder / "plan.html", f"Capacity plan: {scenario}")
    _print(folder)
    if complaint:
        raise complaint
    return 0


def _print(folder: Path) -> None:
    """The plan in a terminal."""
    plan = json.loads((folder / "plan.json").read_text())
    table = Table(title=f"Capacity plan: {plan['scenario']}", show_header=False)
    for name in ("peak_listeners", "relays", "spare_relays", "cores", "egress_mbit_s", "listeners_per_core"):
        table.add_row(name.replace("_", " "), f"{plan[name]:,.0f}")
    table.add_row("first bottleneck", plan["first_bottleneck"])
    seen = plan["validation"]
    said = f"measured {seen['measured']:.3f}, predicted {seen['predicted']:.3f} cores, off by {seen['error']:.1%}"
    table.add_row(f"check at {seen['listeners']:,} listeners", said)
    console = Console()
    console.print(table)
    for name in ("plan.html", "plan.png", "plan.json"):
        console.print(f"{name}: {_short(folder / name)}", soft_wrap=True)


def _check(runs: Path) -> int:
    for path in sorted(HERE.glob("*.ipynb")):
        parameters = {**SMALL[path.stem], "runs": str(runs), "progress": False}
        try:
            notebook = execute(path, parameters)
        except InterruptError:
            raise
        except NotebookError as error:  # its own checks fail, rightly, while something else keeps the machine busy
            print(f"{error}\nonce more", file=sys.stderr)
            notebook = execute(path, parameters)
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        print(f"{path.name}: {cells} cells ran")
    return 0


def _short(path: Path) -> Path:
    """Relative to where one stands, if that is shorter."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    parser.add_argument("scenario", nargs="?", default=scenarios.DEFAULT, help="see: python -m sim list")
    parser.add_argument("--check", action="store_true", help="run every notebook with small parameters instead")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything drawn (%(default)s)")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of run records (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
