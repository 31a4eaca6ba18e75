"""What a join costs, how many a core takes, and what a storm of joins does to those who listen.

A join is all from the HTTP request to the first packet of sound.
"""

import argparse
import asyncio
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, Stand, bar, join_all, now, stand

TARGETS = (
    Target("join_cpu_ms", "<=", 3.0),
    Target("joins_per_s", ">=", 500),
    Target("first_packet_p99_ms", "<", 1000),
    Target("tick_late_max_ms", "<=", 10),
)
WARM, WARM_RATE = 100, 100.0
"""Joins before the flood, and how many a second."""
WATCH = 0.4
"""Seconds between two looks at the latest tick, of which the relay remembers a second."""
IDLE = 5.0
"""Seconds, before the joins and after them, in which is measured what is no part of them, to be subtracted: the
server's own idling, and comfort noise and consent checks of those who are there, half of them in the mean."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--joins", type=int, default=800, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=200.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--flood", type=int, default=3000, metavar="N", help="joins on one core (%(default)s)")
    parser.add_argument("--flood-rate", type=float, default=600.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--storm", type=int, default=1000, metavar="N", help="joins of the storm (%(default)s)")
    parser.add_argument("--storm-rate", type=float, default=200.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--there", type=int, default=100, metavar="N", help="who listen already (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the cost of joins in a quiet Space, a flood of them, then a storm into one where somebody talks.

    ``join_cpu_ms`` is CPU of all the server's processes per join, at ``--join-rate``. Rare joins cost more, since
    each finds caches that others have emptied, and many at once less: try ``--join-rate 50`` and ``500``.
    ``joins_per_s`` is the joins of the flood over the time from its first request to its last first packet, while
    all of the server's processes share one core and the swarm has the others. ``joins_per_cpu_s`` is the same
    joins over the CPU seconds that the server used for them: what the core had time for.
    ``first_packet_*`` and ``tick_late_max_ms`` are of the storm.
    """
    return await _cost(chosen) | await _flood(chosen) | await _storm(chosen)


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
        "signalling_p50_ms": float(np.median([each.signalling_ms for each in timings])),
        "connect_p50_ms": float(np.median([each.connect_ms for each in timings])),
    }


async def _flood(chosen: argparse.Namespace) -> dict[str, Any]:
    """As many joins into a quiet Space as this swarm can make, from the other cores."""
    async with stand("join flood", 0) as built:
        with bar() as progress, one_core(built.server.pid):
            await join_all(built, WARM, WARM_RATE, progress)
            built.probe.row()
            timings = await join_all(built, chosen.flood, chosen.flood_rate, progress)
            cpu = built.probe.row()["process_cpu_s"]
    first = [each.first_packet_ms for each in timings]
    done = max(number / chosen.flood_rate + each / 1e3 for number, each in enumerate(first))
    return {
        "joins_per_s": chosen.flood / done,
        "joins_per_cpu_s": chosen.flood / cpu,
        "flood_first_packet_p99_ms": float(np.quantile(first, 0.99)),
    }


@contextmanager
def one_core(server: int) -> Generator[None]:
    """Keep a server and all it has started on the first core, and this process on the others."""
    cores = sorted(os.sched_getaffinity(0))
    here = [*_threads(os.getpid())]
    for thread in _family(server):
        os.sched_setaffinity(thread, cores[:1])
    for thread in here:
        os.sched_setaffinity(thread, cores[1:] or cores)
    try:
        yield
    finally:
        for thread in here:
            os.sched_setaffinity(thread, cores)


def _threads(process: int) -> Iterator[int]:
    yield from (int(each.name) for each in Path(f"/proc/{process}/task").iterdir())


def _family(process: int) -> Iterator[int]:
    """All threads of a process and of those it has started."""
    for thread in _threads(process):
        yield thread
        for child in Path(f"/proc/{process}/task/{thread}/children").read_text().split():
            yield from _family(int(child))


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
