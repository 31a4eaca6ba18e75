"""A voice raid on a real server, cleared by moderators, and the model given the same cases."""

import argparse
import asyncio
import tempfile
from typing import Any

from loadtest import lab
from loadtest.bench.result import Target
from sim.raid import replay

TARGETS = (
    Target("error_backlog", "<=", 0.15),
    Target("error_wait_p95", "<=", 0.15),
    Target("unsilenced", "==", 0),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=50, metavar="N", help="who hear it (%(default)s)")
    parser.add_argument("--raiders", type=int, default=20, metavar="N", help="who take turns (%(default)s)")
    parser.add_argument("--reporters", type=int, default=3, metavar="N", help="who report them (%(default)s)")
    parser.add_argument("--moderators", type=int, default=3, metavar="N", help="who clear them (%(default)s)")
    parser.add_argument("--review-median", type=float, default=8.0, metavar="S", help="of a case (%(default)s)")
    parser.add_argument("--duration", type=float, default=150.0, metavar="S", help="of the raid (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """``harm_listener_s``: listener-seconds from each raider's first noise until nobody hears them.

    The model is given when each case was opened and how long each review took, and finds out who waits for whom:
    ``error_backlog`` and ``error_wait_p95`` are its shares off the measured queue.
    """
    return await asyncio.to_thread(_measure, chosen)


def _measure(chosen: argparse.Namespace) -> dict[str, Any]:
    with lab.server() as where, tempfile.TemporaryDirectory(prefix="spaces-raid-") as runs:
        measured = lab.raid(
            where,
            runs,
            listeners=chosen.listeners,
            raiders=chosen.raiders,
            reporters=chosen.reporters,
            moderators=chosen.moderators,
            review_median_s=chosen.review_median,
            duration=chosen.duration,
            seed=chosen.seed,
        )
        return replay(measured).figures() | {"moderators": chosen.moderators, "raiders": chosen.raiders}
