"""How long anybody is still heard after the kill switch: all Spaces end in one call.

Real relay and server, in each Space a speaker who talks without a pause and listeners by WHEP. From before the
call is sent until the last packet with a sound in it has arrived at any listener of any Space, by the kernel's
time stamp; and whether the relay has told every listener that it is over (RTCP BYE).
"""

import argparse
import asyncio
from typing import Any

import httpx
import numpy as np

from loadtest.bench.result import Target
from loadtest.bench.stand import bar, now
from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError
from loadtest.engine.probe import Witness
from loadtest.engine.probes import Probes
from loadtest.lab import Server, server
from loadtest.venue import Host, Venue

TARGETS = (
    Target("to_silence_max_ms", "<=", 100),
    Target("still_heard", "==", 0),
    Target("without_goodbye", "==", 0),
    Target("ended_twice", "==", 0),
)
QUIET = 1.0
"""Seconds after the call for which is listened whether anything still comes."""
HEARD = 5
"""Packets by which a speaker is known to be heard."""
PATIENCE = 20.0
"""Seconds until they must be."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--spaces", type=int, default=12, metavar="N", help="that are live (%(default)s)")
    parser.add_argument("--listeners", type=int, default=4, metavar="N", help="of each (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Every round makes its Spaces anew, ends them all, and asks for the same once more."""
    engine, probes = Engine(), Probes()
    silences, calls, ended = list[float](), list[float](), list[int]()
    still_heard = without_goodbye = ended_twice = 0
    with server() as where, bar() as progress:
        task = progress.add_task("rounds", total=chosen.rounds)
        probes.start()
        await engine.start()
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as http:
                for _ in range(chosen.rounds):
                    witnesses = await _fill(where, engine, probes, chosen)
                    begun = now()
                    ended.append(await _end_all(http, where))
                    calls.append(now() - begun)
                    await asyncio.sleep(QUIET)
                    last = [witness.last() for witness in witnesses]
                    silences.append(max(0.0, max(last) - begun))
                    still_heard += sum(each > begun + QUIET - 0.1 for each in last)
                    without_goodbye += sum(not witness.ended for witness in witnesses)
                    ended_twice += await _end_all(http, where)
                    progress.advance(task)
        finally:
            await engine.stop()
            await probes.stop()
    return {
        "spaces": chosen.spaces,
        "listeners": chosen.spaces * chosen.listeners,
        "ended": min(ended),
        "to_silence_p50_ms": 1e3 * float(np.quantile(silences, 0.5)),
        "to_silence_max_ms": 1e3 * max(silences),
        "call_max_ms": 1e3 * max(calls),
        "still_heard": still_heard,
        "without_goodbye": without_goodbye,
        "ended_twice": ended_twice,
    }


async def _fill(where: Server, engine: Engine, probes: Probes, chosen: argparse.Namespace) -> list[Witness]:
    """Make Spaces in which somebody is heard by everyone."""
    witnesses: list[Witness] = []
    for number in range(chosen.spaces):
        venue = _venue(where, number)
        await engine.join("speaker", venue.whip, venue.speaker_tokens[0], seed=number, continuous=True)
        witnesses += [await probes.witness(venue.whep) for _ in range(chosen.listeners)]
    deadline = now() + PATIENCE
    since = now()
    while min(witness.count(since) for witness in witnesses) < HEARD:
        if now() > deadline:
            raise JoinError("a speaker is not heard, and so cannot be silenced")
        await asyncio.sleep(0.05)
    return witnesses


def _venue(where: Server, number: int) -> Venue:
    return Host(where.base, where.token).open(f"to be ended {number}", 1)


async def _end_all(http: httpx.AsyncClient, where: Server) -> int:
    headers = {"Authorization": f"Bearer {where.token}"}
    response = await http.post(f"{where.base}/2/moderation/end-spaces", headers=headers, json={})
    if response.is_error:
        raise JoinError(f"the kill switch was answered {response.status_code}: {response.text[:300]}")
    return int(response.json()["data"]["ended_count"])
