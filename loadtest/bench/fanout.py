"""How many one core of a relay can send to, and what a packet costs beside bare ``sendmmsg`` to the same ears."""

import argparse
import asyncio
from statistics import median
from typing import Any

from rich.progress import Progress

from loadtest.bench.floor import bare_sendmmsg
from loadtest.bench.result import Target
from loadtest.bench.stand import PTIMES, SETTLE, SHORT, Stand, bar, join_all, late_ticks, stand

TARGETS = (
    Target("listeners", ">=", 4000),
    Target("us_per_packet_800", "<=", 8.0, optional=True),
    Target("us_per_packet", "<=", 8.0),
    Target("ratio_to_floor", "<=", 1.6),
    Target("lost_packets", "==", 0),
    Target("tick_late_p99_ms", "<", 10.0),
    Target("fanout_p99_ms", "<", 18.0),
)
SPEAKERS = 2
STEPS = "800,3000,4000,5000"
REFERENCE = 3000
"""The step whose cost per packet is the figure."""
FANOUT_MS = 18.0
"""A fan-out longer than this leaves a tick of 20 ms no time for anything else."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", default=STEPS, metavar="N[,N]", help="in one Space (%(default)s)")
    parser.add_argument(
        "--ptime", type=int, default=SHORT, choices=PTIMES, help="ms of sound in a packet (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="per round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="relay and floor in turn (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=150.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Climb the steps; CPU is of all the server's processes, with all that they do besides.

    ``listeners`` is the largest step that was held: nothing lost, no tick late, fan-outs below 18 ms at the 99th
    percentile. The other figures are of the step of 3,000, or of the one nearest to it; ``steps`` has them all.
    """
    wanted = sorted(int(each) for each in str(chosen.listeners).split(","))
    steps: list[dict[str, Any]] = []
    async with stand("fan-out", SPEAKERS) as built:
        with bar() as progress:
            for listeners in wanted:
                present = steps[-1]["listeners"] if steps else 0
                await join_all(built, listeners - present, chosen.join_rate, progress, chosen.ptime)
                await asyncio.sleep(SETTLE)
                steps.append(await _step(built, listeners, chosen, progress))
    small = [step for step in steps if step["listeners"] <= REFERENCE]
    reference = small[-1] if small else steps[0]
    figures = {name: value for name, value in reference.items() if name not in ("listeners", "held")}
    first = {f"us_per_packet_{steps[0]['listeners']}": steps[0]["us_per_packet"]}
    held = max((step["listeners"] for step in steps if step["held"]), default=0)
    return {"listeners": held, "reference_listeners": reference["listeners"], **figures, **first, "steps": steps}


async def _step(built: Stand, listeners: int, chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Medians over the rounds with so many listeners, and the worst of what must not happen."""
    before = built.engine.totals()
    rounds = []
    for _ in progress.track(range(chosen.rounds), description=f"{listeners}: relay, floor"):
        rounds.append(await _round(built, chosen.seconds))
    after = built.engine.totals()
    step: dict[str, Any] = {
        name: median(each[name] for each in rounds)
        for name in (
            *("us_per_packet", "media_us_per_packet", "floor_us_per_packet", "ratio_to_floor", "packets_per_s"),
            *("mouth_to_ear_p50_ms", "fanout_p99_ms"),
        )
    }
    step |= {
        name: max(each[name] for each in rounds)
        for name in ("tick_late_p99_ms", "mouth_to_ear_p99_ms", "generator_cpu")
    }
    step |= {name: sum(each[name] for each in rounds) for name in ("late_ticks", "send_failures", "rcvbuf_errors")}
    step["lost_packets"] = (after["expected"] - after["received"]) - (before["expected"] - before["received"])
    held = step["lost_packets"] == 0 and step["late_ticks"] == 0 and step["fanout_p99_ms"] < FANOUT_MS
    return {"listeners": listeners, "held": held, **step}


async def _round(built: Stand, seconds: float) -> dict[str, Any]:
    built.probe.row()
    built.engine.snapshot()
    await asyncio.sleep(seconds)
    relay, ears = built.probe.row(), built.engine.snapshot()
    figures: dict[str, Any] = {
        "us_per_packet": 1e6 * relay["process_cpu_s"] / relay["packets"],
        "media_us_per_packet": 1e6 * relay["media_cpu_s"] / relay["packets"],
        "packets_per_s": relay["packets"] / seconds,
        "send_failures": relay["send_failures"],
        "tick_late_p99_ms": relay["tick_late_p99_ms"],
        "late_ticks": late_ticks(built.probe),
        "fanout_p99_ms": built.probe.stage_ms("fan-out", 0.99),
        "mouth_to_ear_p50_ms": ears["mouth_to_ear_p50_ms"],
        "mouth_to_ear_p99_ms": ears["mouth_to_ear_p99_ms"],
        "generator_cpu": ears["generator_cpu"],
        "rcvbuf_errors": ears["rcvbuf_errors"],
    }
    built.engine.hush(True)
    await asyncio.sleep(SETTLE)
    size = relay["bytes"] // relay["packets"]
    figures["floor_us_per_packet"] = await asyncio.to_thread(
        bare_sendmmsg, built.engine.addresses(), size, seconds / 2
    )
    figures["ratio_to_floor"] = figures["us_per_packet"] / figures["floor_us_per_packet"]
    built.engine.hush(False)
    await asyncio.sleep(SETTLE)
    return figures
