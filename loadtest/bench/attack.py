"""What attackers take from those who listen: memory, time, packets, and how much a relay sends to who did not ask.

Five hundred listen in one Space. Meanwhile strangers send headers without end and read no answers, one user makes
the costly calls one after the other, junk comes from 400 sources while others join, a member has the relay send
to somebody else, and a large Space beside this one ends, begins and is left all at once.
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.progress import Progress

from loadtest.bench.attackers.calls import costly, send
from loadtest.bench.attackers.headers import endless_headers
from loadtest.bench.attackers.junk import Junk
from loadtest.bench.attackers.pipelining import unread_answers
from loadtest.bench.attackers.spoofing import (
    Reflection,
    redirected_media,
    relay_address,
    unproven_handshake,
)
from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, Stand, bar, join_all, stand
from loadtest.bench.watch import LoopWatch, MemoryWatch
from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError
from loadtest.lab import invent_users
from loadtest.venue import Host

TARGETS = (
    Target("memory_mb", "<=", 50.0),
    Target("amplification", "<=", 3.0),
    Target("joins_ok", ">=", 50),
    Target("lost_packets", "==", 0),
    Target("tick_late_max_ms", "<=", 10.0),
    Target("loop_block_max_ms", "<=", 20.0),
)
SOURCES = 400
JOIN_RATE = 10.0
"""Joins a second, while junk comes."""
SOON = 2.0
"""Seconds in which each of them is to hear."""
PIPELINES = 40
HTTP_SECONDS = 60.0
"""Seconds after which the flood of headers ends, however little was taken."""
REPEATS = 3
"""Of each costly call."""
PATIENCE = 120.0
"""Seconds that a server may take to answer again."""
WATCH = 0.4
"""Seconds between two looks at the latest tick, of which the relay remembers a second."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument(
        "--listeners", type=int, default=500, metavar="N", help="who must not notice (%(default)s)"
    )
    parser.add_argument("--megabytes", type=float, default=900.0, metavar="MB", help="of headers (%(default)s)")
    parser.add_argument("--pipelined", type=int, default=100, metavar="KB", help="on each of 40 (%(default)s)")
    parser.add_argument("--users", type=int, default=2000, metavar="N", help="with posts, to search (%(default)s)")
    parser.add_argument("--ended", type=int, default=1000, metavar="N", help="Spaces to list (%(default)s)")
    parser.add_argument("--junk-rate", type=float, default=100_000, metavar="N", help="a second (%(default)s)")
    parser.add_argument("--joins", type=int, default=50, metavar="N", help="while junk comes (%(default)s)")
    parser.add_argument("--reflected", type=float, default=16.0, metavar="S", help="of listening (%(default)s s)")
    parser.add_argument("--crowd", type=int, default=2000, metavar="N", help="of the Space beside (%(default)s)")
    parser.add_argument("--join-rate", type=float, default=150.0, metavar="N", help="a second (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run one attack after the other; ``lost_packets`` is of those who listen, over all of them.

    ``memory_mb`` is the growth of all the server's processes at its largest, while connections are held open.
    ``loop_block_max_ms`` is the longest wait of ``/healthz`` during a costly call, in CPU time of the server's
    process; ``calls`` has each. ``amplification`` is the worst of ``reflections``: bytes out per byte in.
    """
    async with stand("attack", 1) as built:
        with bar() as progress:
            token = await _furnish(built, chosen)
            await join_all(built, chosen.listeners, chosen.join_rate, progress)
            await asyncio.sleep(SETTLE)
            built.engine.snapshot()
            before = built.engine.totals()
            figures = await _strangers(built, chosen, progress)
            figures |= await _calls(built, token, progress)
            figures |= await _junk(built, chosen, progress)
            figures |= await _reflections(built, chosen, figures.pop("junk_factor"), progress)
            figures |= await _crowd_beside(built, chosen, progress)
            await asyncio.sleep(SETTLE)
            after = built.engine.totals()
    lost = (after["expected"] - after["received"]) - (before["expected"] - before["received"])
    return {"listeners": chosen.listeners, **figures, "lost_packets": lost}


async def _furnish(built: Stand, chosen: argparse.Namespace) -> str:
    """Invent users with posts, and Spaces that have ended; return the token of an ordinary user."""
    with tempfile.TemporaryDirectory(prefix="spaces-attack-") as folder:
        await asyncio.to_thread(invent_users, built.server, chosen.users, Path(folder))
    headers = {"Authorization": f"Bearer {built.server.token}"}
    async with httpx.AsyncClient(base_url=built.server.base, headers=headers, timeout=30.0) as http:
        for number in range(chosen.ended):
            made = await http.post("/spaces", json={"title": f"jazz of evening {number}"})
            made.raise_for_status()
            for step in ("start", "end"):
                (await http.post(f"/spaces/{made.json()['id']}/{step}")).raise_for_status()
        made = await http.post("/tokens", json={"users": ["attacker"]})
        made.raise_for_status()
        return made.json()["data"][0]["token"]


async def _strangers(built: Stand, chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Headers without end, and answers that nobody reads."""
    task = progress.add_task("headers, unread answers", total=2)
    host, port = _place(built)
    memory = MemoryWatch(built.server.pid)
    endless = await asyncio.to_thread(endless_headers, host, port, int(1e6 * chosen.megabytes), HTTP_SECONDS)
    progress.advance(task)
    unread = await asyncio.to_thread(unread_answers, host, port, PIPELINES, 1000 * chosen.pipelined)
    await asyncio.sleep(SETTLE)
    grown = memory.stop()
    endless.close()
    unread.close()
    progress.advance(task)
    return {
        "memory_mb": grown,
        "answers_again_s": await _recovered(built),
        "headers_sent_mb": endless.octets / 1e6,
        "headers_refused": endless.refusals,
        "pipelined_kb": unread.octets / 1e3,
        "pipelines_refused": unread.refusals,
    }


async def _calls(built: Stand, token: str, progress: Progress) -> dict[str, Any]:
    """Each costly call, while somebody looks whether the server answers."""
    host, port = _place(built)
    watch = LoopWatch(host, port, built.server.pid)
    await asyncio.sleep(SETTLE)
    idle = watch.take()
    rows: list[dict[str, Any]] = []
    with httpx.Client(base_url=built.server.base, timeout=30.0) as http:
        for name, request in progress.track(costly(token), description="costly calls"):
            watch.take()
            begun = time.perf_counter()
            statuses = [await asyncio.to_thread(send, http, request) for _ in range(REPEATS)]
            took = (time.perf_counter() - begun) / REPEATS
            await asyncio.sleep(0.1)
            rows.append(
                {
                    "call": name,
                    "status": statuses[-1],
                    "block_ms": round(1e3 * watch.take(), 2),
                    "answer_ms": round(1e3 * took, 2),
                }
            )
    watch.stop()
    return {
        "loop_block_max_ms": max(row["block_ms"] for row in rows),
        "loop_block_idle_ms": 1e3 * idle,
        "calls": rows,
    }


async def _junk(built: Stand, chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Junk from many sources, while others join."""
    task = progress.add_task("joins beside junk", total=chosen.joins)
    junk = Junk(await asyncio.to_thread(relay_address, built.venue.whep), SOURCES, chosen.junk_rate)
    delays: list[float | None] = []

    async def join(number: int) -> None:
        await asyncio.sleep(number / JOIN_RATE)
        begun = time.monotonic()
        try:
            await asyncio.wait_for(built.engine.join("listener", built.venue.whep), 10 * SOON)
            delays.append(time.monotonic() - begun)
        except (JoinError, TimeoutError):
            delays.append(None)
        progress.advance(task)

    await asyncio.gather(*(join(number) for number in range(chosen.joins)))
    per_second = junk.stop()
    came = [delay for delay in delays if delay is not None]
    in_time = sum(delay <= SOON for delay in came)
    return {
        "junk_per_s": per_second,
        "joins_ok": in_time,
        "join_max_s": max(came, default=float("inf")),
        "junk_factor": junk.answered / max(1, 20 * junk.sent),
    }


async def _reflections(
    built: Stand, chosen: argparse.Namespace, junk: float, progress: Progress
) -> dict[str, Any]:
    """What a member makes the relay send to others."""
    kinds = (("redirected media", redirected_media), ("unproven handshake", unproven_handshake))
    rows: list[dict[str, Any]] = [{"kind": "junk", "sent": None, "received": None, "factor": round(junk, 2)}]
    for name, attack in progress.track(kinds, description="reflections"):
        found: Reflection = await asyncio.to_thread(attack, built.venue.whep, chosen.reflected)
        factor = round(found.factor, 2)
        rows.append({"kind": name, "sent": found.sent, "received": found.received, "factor": factor})
    return {"amplification": max(row["factor"] for row in rows), "reflections": rows}


async def _crowd_beside(built: Stand, chosen: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """A large Space on the same relay: it is joined, ends, is joined again, and is left by all at once."""
    latest: dict[str, float] = {}
    crowd = chosen.crowd
    for what in ("end", "leave"):
        engine = Engine()
        await engine.start()
        with ExitStack() as stack:
            host = stack.enter_context(Host(built.server.base, built.server.token))
            venue = host.open(f"beside, {what}", 1)
            joining = _come(engine, venue.whep, chosen, progress, f"crowd to {what}")
            latest[f"tick_late_join_{what}_ms"] = await _late_during(built, joining)
            crowd = min(crowd, engine.totals()["members"])
            if what == "end":
                latest["tick_late_end_ms"] = await _late_during(built, asyncio.to_thread(host.close))
            else:
                latest["tick_late_leave_ms"] = await _late_during(built, engine.stop())
        if what == "end":
            await engine.stop()
    return {"crowd": crowd, "tick_late_max_ms": max(latest.values()), **latest}


async def _come(engine: Engine, whep: str, chosen: argparse.Namespace, progress: Progress, who: str) -> None:
    """Let the crowd join, evenly spaced; who does not get in stays away."""
    task = progress.add_task(who, total=chosen.crowd)

    async def join(number: int) -> None:
        await asyncio.sleep(number / chosen.join_rate)
        with suppress(JoinError):
            await engine.join("listener", whep)
        progress.advance(task)

    await asyncio.gather(*(join(number) for number in range(chosen.crowd)))


async def _late_during(built: Stand, work: Any) -> float:
    """Milliseconds of the relay's latest tick during some work and a moment after it."""
    found = [0.0]

    async def watch() -> None:
        while True:
            row = await asyncio.to_thread(built.probe.row)
            found.append(row["tick_late_max_ms"])
            await asyncio.sleep(WATCH)

    await asyncio.sleep(1.0 + WATCH)  # until the relay has forgotten what was before
    watching = asyncio.create_task(watch())
    await work
    await asyncio.sleep(SETTLE)
    watching.cancel()
    return max(found)


async def _recovered(built: Stand) -> float:
    """Seconds until the server answers again."""
    begun = time.monotonic()
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        (await http.get(f"{built.server.base}/healthz")).raise_for_status()
    return time.monotonic() - begun


def _place(built: Stand) -> tuple[str, int]:
    where = urlsplit(built.server.base)
    assert where.hostname and where.port
    return where.hostname, where.port
