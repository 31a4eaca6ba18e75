"""What a join costs, from HTTP request to first packet, and what a storm of joins does to those who listen."""

import argparse
import asyncio
from typing import Any

import numpy as np

from loadtest.bench.fanout import join_all
from loadtest.bench.result import Target
from loadtest.bench.stand import Stand, bar, now, stand

TARGETS = (
    Target("join_cpu_ms", "<=", 3.0),
    Target("joins_per_s", ">=", 500),
    Target("first_packet_p99_ms", "<", 1000),
    Target("tick_late_max_ms", "<=", 10),
)
SETTLE = 2.0
"""Seconds between the last of those who are there and the storm."""
WATCH = 0.4
"""Seconds between two looks at the latest tick, of which the relay remembers a second."""
IDLE = 5.0
"""Seconds, before the joins and after them, in which is measured what is no part of them, to be subtracted: the
server's own idling, and comfort noise and consent checks of those who are there, half of them in the mean."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--joins", type=int, default=800, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=200.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--storm", type=int, default=1000, metavar="N", help="joins of the storm (%(default)s)")
    parser.add_argument("--storm-rate", type=float, default=200.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--there", type=int, default=100, metavar="N", help="who listen already (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the cost of joins in a quiet Space, then a storm of them into one where somebody talks.

    ``join_cpu_ms`` is CPU of all the server's processes per join, at ``--join-rate``, and ``joins_per_s`` how many
    of them a core has time for; ``first_packet_*`` and ``tick_late_max_ms`` are of the storm. Rare joins cost
    more, since each finds caches that others have emptied: try ``--join-rate 50``.
    """
    return await _cost(chosen) | await _storm(chosen)


async def _cost(chosen: argparse.Namespace) -> dict[str, Any]:
    async with stand("join", 0) as built:
        with bar() as progress:
            before = await _idle(built)
            begun = now()
            timings = await join_all(built, chosen.joins, chosen.join_rate, progress)
            elapsed = now() - begun
            relay = built.probe.row()
            after = await _idle(built)
    cpu = _per_join("process_cpu_s", before, relay, after, elapsed, chosen.joins)
    return {
        "joins": chosen.joins,
        "join_cpu_ms": cpu,
        "media_join_cpu_ms": _per_join("media_cpu_s", before, relay, after, elapsed, chosen.joins),
        "joins_per_s": 1e3 / cpu,
        "signalling_p50_ms": float(np.median([each.signalling_ms for each in timings])),
        "connect_p50_ms": float(np.median([each.connect_ms for each in timings])),
    }


async def _storm(chosen: argparse.Namespace) -> dict[str, Any]:
    async with stand("join storm", 1) as built:
        with bar() as progress:
            await join_all(built, chosen.there, 50.0, progress)
            await asyncio.sleep(SETTLE)
            latest: list[float] = []
            watching = asyncio.create_task(_watch(built, latest))
            begun = now()
            timings = await join_all(built, chosen.storm, chosen.storm_rate, progress)
            elapsed = now() - begun
            watching.cancel()
            health, totals = built.engine.snapshot(), built.engine.totals()
    first = np.array([each.first_packet_ms for each in timings])
    return {
        "storm_joins": chosen.storm,
        "storm_joins_per_s": chosen.storm / elapsed,
        "first_packet_p50_ms": float(np.median(first)),
        "first_packet_p99_ms": float(np.quantile(first, 0.99)),
        "tick_late_max_ms": max(latest),
        "lost_packets": totals["expected"] - totals["received"],
        "generator_cpu": health["generator_cpu"],
    }


async def _watch(built: Stand, latest: list[float]) -> None:
    """Note the relay's latest tick of the last second, again and again."""
    while True:
        row = await asyncio.to_thread(built.probe.row)
        latest.append(row["tick_late_max_ms"])
        await asyncio.sleep(WATCH)


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
