"""What a benchmark found, in the one form they all print: figures, targets, and where they came from."""

import json
import operator
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from sim.machine import machine_facts, versions

_COMPARE = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq}


@dataclass(frozen=True)
class Target:
    """A figure to reach."""

    figure: str
    op: str
    """One of <=, <, >=, >, ==."""
    target: float
    optional: bool = False
    """Flags may leave this figure out."""


@dataclass(frozen=True)
class Result:
    """A finished benchmark."""

    bench: str
    command: Sequence[str]
    figures: Mapping[str, Any]
    targets: Sequence[Target]
    peers: Mapping[str, str] = field(default_factory=dict)
    """Versions of what was measured and is no package of ours."""

    def judged(self) -> list[dict[str, Any]]:
        """Each target with whether it was reached; one that need not be measured is left out if it was not."""
        return [
            {
                "figure": each.figure,
                "op": each.op,
                "target": each.target,
                "ok": bool(_COMPARE[each.op](self.figures[each.figure], each.target)),
            }
            for each in self.targets
            if each.figure in self.figures or not each.optional
        ]

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "bench": self.bench,
                "machine": machine_facts(),
                "versions": {"python": platform.python_version(), **versions(), **self.peers},
                "command": " ".join(self.command),
                "figures": self.figures,
                "targets": self.judged(),
            }
        )

    def show(self, console: Console) -> None:
        """For people."""
        judged = {each["figure"]: each for each in self.judged()}
        table = Table("figure", "value", "target", title=f"{self.bench} on {machine_facts()['cpu']}")
        for name, value in self.figures.items():
            if isinstance(value, list):
                continue
            each = judged.get(name)
            mark = "" if each is None else f"{'✓' if each['ok'] else '✗'} {each['op']} {each['target']:g}"
            table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else str(value), mark)
        console.print(table)
        for name, rows in self.figures.items():
            if isinstance(rows, list) and rows:
                console.print(_table(name, rows))


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """A figure that is a list of rows, all with the same keys."""
    table = Table(*rows[0], title=name)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return table
