"""The bottleneck that a plan names first, provoked: eleven small fleets, each with something that is scarce.

A plan counts as right if what breaks first has its name and breaks within ``--within`` of its number of
listeners. Where listeners join step by step, five resources are watched (:mod:`loadtest.bench.provocation`); with
files, joins and calls only the one that is scarce is, so there the number of listeners is tested and the name is
not. All runs in a network namespace, where a card can be as slow as is wanted; be root, or put ``unshare
--map-root-user`` in front.
"""

import argparse
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress

from loadtest.bench import api_limit, fleet_joins, open_files
from loadtest.bench.cases import CALLS, JOINS, busy_process, descriptors, ramps
from loadtest.bench.provocation import Case, ramp
from loadtest.bench.result import Target
from loadtest.bench.rivals.island import move_there
from loadtest.bench.shaped_card import shaped
from loadtest.bench.small_costs import SmallCosts, measure
from loadtest.bench.stand import bar
from sim.fleet.bottlenecks import API, FILES
from sim.fleet.bottlenecks import JOINS as JOIN_PATH

TARGETS = (Target("bottleneck_right", ">=", 9),)
KINDS = ("card", "tick", "core", "memory", "files", "joins", "api")
SIZES = (0.25, 0.35, 0.45, 0.55, 0.65, 0.75)
"""Of a knee, at which costs are taken."""
SATURATED = 0.95
"""Share of what is asked below which a process that answers has all it can do."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument(
        "--kinds", default=",".join(KINDS), metavar="KIND[,KIND]", help="of bottlenecks (%(default)s)"
    )
    parser.add_argument("--knee", type=int, default=400, metavar="N", help="of a service level (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="for each look (%(default)s)")
    parser.add_argument("--settle", type=float, default=5.0, metavar="S", help="before memory (%(default)s s)")
    parser.add_argument("--flood", type=int, default=1200, metavar="N", help="joins at the limit (%(default)s)")
    parser.add_argument("--within", type=float, default=0.1, metavar="SHARE", help="of the knee (%(default)s)")


@dataclass(frozen=True, slots=True)
class Provoked:
    """What a plan named, and what broke."""

    case: str
    planned: str
    planned_listeners: float
    measured: str
    measured_listeners: float

    @property
    def error(self) -> float:
        """Of the planned number, as a share of the measured one; 1 if nothing broke."""
        if not self.measured_listeners:
            return 1.0
        return abs(self.planned_listeners - self.measured_listeners) / self.measured_listeners

    def row(self, within: float) -> dict[str, Any]:
        """For the table of cases."""
        return {
            "case": self.case,
            "planned": self.planned,
            "planned_listeners": round(self.planned_listeners),
            "measured": self.measured,
            "measured_listeners": round(self.measured_listeners),
            "error": round(self.error, 3),
            "right": self.right(within),
        }

    def right(self, within: float) -> bool:
        """Named right, and near enough."""
        return self.planned == self.measured and self.error <= within


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """``bottleneck_right`` cases are right, of ``bottleneck_cases``."""
    move_there()
    kinds = str(chosen.kinds).split(",")
    with bar() as progress:
        sizes = tuple(round(share * chosen.knee) for share in SIZES)
        costs = await measure(sizes, 2 * chosen.seconds, chosen.settle, progress)
        found = [
            await _ramp(case, costs, chosen.seconds, progress)
            for case in ramps(costs, chosen.knee)
            if case.name.split()[0].strip(",") in kinds
        ]
        if "files" in kinds:
            found += [await _files(case, costs) for case in descriptors(costs)]
        if "joins" in kinds:
            found.append(await _joins(costs, chosen.flood, chosen.seconds))
        if "api" in kinds:
            found.append(await _calls(costs, chosen.seconds))
    errors = sorted(each.error for each in found)
    return {
        "bottleneck_right": sum(each.right(chosen.within) for each in found),
        "bottleneck_cases": len(found),
        "bottleneck_named": sum(each.planned == each.measured for each in found),
        "knee_error_median": errors[len(errors) // 2],
        "cases": [each.row(chosen.within) for each in found],
    }


async def _ramp(case: Case, costs: SmallCosts, seconds: float, progress: Progress) -> Provoked:
    plan = case.first(costs.relay)
    knee = plan.listeners or 1
    with shaped(case.card_mbit_s):
        steps = await ramp(case, costs.relay, knee, seconds, progress)
    return Provoked(case.name, plan.resource, knee, *steps.first())


async def _files(case: Case, costs: SmallCosts) -> Provoked:
    """Each reader holds a connection; the first that is refused is the knee."""
    plan = case.first(costs.relay)
    knee = plan.listeners or 1
    tried = 2 * knee
    held = await open_files.accepted(case.fleet.host.open_files, tried)
    broke = (FILES, float(held + 1)) if held < tried else ("", 0.0)
    return Provoked(case.name, plan.resource, knee, *broke)


async def _joins(costs: SmallCosts, flood: int, seconds: float) -> Provoked:
    _, foretold, measured = await fleet_joins.measure(flood, seconds)
    plan = busy_process("join path", costs, join_s=1.0 / foretold).first(costs.relay)
    broke = (JOIN_PATH, measured / JOINS) if measured < SATURATED * fleet_joins.OFFERED * foretold else ("", 0.0)
    return Provoked("join path", plan.resource, float(plan.listeners or 0), *broke)


async def _calls(costs: SmallCosts, seconds: float) -> Provoked:
    limit = await api_limit.measure(seconds)
    plan = busy_process("API", costs, call_s=1.0 / limit.foretold).first(costs.relay)
    broke = (API, limit.measured / CALLS) if limit.measured < SATURATED * api_limit.OFFERED else ("", 0.0)
    return Provoked("API", plan.resource, float(plan.listeners or 0), *broke)
