"""What a listener costs whose packets hold 20, 40 or 60 ms of sound, and the delay that it hears for that.

The same crowd joins one Space again and again, each time asking for other packets; the lengths take turns in every
round, so that a machine that drifts does so under all of them. What the server spends with nobody listening, on
mixing and the like, is measured too and taken off: ``added_us_…`` is what each listener adds in a second, and
``crowd_40`` and ``crowd_60``, how many times the crowd the rest of a core has time for, are ratios of that.
Whether a relay holds such a crowd and one generator with it, nothing lost or late, says ``fanout --ptime 60``.
It stays below two and three, though there are so many packets fewer: each of them takes the fan-out longer
(``fanout_us_per_packet``), and a listener's checks and reports come as often as ever.
"""

import argparse
import asyncio
from statistics import median_low
from typing import Any

from rich.progress import Progress

from loadtest.bench.fanout import SPEAKERS
from loadtest.bench.result import Target
from loadtest.bench.stand import PTIMES, SETTLE, SHORT, Stand, bar, join_at, late_ticks, stand
from loadtest.engine.engine import Engine

TARGETS = (
    Target("crowd_60", ">", 1.0),
    Target("lost_packets", "==", 0),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=1500, metavar="N", help="in one Space (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each length in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of all lengths in turn (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=250.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """The lower median of the rounds, the sum of what must not happen; CPU is of all the server's processes."""
    found: dict[int, list[dict[str, Any]]] = {ptime: [] for ptime in PTIMES}
    nobody: list[float] = []
    async with stand("ptime", SPEAKERS) as built:
        with bar() as progress:
            for _ in range(chosen.rounds):
                nobody.append(await _nobody(built, chosen.seconds))
                for ptime in PTIMES:
                    found[ptime].append(await _crowd(built, ptime, chosen, progress))
    alone = median_low(nobody)
    lengths = [_summary(ptime, rounds) for ptime, rounds in found.items()]
    added = {each["ptime"]: each["us_per_listener_second"] - 1e6 * alone / chosen.listeners for each in lengths}
    delay = {each["ptime"]: each["mouth_to_ear_p50_ms"] for each in lengths}
    figures: dict[str, Any] = {"listeners": chosen.listeners, "cpu_without_listeners": alone}
    figures |= {f"us_per_listener_second_{each['ptime']}": each["us_per_listener_second"] for each in lengths}
    figures |= {f"added_us_per_listener_second_{ptime}": added[ptime] for ptime in PTIMES}
    for ptime in PTIMES[1:]:
        figures[f"crowd_{ptime}"] = added[SHORT] / added[ptime]
        figures[f"later_{ptime}_ms"] = delay[ptime] - delay[SHORT]
    figures["lost_packets"] = sum(each["lost_packets"] for each in lengths)
    return {**figures, "lengths": lengths}


async def _nobody(built: Stand, seconds: float) -> float:
    """CPU seconds a second that the server spends on those who talk."""
    await asyncio.sleep(SETTLE)
    built.probe.row()
    await asyncio.sleep(seconds)
    return built.probe.row()["process_cpu_s"] / seconds


async def _crowd(built: Stand, ptime: int, chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Let the crowd come, look at what it costs, and let it go again."""
    engine = Engine()
    await engine.start()
    whep = f"{built.venue.whep}?ptime={ptime}"
    await join_at(engine, [whep], chosen.listeners, chosen.join_rate, progress, f"{ptime} ms")
    await asyncio.sleep(SETTLE)
    before = engine.totals()
    built.probe.row()
    engine.snapshot()
    await asyncio.sleep(chosen.seconds)
    relay, ears, after = built.probe.row(), engine.snapshot(), engine.totals()
    found = {
        "us_per_listener_second": 1e6 * relay["process_cpu_s"] / (chosen.listeners * chosen.seconds),
        "us_per_packet": 1e6 * relay["process_cpu_s"] / relay["packets"],
        "fanout_us_per_packet": 1e6 * built.probe.stage_seconds("fan-out") / relay["packets"],
        "packets_per_s": relay["packets"] / chosen.seconds,
        "mouth_to_ear_p50_ms": ears["mouth_to_ear_p50_ms"],
        "late_ticks": late_ticks(built.probe),
        "lost_packets": after["expected"] - after["received"] - before["expected"] + before["received"],
        "generator_cpu": ears["generator_cpu"],
    }
    await engine.stop()
    return found


def _summary(ptime: int, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    summed = ("late_ticks", "lost_packets")
    return {"ptime": ptime} | {
        name: (sum if name in summed else median_low)(each[name] for each in rounds) for name in rounds[0]
    }
