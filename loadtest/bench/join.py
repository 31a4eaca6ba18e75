"""What a join costs the relay, from HTTP request to first packet, with everything in between."""

import argparse
import asyncio
from typing import Any

import numpy as np

from loadtest.bench.fanout import join_all
from loadtest.bench.result import Target
from loadtest.bench.stand import Stand, bar, now, stand

TARGETS = (Target("join_cpu_ms", "<=", 3.0),)
IDLE = 5.0
"""Seconds, before the joins and after them, in which is measured what is no part of them, to be subtracted: the
server's own idling, and comfort noise and consent checks of those who are there, half of them in the mean."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--joins", type=int, default=400, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=50.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: CPU of the whole server process per join, in a Space where nobody talks."""
    async with stand("join", 0) as built:
        with bar() as progress:
            before = await _idle(built)
            begun = now()
            timings = await join_all(built, chosen.joins, chosen.join_rate, progress)
            elapsed = now() - begun
            relay = built.probe.row()
            after = await _idle(built)
    first = np.array([each.first_packet_ms for each in timings])
    return {
        "joins": chosen.joins,
        "joins_per_s": chosen.joins / elapsed,
        "join_cpu_ms": _per_join("process_cpu_s", before, relay, after, elapsed, chosen.joins),
        "media_join_cpu_ms": _per_join("media_cpu_s", before, relay, after, elapsed, chosen.joins),
        "signalling_p50_ms": float(np.median([each.signalling_ms for each in timings])),
        "connect_p50_ms": float(np.median([each.connect_ms for each in timings])),
        "first_packet_p50_ms": float(np.median(first)),
        "first_packet_p99_ms": float(np.quantile(first, 0.99)),
        "tick_late_p99_ms": relay["tick_late_p99_ms"],
        "tick_late_max_ms": relay["tick_late_max_ms"],
    }


async def _idle(built: Stand) -> dict[str, float]:
    """CPU used a second, by whom, while nobody joins."""
    built.probe.row()
    await asyncio.sleep(IDLE)
    row = built.probe.row()
    return {name: row[name] / IDLE for name in ("process_cpu_s", "media_cpu_s")}


def _per_join(
    who: str,
    before: dict[str, float],
    during: dict[str, Any],
    after: dict[str, float],
    elapsed: float,
    joins: int,
) -> float:
    """Milliseconds of CPU per join, without what would have been used all the same."""
    return 1e3 * (during[who] - elapsed * (before[who] + after[who]) / 2) / joins
