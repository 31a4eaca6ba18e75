"""What a delivered packet costs the relay, beside the floor of ``sendmmsg`` alone to the same sockets."""

import argparse
import asyncio
from statistics import median
from typing import Any

from rich.progress import Progress

from loadtest.bench.floor import bare_sendmmsg
from loadtest.bench.result import Target
from loadtest.bench.stand import Stand, bar, stand
from loadtest.engine.engine import Engine
from loadtest.engine.member import Timings

TARGETS = (
    Target("us_per_packet", "<=", 8.0),
    Target("lost_packets", "==", 0),
    Target("tick_late_p99_ms", "<", 10.0),
)
SPEAKERS = 2
SETTLE = 2.0
"""Seconds after the last join, and after each change of who sends, before anything is measured."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=800, metavar="N", help="in one Space (%(default)s)")
    parser.add_argument("--seconds", type=float, default=6.0, help="per round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="relay and floor in turn (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=100.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: medians over the rounds; CPU is the whole server process's, with all that it does besides."""
    async with stand("fan-out", SPEAKERS) as built:
        with bar() as progress:
            await join_all(built, chosen.listeners, chosen.join_rate, progress)
            await asyncio.sleep(SETTLE)
            rounds = []
            for _ in progress.track(range(chosen.rounds), description="relay, floor"):
                rounds.append(await _round(built, chosen.seconds))
        totals = built.engine.totals()
    per_packet, floor = (median(each[name] for each in rounds) for name in ("us_per_packet", "floor"))
    return {
        "listeners": chosen.listeners,
        "us_per_packet": per_packet,
        "media_us_per_packet": median(each["media_us_per_packet"] for each in rounds),
        "floor_us_per_packet": floor,
        "ratio_to_floor": median(each["us_per_packet"] / each["floor"] for each in rounds),
        "lost_packets": totals["expected"] - totals["received"],
        "send_failures": sum(each["send_failures"] for each in rounds),
        "packets_per_s": median(each["packets_per_s"] for each in rounds),
        "tick_late_p99_ms": max(each["tick_late_p99_ms"] for each in rounds),
        "fanout_p99_ms": max(each["fanout_p99_ms"] for each in rounds),
        "mouth_to_ear_p50_ms": median(each["mouth_to_ear_p50_ms"] for each in rounds),
        "mouth_to_ear_p99_ms": max(each["mouth_to_ear_p99_ms"] for each in rounds),
        "generator_cpu": max(each["generator_cpu"] for each in rounds),
        "rcvbuf_errors": sum(each["rcvbuf_errors"] for each in rounds),
    }


async def join_all(built: Stand, listeners: int, rate: float, progress: Progress) -> list[Timings]:
    """Let listeners join evenly spaced; returns their timings."""
    return await join_at(built.engine, built.venue.whep, listeners, rate, progress)


async def join_at(
    engine: Engine, whep: str, listeners: int, rate: float, progress: Progress, who: str = "joining"
) -> list[Timings]:
    """The same at any server that speaks WHEP."""
    task = progress.add_task(who, total=listeners)

    async def join(number: int) -> Timings:
        await asyncio.sleep(number / rate)
        _, timings = await engine.join("listener", whep)
        progress.advance(task)
        return timings

    return await asyncio.gather(*(join(number) for number in range(listeners)))


async def _round(built: Stand, seconds: float) -> dict[str, float]:
    built.probe.row()
    built.engine.snapshot()
    await asyncio.sleep(seconds)
    relay, ears = built.probe.row(), built.engine.snapshot()
    figures = {
        "us_per_packet": 1e6 * relay["process_cpu_s"] / relay["packets"],
        "media_us_per_packet": 1e6 * relay["media_cpu_s"] / relay["packets"],
        "packets_per_s": relay["packets"] / seconds,
        "send_failures": relay["send_failures"],
        "tick_late_p99_ms": relay["tick_late_p99_ms"],
        "fanout_p99_ms": built.probe.stage_ms("fan-out", 0.99),
        "mouth_to_ear_p50_ms": ears["mouth_to_ear_p50_ms"],
        "mouth_to_ear_p99_ms": ears["mouth_to_ear_p99_ms"],
        "generator_cpu": ears["generator_cpu"],
        "rcvbuf_errors": ears["rcvbuf_errors"],
    }
    built.engine.hush(True)
    await asyncio.sleep(SETTLE)
    size = relay["bytes"] // relay["packets"]
    figures["floor"] = await asyncio.to_thread(bare_sendmmsg, built.engine.addresses(), size, seconds / 2)
    built.engine.hush(False)
    await asyncio.sleep(SETTLE)
    return figures
