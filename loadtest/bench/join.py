"""What a join costs the relay, from HTTP request to first packet, with everything in between."""

import argparse
import asyncio
from typing import Any

import numpy as np

from loadtest.bench.fanout import join_all
from loadtest.bench.result import Target
from loadtest.bench.stand import bar, now, stand

TARGETS = (Target("join_cpu_ms", "<=", 3.0),)
IDLE = 5.0
"""Seconds in which the server's own idling is measured, to be subtracted."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--joins", type=int, default=400, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=50.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: CPU of the whole server process per join, in a Space where nobody talks."""
    async with stand("join", 0) as built:
        with bar() as progress:
            built.probe.row()
            await asyncio.sleep(IDLE)
            idle = built.probe.row()["process_cpu_s"] / IDLE
            begun = now()
            timings = await join_all(built, chosen.joins, chosen.join_rate, progress)
            elapsed = now() - begun
            relay = built.probe.row()
    first = np.array([each.first_packet_ms for each in timings])
    return {
        "joins": chosen.joins,
        "joins_per_s": chosen.joins / elapsed,
        "join_cpu_ms": 1e3 * (relay["process_cpu_s"] - idle * elapsed) / chosen.joins,
        "media_join_cpu_ms": 1e3 * relay["media_cpu_s"] / chosen.joins,
        "signalling_p50_ms": float(np.median([each.signalling_ms for each in timings])),
        "connect_p50_ms": float(np.median([each.connect_ms for each in timings])),
        "first_packet_p50_ms": float(np.median(first)),
        "first_packet_p99_ms": float(np.quantile(first, 0.99)),
        "tick_late_p99_ms": relay["tick_late_p99_ms"],
        "tick_late_max_ms": relay["tick_late_max_ms"],
    }
