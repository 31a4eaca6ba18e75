"""What a delivered packet costs our relay beside Janus and aiortc, each at a load that it carries well."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.progress import Progress

from loadtest.bench.result import Target
from loadtest.bench.rivals import audiobridge, island, janus, ours, stock, streaming
from loadtest.bench.rivals.stage import Stage
from loadtest.bench.stand import SETTLE, bar, join_at, now

TARGETS = (
    Target("janus_streaming_ratio", ">=", 5.0),
    Target("janus_audiobridge_ratio", ">=", 40.0),
    Target("aiortc_ratio", ">=", 100.0),
)
PACE = 50
"""Packets a second that each listener should get."""


@dataclass(frozen=True)
class Rival:
    """A server and its crowd: large enough to dwarf what the server does anyway, too small to tire it."""

    name: str
    stage: Callable[[], AbstractAsyncContextManager[Stage]]
    listeners: int
    join_rate: float
    """Listeners a second."""


OURS = Rival("ours", ours.stage, 1600, 160.0)
RIVALS = (
    Rival("janus_streaming", streaming.stage, 240, 50.0),
    Rival("janus_audiobridge", audiobridge.stage, 40, 20.0),
    Rival("aiortc", stock.stage, 10, 5.0),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--seconds", type=float, default=5.0, help="each is measured in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="all servers in turn (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="S", help="of all crowds (%(default)s)")


def versions() -> dict[str, str]:
    """The peers that are no Python packages."""
    return {"janus": janus.version()}


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: medians over the rounds of CPU of all the server's processes per authentic packet that was heard.

    A ratio is that of one round. Who listens, who counts and how are the same for every server.
    """
    versions()  # says what is missing before anything has begun
    island.move_there()
    servers = (OURS, *RIVALS)
    found: dict[str, list[dict[str, float]]] = {each.name: [] for each in servers}
    with bar() as progress:
        todo = [each for _ in range(chosen.rounds) for each in servers]
        for each in progress.track(todo, description="servers in turn"):
            found[each.name].append(await _measure(each, chosen, progress))
    figures: dict[str, Any] = {}
    for rival in RIVALS:
        pairs = zip(found[rival.name], found["ours"], strict=True)
        figures[f"{rival.name}_ratio"] = median(its["us_per_packet"] / our["us_per_packet"] for its, our in pairs)
    for each in servers:
        for name in found[each.name][0]:
            figures[f"{each.name}_{name}"] = median(measured[name] for measured in found[each.name])
    return figures


async def _measure(server: Rival, chosen: argparse.Namespace, progress: Progress) -> dict[str, float]:
    listeners = max(1, round(chosen.scale * server.listeners))
    async with server.stage() as stage:
        await join_at(stage.engine, [stage.whep], listeners, server.join_rate, progress, server.name)
        await asyncio.sleep(SETTLE)
        stage.engine.snapshot()
        begun, used, totals = now(), stage.cpu_seconds(), stage.engine.totals()
        await asyncio.sleep(chosen.seconds)
        elapsed, used, after = now() - begun, stage.cpu_seconds() - used, stage.engine.totals()
        heard = stage.engine.snapshot()
    packets = after["received"] - totals["received"]
    return {
        "us_per_packet": 1e6 * used / packets,
        "listeners": listeners,
        "cores": used / elapsed,
        "delivered": packets / (PACE * elapsed * after["members"]),
        "octets_per_packet": (after["octets"] - totals["octets"]) / packets,
        "lost_packets": heard["lost"],
        "generator_cpu": heard["generator_cpu"],
    }
