"""The fleet as planned and as measured: joins at the limit, a killed relay, the worst relay-second of an evening.

Every figure is foretold first, from loads that are smaller or slower than the one it is about.
"""

import argparse
from typing import Any

from loadtest.bench import fleet_evening, fleet_failover, fleet_joins
from loadtest.bench.result import Target

TARGETS = (
    Target("error_failover", "<=", 0.15),
    Target("error_join_limit", "<=", 0.15),
    Target("error_fleet_peak", "<=", 0.15),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=300, metavar="N", help="on three relays (%(default)s)")
    parser.add_argument("--flood", type=int, default=1500, metavar="N", help="joins at the limit (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=150.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--patience", type=float, default=1.0, metavar="S", help="of silence (%(default)s s)")
    parser.add_argument("--evening", type=float, default=60.0, metavar="S", help="how long it is (%(default)s)")
    parser.add_argument("--step-time", type=float, default=6.0, metavar="S", help="of a load (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Errors are shares of what was measured."""
    joins = await fleet_joins.run(chosen.flood, chosen.step_time / 3)
    failover = await fleet_failover.run(chosen.listeners, chosen.join_rate, chosen.patience, chosen.step_time / 2)
    evening = await fleet_evening.run(chosen.listeners, chosen.evening, chosen.step_time)
    return joins | failover | evening
