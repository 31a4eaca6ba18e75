"""How many API calls one core answers a second: people join, react, ask to speak and read, all the time.

No media: what enters a person into a Space here is an invitation link that gives a seat, which the rules judge,
the relay hears of and the store keeps. What WHEP and the handshakes cost is measured by ``join``.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from rich.progress import Progress

from loadtest.bench.caller import Calls, Connection, expect, request
from loadtest.bench.join import one_core
from loadtest.bench.result import Target
from loadtest.bench.stand import bar
from loadtest.engine.engine import Engine
from loadtest.lab import Server, server

TARGETS = (Target("requests_per_s", ">=", 1500), Target("p99_ms", "<", 100))
KINDS = ("clap", "heart", "100")
WARM = 1.0
"""Seconds before anything counts."""
USES = 1000
"""Of a link, at the most; each connection has one of its own."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="how long (%(default)s)")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="at a time (%(default)s)")
    parser.add_argument("--spaces", type=int, default=8, metavar="N", help="live Spaces (%(default)s)")


@dataclass(frozen=True)
class Place:
    """A live Space, and a link that gives a seat in it, for one connection."""

    path: str
    code: str


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure calls a second, each connection with one request under way at a time.

    Every connection repeats eight calls of two people, a quarter of each kind. One *joins*: takes a seat by a
    link, and leaves it later. The other has listened since before, with real media in a quiet Space, and *reacts*
    twice, *requests* to speak and takes that back, and *reads* the Space and its stage. Half of the calls change
    what the store must keep before the answer. The server with its relay has the first core to itself, this client
    the others. Delays are as the client sees them.
    """
    with server("--rate-limit", "off") as where:
        places, tokens = await asyncio.to_thread(_open, where, chosen.spaces, chosen.connections)
        calls, engine = Calls(), Engine()
        await engine.start()
        try:
            for place, token in zip(places, tokens[1::2], strict=True):
                await engine.join("listener", f"{where.base}{place.path}/whep", token)
            with bar() as progress, one_core(where.pid):
                elapsed = await _drive(where, places, tokens, calls, chosen.seconds, progress)
        finally:
            await engine.stop()
    every = np.array(list(itertools.chain.from_iterable(calls.seconds.values())))
    by_kind = [
        {
            "kind": kind,
            "calls": len(seconds),
            "p50_ms": round(1e3 * float(np.median(seconds)), 2),
            "p99_ms": round(1e3 * float(np.quantile(seconds, 0.99)), 2),
        }
        for kind, seconds in sorted(calls.seconds.items())
    ]
    return {
        "requests_per_s": every.size / elapsed,
        "p50_ms": 1e3 * float(np.median(every)),
        "p99_ms": 1e3 * float(np.quantile(every, 0.99)),
        "max_ms": 1e3 * float(every.max()),
        "connections": chosen.connections,
        "spaces": chosen.spaces,
        "kinds": by_kind,
    }


def _open(where: Server, spaces: int, connections: int) -> tuple[list[Place], list[str]]:
    """Start Spaces; return a place and two tokens for each connection."""
    with httpx.Client(base_url=where.base, headers={"Authorization": f"Bearer {where.token}"}) as client:

        def call(method: str, path: str, body: Any) -> Any:
            response = client.request(method, path, json=body)
            response.raise_for_status()
            return response.json()

        paths = [f"/spaces/{call('POST', '/spaces', {'title': f'bench {n}'})['id']}" for n in range(spaces)]
        for path in paths:
            call("POST", f"{path}/start", None)
        places: list[Place] = []
        for number in range(connections):
            path = paths[number % spaces]
            link = call("POST", f"{path}/invitation-links", {"role": "speaker", "uses": USES})
            places.append(Place(path, link["code"]))
        users = [f"{who}{number}" for number in range(connections) for who in ("joiner", "listener")]
        tokens = [each["token"] for each in call("POST", "/tokens", {"users": users})["data"]]
    return places, tokens


async def _drive(
    where: Server,
    places: Sequence[Place],
    tokens: Sequence[str],
    calls: Calls,
    seconds: float,
    progress: Progress,
) -> float:
    """Let every connection call until the time is over; return how long that was, without the warm-up."""
    address = urlsplit(where.base)
    assert address.hostname and address.port
    task = progress.add_task("calling", total=round(WARM + seconds))
    connections = [await Connection.open(address.hostname, address.port) for _ in places]
    over = asyncio.Event()
    people = [
        asyncio.create_task(_repeat(connection, place, joiner, listener, calls, over))
        for connection, place, joiner, listener in zip(connections, places, tokens[::2], tokens[1::2], strict=True)
    ]
    await asyncio.sleep(WARM)
    calls.clear()
    begun = time.perf_counter()
    while (left := begun + seconds - time.perf_counter()) > 0 and not any(person.done() for person in people):
        await asyncio.sleep(min(left, 1.0))
        progress.advance(task)
    elapsed = time.perf_counter() - begun
    counted = Calls({kind: list(taken) for kind, taken in calls.seconds.items()})
    over.set()
    await asyncio.gather(*people)
    calls.seconds = counted.seconds
    for connection in connections:
        connection.close()
    return elapsed


async def _repeat(
    connection: Connection, place: Place, joiner: str, listener: str, calls: Calls, over: asyncio.Event
) -> None:
    """Make the eight calls again and again; what is begun is ended."""
    path = place.path
    join = request("POST", f"{path}/invitation-links/{place.code}/accept", joiner)
    leave = request("DELETE", f"{path}/participants/me", joiner)
    ask, withdraw = (
        request("POST", f"{path}/requests", listener),
        request("DELETE", f"{path}/requests/me", listener),
    )
    space, stage = request("GET", path, listener), request("GET", f"{path}/participants", listener)
    react = [request("POST", f"{path}/reactions", listener, {"kind": kind}) for kind in KINDS]
    kinds = itertools.cycle(react)
    while not over.is_set():
        for kind, status, sent in (
            ("join", 200, join),
            ("react", 204, next(kinds)),
            ("request", 201, ask),
            ("read", 200, space),
            ("react", 204, next(kinds)),
            ("read", 200, stage),
            ("request", 204, withdraw),
            ("join", 204, leave),
        ):
            await expect(connection, calls, kind, status, sent)
