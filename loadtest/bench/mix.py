"""What hearing and mixing cost beside the fan-out: thirteen open microphones, and many small Spaces at once."""

import argparse
import asyncio
from contextlib import ExitStack
from typing import Any

from rich.progress import Progress

from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, bar, join_all, join_at, late_ticks, speak, stand
from loadtest.engine.engine import Engine
from loadtest.lab import server
from loadtest.recorder import RelayProbe
from loadtest.venue import Host

TARGETS = (Target("core_percent_13_mics", "<=", 15.0), Target("small_spaces_per_core", ">=", 100))
MICROPHONES = 13
SMALL_SPEAKERS, SMALL_LISTENERS = 3, 20
STAGES = ("decode", "mix", "encode")


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=500, metavar="N", help="of 13 speakers (%(default)s)")
    parser.add_argument("--spaces", default="60,80,100,120", metavar="N[,N]", help="small ones (%(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="per figure (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=100.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures from a real relay; everyone talks in talk-spurts after ITU-T P.59, one by one.

    ``core_percent_13_mics`` is the media thread's CPU without the time of fan-outs. ``small_spaces_per_core`` is
    the largest step in which no tick was late; the climb ends at the first that was.
    """
    with bar() as progress:
        figures = await _microphones(chosen, progress)
        return figures | await _small_spaces(chosen, progress)


async def _microphones(chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    async with stand("mix", MICROPHONES, continuous=False) as built:
        await join_all(built, chosen.listeners, chosen.join_rate, progress)
        await asyncio.sleep(SETTLE)
        built.probe.row()
        await asyncio.sleep(chosen.seconds)
        row = built.probe.row()
        fan_out = built.probe.stage_seconds("fan-out")
        stages = {f"{each}_us_per_tick": 1e6 * built.probe.stage_seconds(each) / row["ticks"] for each in STAGES}
    return {
        "core_percent_13_mics": 100 * (row["media_cpu_s"] - fan_out) / chosen.seconds,
        "core_percent_of_fan_out": 100 * fan_out / chosen.seconds,
        "talkers": row["talkers"],
        **stages,
        "tick_late_p99_ms": row["tick_late_p99_ms"],
    }


async def _small_spaces(chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    engine = Engine()
    with server() as where, ExitStack() as hosts:
        await engine.start()
        try:
            probe, there = RelayProbe(where.base), 0
            for spaces in map(int, str(chosen.spaces).split(",")):
                venues = []
                for number in range(there, spaces):
                    host = hosts.enter_context(Host(where.base, where.token))
                    venues.append(host.open(f"small {number}", SMALL_SPEAKERS))
                for number, venue in enumerate(venues, start=there):
                    for speaker in range(SMALL_SPEAKERS):
                        await speak(engine, venue, speaker, SMALL_SPEAKERS * number + speaker, continuous=False)
                places = [venue.whep for venue in venues]
                await join_at(engine, places, SMALL_LISTENERS * len(places), chosen.join_rate, progress)
                there = spaces
                await asyncio.sleep(SETTLE)
                steps.append(await _step(engine, probe, spaces, chosen.seconds))
                if steps[-1]["late_ticks"]:
                    break
        finally:
            await engine.stop()
    held = [step["spaces"] for step in steps if not step["late_ticks"]]
    return {"small_spaces_per_core": max(held, default=0), "steps": steps}


async def _step(engine: Engine, probe: RelayProbe, spaces: int, seconds: float) -> dict[str, Any]:
    probe.row()
    engine.snapshot()
    await asyncio.sleep(seconds)
    row, ears = probe.row(), engine.snapshot()
    return {
        "spaces": spaces,
        "late_ticks": late_ticks(probe),
        "tick_late_p99_ms": row["tick_late_p99_ms"],
        "media_core_percent": 100 * row["media_cpu_s"] / seconds,
        "fan_out_core_percent": 100 * probe.stage_seconds("fan-out") / seconds,
        **{f"{each}_us_per_space": 1e6 * probe.stage_seconds(each) / row["ticks"] / spaces for each in STAGES},
        "talkers_per_space": row["talkers"] / spaces,
        "packets_per_s": row["packets"] / seconds,
        "lost": ears["lost"],
        "generator_cpu": ears["generator_cpu"],
    }
