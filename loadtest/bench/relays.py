"""One Space on several relay processes: what that costs, and who notices when one of them is killed.

The same crowd joins a server with one relay, with two and with three, and is spread evenly over them. On one
machine more relays than cores do not serve more listeners; what is measured is what a relay more costs, with its
link, and that links lose nothing. ``us_per_packet`` is CPU of all relay processes per packet that a listener
received. ``cpu_per_idle_relay`` is what one more takes while all are on one (its ticks), as a share of a core, and
``cpu_per_link`` what it takes beyond that once it has a share of the crowd, which costs the same anywhere.

Then, with the most relays, the one is killed that the Space reached last. A listener who has heard nothing for
``--patience`` seconds joins again, as someone does whose sound has stopped; a client that waits for consent checks
to fail needs 15 s (RFC 7675). ``sound_again`` counts from the kill to the first packet of the new session.
"""

import argparse
import asyncio
import os
import re
import signal
from typing import Any

import httpx
import numpy as np

from loadtest.bench.process_cpu import relay_processes
from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, Stand, bar, join_all, late_ticks, now, stand
from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError

TARGETS = (
    Target("lost_packets", "==", 0),
    Target("link_packets_lost", "==", 0),
    Target("interrupted_others", "==", 0, optional=True),
    Target("lost_packets_at_kill", "==", 0, optional=True),
)
SPEAKERS = 2
CPU = "spaces_relay_process_cpu_seconds_total"
"""CPU of the relay processes; not that of the server."""
UNDER_WAY = 0.1
"""Seconds after the kill in which packets of the dead relay may still arrive."""
RETRY_AFTER = 0.2
GIVE_UP = 15.0
"""Seconds after the kill until who has not got in again is an error."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=300, metavar="N", help="in one Space (%(default)s)")
    parser.add_argument("--relays", default="1,2,3", metavar="N[,N]", help="relay processes (%(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each number of relays (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=150.0, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--patience", type=float, default=1.0, metavar="S", help="of silence (%(default)s s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures of each number of relays in ``steps``; those of the kill if there is more than one relay."""
    counts = sorted(int(each) for each in str(chosen.relays).split(","))
    steps: list[dict[str, Any]] = []
    figures: dict[str, Any] = {"listeners": chosen.listeners}
    with bar() as progress:
        for relays in counts:
            share = -(-(chosen.listeners + SPEAKERS) // relays)
            flags = ("--udp-port", "0", "--relays", str(relays), "--listeners-per-relay", str(share))
            async with stand("relays", SPEAKERS, options=flags) as built:
                idle = await _relay_cpu(built, chosen.seconds)
                await join_all(built, chosen.listeners, chosen.join_rate, progress)
                await asyncio.sleep(SETTLE)
                steps.append({"relays": relays, "idle_cpu": idle, **await _step(built, chosen.seconds)})
                if relays == counts[-1] > 1:
                    figures |= await kill_relay(built, relays - 1, chosen.patience)
    for step in steps:
        figures[f"us_per_packet_{step['relays']}"] = step["us_per_packet"]
    few, many = steps[0], steps[-1]
    if few is not many:
        further = many["relays"] - few["relays"]
        idle = (many["idle_cpu"] - few["idle_cpu"]) / further
        figures["cpu_per_idle_relay"] = idle
        figures["cpu_per_link"] = (many["relay_cpu"] - few["relay_cpu"]) / further - idle
    figures |= {name: sum(step[name] for step in steps) for name in ("lost_packets", "link_packets_lost")}
    return {**figures, "steps": steps}


async def _relay_cpu(built: Stand, seconds: float) -> float:
    """Share of a core that all relay processes take."""
    built.probe.row()
    await asyncio.sleep(seconds)
    built.probe.row()
    return built.probe.grown(CPU) / seconds


async def _step(built: Stand, seconds: float) -> dict[str, Any]:
    before = built.engine.totals()
    relay_cpu = await _relay_cpu(built, seconds)
    after = built.engine.totals()
    received = after["received"] - before["received"]
    sessions = _each(built, "spaces_relay_process_sessions")
    return {
        "sessions": "+".join(f"{sessions[index]:.0f}" for index in sorted(sessions)),
        "relay_cpu": relay_cpu,
        "us_per_packet": 1e6 * relay_cpu * seconds / received,
        "packets_per_s": received / seconds,
        "lost_packets": after["expected"] - before["expected"] - received,
        "link_packets_per_s": built.probe.grown("spaces_relay_link_packets_total") / seconds,
        "link_packets_lost": int(built.probe.grown("spaces_relay_link_packets_lost_total")),
        "late_ticks": late_ticks(built.probe),
    }


async def kill_relay(built: Stand, index: int, patience: float) -> dict[str, Any]:
    """Kill a relay that is not the Space's home, and let those who then hear nothing join again."""
    engine, before = built.engine, built.engine.totals()
    served = int(_each(built, "spaces_relay_process_sessions")[index])
    os.kill(relay_processes(built.server.pid)[index], signal.SIGKILL)
    killed = now()
    back = asyncio.create_task(_back(built, index, killed))
    await asyncio.sleep(UNDER_WAY)
    heard = engine.received()
    await asyncio.sleep(patience)
    silent = [number for number, packets in engine.received().items() if packets == heard.get(number)]
    again = await asyncio.gather(*(_rejoin(engine, number, built.venue.whep, killed) for number in silent))
    returned = await back
    await asyncio.sleep(SETTLE)
    after = engine.totals()
    lost = after["expected"] - after["received"] - before["expected"] + before["received"]
    return {
        "interrupted": len(silent),
        "interrupted_others": len(silent) - served,
        "lost_packets_at_kill": lost,
        "sound_again_p50_s": float(np.quantile(again, 0.5)),
        "sound_again_max_s": max(again),
        "relay_back_s": returned,
    }


async def _rejoin(engine: Engine, number: int, whep: str, killed: float) -> float:
    """Seconds from the kill until somebody has sound again; :raises JoinError: they do not get in."""
    while True:
        try:
            await engine.join("listener", whep)
            break
        except JoinError:
            if now() - killed > GIVE_UP:
                raise
            await asyncio.sleep(RETRY_AFTER)
    seconds = now() - killed
    await engine.leave(number)
    return seconds


async def _back(built: Stand, index: int, killed: float) -> float:
    """Seconds from the kill until a relay lives again in the same place."""
    while now() - killed < GIVE_UP:
        await asyncio.sleep(0.05)
        page = await asyncio.to_thread(_metrics, built)
        if (
            _value(page, "spaces_relay_process_restarts_total", index)
            == 1
            == _value(page, "spaces_relay_process_up", index)
        ):
            return now() - killed
    raise JoinError(f"relay {index} was killed and is not back after {GIVE_UP:.0f} s")


def _metrics(built: Stand) -> str:
    return httpx.get(f"{built.server.base}/metrics").text


def _each(built: Stand, name: str) -> dict[int, float]:
    """A metric of each relay, by its number."""
    page = _metrics(built)
    found = re.findall(rf'^{name}{{relay="(\d+)"}} (\S+)$', page, re.MULTILINE)
    return {int(relay): float(value) for relay, value in found}


def _value(page: str, name: str, index: int) -> float | None:
    found = re.search(rf'^{name}{{relay="{index}"}} (\S+)$', page, re.MULTILINE)
    return float(found[1]) if found else None
