"""What a listener costs the relay in memory, from the growth between a small crowd and a large one."""

import argparse
import asyncio
from itertools import pairwise
from typing import Any

from loadtest.bench.result import Target
from loadtest.bench.stand import Stand, bar, join_all, stand

TARGETS = (Target("kb_per_listener", "<=", 25.0),)
SPEAKERS = 2
SETTLE = 8.0
"""Seconds after the last join: what a handshake holds is given back 5 s after it."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--first", type=int, default=200, metavar="N", help="there at the start (%(default)s)")
    parser.add_argument("--more", type=int, default=500, metavar="N", help="that join in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of more listeners (%(default)s)")
    parser.add_argument("--settle", type=float, default=SETTLE, metavar="S", help="before a look (%(default)s s)")
    parser.add_argument("--join-rate", type=float, default=100.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures in kB of 1,000 bytes, from the resident memory of all the server's processes.

    The first listeners bring in what is paid once: pages of libraries, tables, HTTP connections.
    """
    async with stand("memory", SPEAKERS) as built:
        with bar() as progress:
            listeners, sizes = chosen.first, []
            await join_all(built, chosen.first, chosen.join_rate, progress)
            sizes.append(await _rss(built, chosen.settle))
            for _ in range(chosen.rounds):
                await join_all(built, chosen.more, chosen.join_rate, progress)
                listeners += chosen.more
                sizes.append(await _rss(built, chosen.settle))
    steps = [(after - before) / chosen.more / 1e3 for before, after in pairwise(sizes)]
    return {
        "listeners": listeners,
        "kb_per_listener": (sizes[-1] - sizes[0]) / (listeners - chosen.first) / 1e3,
        "kb_per_listener_least": min(steps),
        "kb_per_listener_most": max(steps),
        "rss_first_mb": sizes[0] / 1e6,
        "rss_last_mb": sizes[-1] / 1e6,
    }


async def _rss(built: Stand, settle: float) -> int:
    await asyncio.sleep(settle)
    return built.probe.row()["rss_bytes"]
