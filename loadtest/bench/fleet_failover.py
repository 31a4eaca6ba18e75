"""A relay of three is killed: the silence of its listeners foretold, then measured as ``relays`` measures it.

What a join costs here is taken from a burst before the kill, beside the same streams, at another size than that of
the kill. The model then follows the dead relay's listeners through the same processes on the same cores.
"""

import asyncio
import os
from dataclasses import replace
from typing import Any

import numpy as np

from loadtest.bench.process_cpu import Cpu
from loadtest.bench.relays import UNDER_WAY, kill_relay
from loadtest.bench.stand import SETTLE, Stand, bar, join_all, now, stand
from sim.fleet.failover import Outage, Retry, fail_over
from sim.fleet.join_path import JoinPath, first_packets
from sim.fleet.spreading import Spreading

SPEAKERS = 2
RELAYS = 3
BURST = 0.2
"""Of the listeners, who join at once before the kill."""
SEED = 1
RETRY = Retry(first_s=0.2, longest_s=0.2, chance=0.0)
"""As the load test's clients do it."""
LATENCY_MAX = 1.0
CLOSE = 1e-3
"""Seconds within which the latency is found."""


async def run(listeners: int, join_rate: float, patience: float, seconds: float) -> dict[str, Any]:
    """``silence_p50_s`` foretold and measured, and by how much they differ."""
    share = -(-(listeners + SPEAKERS) // RELAYS)
    flags = ("--udp-port", "0", "--relays", str(RELAYS), "--listeners-per-relay", str(share))
    burst = max(2, round(BURST * listeners))
    async with stand("failover", SPEAKERS, options=flags) as built:
        with bar() as progress:
            await join_all(built, listeners - burst, join_rate, progress)
            await asyncio.sleep(SETTLE)
            path = await _path(built, burst, seconds)
            await asyncio.sleep(SETTLE)
        space = Spreading(RELAYS, share)
        space.seat(SPEAKERS)
        space.join(listeners)
        outage = Outage(patience_s=UNDER_WAY + patience)
        foretold = fail_over(space, RELAYS - 1, path, outage, RETRY, SEED)
        measured = await kill_relay(built, RELAYS - 1, patience)
    silence = float(measured["sound_again_p50_s"])
    return {
        "silence_p50_planned_s": foretold.p50_s,
        "silence_p50_measured_s": silence,
        "error_failover": abs(foretold.p50_s - silence) / silence,
        "silence_max_planned_s": float(foretold.silence_s.max()),
        "silence_max_measured_s": measured["sound_again_max_s"],
        "interrupted_planned": len(foretold.silence_s),
        "interrupted_measured": measured["interrupted"],
    }


async def _path(built: Stand, burst: int, seconds: float) -> JoinPath:
    """Let so many join at once; return what that says of a join beside these streams."""
    begun, start = now(), Cpu.read(built.server.pid)
    await asyncio.sleep(seconds)
    streaming = (Cpu.read(built.server.pid) - start).scaled(1.0 / (now() - begun))
    begun, start = now(), Cpu.read(built.server.pid)
    with bar() as progress:
        timings = await join_all(built, burst, 1e6, progress)
    used, elapsed = Cpu.read(built.server.pid) - start, now() - begun
    each = (used - streaming.scaled(elapsed)).scaled(1.0 / burst)
    cores = len(os.sched_getaffinity(0))
    path = JoinPath(
        server_s=max(each.server, 0.0),
        relay_s=max(sum(each.relays), 1e-6),
        client_s=max(each.client, 0.0),
        relays=RELAYS,
        cores=cores,
        busy=min(streaming.total, 0.9 * cores),
    )
    took = float(np.median([timing.first_packet_ms for timing in timings])) / 1e3
    return with_latency(path, burst, took)


def with_latency(path: JoinPath, burst: int, median_s: float) -> JoinPath:
    """The path whose burst at one relay takes so long in the median; no latency if it takes longer anyway."""
    low, high = 0.0, LATENCY_MAX
    while high - low > CLOSE:
        middle = (low + high) / 2
        took = first_packets(replace(path, latency_s=middle), np.zeros(burst), SEED, [0] * burst)
        low, high = (middle, high) if float(np.median(took)) < median_s else (low, middle)
    return replace(path, latency_s=low)
