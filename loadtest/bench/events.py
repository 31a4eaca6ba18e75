"""How soon a thousand readers know what happened in a Space, and what ten thousand reactions a second do to them.

The readers are real streams over HTTP on loopback. They, the causes and the reactions are of this process, the
server is another. A cause is a call by which the host mutes or unmutes; what it causes is a ``stage`` event.
From before the call is sent until its last byte has arrived is one sample for each reader, on one clock.
"""

import argparse
import asyncio
import json
import resource
from typing import Any

import httpx
import numpy as np
from rich.progress import Progress

from loadtest.bench.crowd import Reader, Repeater, connect, request
from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, Stand, bar, now, stand

TARGETS = (
    Target("p99_ms", "<=", 500),
    Target("busy_p99_ms", "<=", 500),
    Target("reactions_per_s", ">=", 10_000),
    Target("events_per_listener_s", "<=", 2),
    Target("lost_events", "==", 0),
)
GAP = 0.2
"""Seconds between two causes: more than those in which a burst of changes is told as one."""
PATIENCE = 10.0
"""Seconds after which an event is lost."""
WARM = 3
"""Causes before the first that counts."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument(
        "--readers", type=int, default=1000, metavar="N", help="streams of one Space (%(default)s)"
    )
    parser.add_argument("--causes", type=int, default=30, metavar="N", help="changes of the stage (%(default)s)")
    parser.add_argument("--reactors", type=int, default=50, metavar="N", help="people who react (%(default)s)")
    parser.add_argument(
        "--reactions", type=int, default=10_000, metavar="N", help="a second, of them all (%(default)s)"
    )
    parser.add_argument(
        "--taps", type=int, default=10, metavar="N", help="reactions in a request, 1 to 10 (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="of reactions (%(default)s)")


class Audience:
    """Everyone who reads, and the times at which they knew."""

    def __init__(self) -> None:
        self.readers: list[Reader] = []
        self.samples: list[float] = []
        self.lost = 0
        self._cause = 0.0
        self._muted = False
        self._missing = 0
        self._all = asyncio.Event()

    async def open(self, built: Stand, number: int, progress: Progress) -> None:
        """Let that many connect, a hundred at a time."""
        path = f"/spaces/{built.venue.space}/events"
        tokens = await _tokens(built, [f"reader{each}" for each in range(number)])
        for start in progress.track(range(0, number, 100), description="readers"):
            part = [
                Reader(request("GET", path, token), b"stage", self._seen) for token in tokens[start : start + 100]
            ]
            await asyncio.gather(*(connect(built.venue.base, reader) for reader in part))
            self.readers += part
        while not all(reader.counts[b"pulse"] for reader in self.readers):
            await asyncio.sleep(0.05)

    async def cause(self, client: httpx.AsyncClient, me: str) -> None:
        """Mute or unmute, whichever is a change, and wait until all know."""
        self._missing = sum(not reader.ended for reader in self.readers)
        self.lost += len(self.readers) - self._missing
        self._all.clear()
        self._cause = now()
        self._muted = not self._muted
        (await client.post(f"{me}/{'mute' if self._muted else 'unmute'}")).raise_for_status()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._all.wait()
        except TimeoutError:
            self.lost += self._missing

    def events(self) -> np.ndarray:
        """Return how many events each reader has been told of."""
        return np.array([sum(reader.counts.values()) for reader in self.readers])

    def close(self) -> None:
        """Let all go."""
        for reader in self.readers:
            reader.transport.abort()

    def _seen(self, when: float) -> None:
        self.samples.append(when - self._cause)
        self._missing -= 1
        if not self._missing:
            self._all.set()


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Causes in a quiet Space, then while people react, and after that reactions alone for the pulses' number.

    Every reaction comes over HTTP, ``reactions_per_request`` of one person at a time, as a client sends what was
    tapped in a moment; ``--taps 1`` shows how many single requests the server takes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * chosen.readers + 1024)), hard))
    audience = Audience()
    async with stand("events", 1) as built:
        with bar() as progress:
            repeaters = await _reactors(built, chosen, progress)
            await audience.open(built, chosen.readers, progress)
            await asyncio.sleep(SETTLE)
            quiet = await _causes(built, audience, chosen.causes, progress, "quiet")
            storm = await _storm(built, audience, repeaters, chosen, progress)
        dropped = _metric(built, "spaces_event_readers_dropped_total")
        audience.close()
    return {
        "readers": chosen.readers,
        "causes": chosen.causes,
        **quiet,
        **storm,
        "lost_events": audience.lost,
        "dropped_readers": int(dropped),
    }


async def _causes(
    built: Stand, audience: Audience, number: int, progress: Progress, what: str
) -> dict[str, float]:
    venue, prefix = built.venue, "" if what == "quiet" else f"{what}_"
    me = f"{venue.base}/spaces/{venue.space}/participants/me"
    headers = {"Authorization": f"Bearer {venue.speaker_tokens[0]}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client:
        for each in progress.track(range(WARM + number), description=what):
            if each == WARM:
                audience.samples.clear()
            await audience.cause(client, me)
            await asyncio.sleep(GAP)
    samples = 1e3 * np.array(audience.samples)
    return {
        f"{prefix}p50_ms": float(np.quantile(samples, 0.5)),
        f"{prefix}p99_ms": float(np.quantile(samples, 0.99)),
        f"{prefix}max_ms": float(samples.max()),
    }


async def _reactors(built: Stand, chosen: argparse.Namespace, progress: Progress) -> list[Repeater]:
    """Let people listen, who alone may react."""
    tokens = await _tokens(built, [f"reactor{each}" for each in range(chosen.reactors)])
    body = {"kind": "clap"} | ({"count": chosen.taps} if chosen.taps > 1 else {})
    sent = [
        request("POST", f"/spaces/{built.venue.space}/reactions", token, json.dumps(body).encode())
        for token in tokens
    ]
    for token in progress.track(tokens, description="reactors"):
        await built.engine.join("listener", built.venue.whep, token)
    repeaters = [Repeater(each, b"HTTP/1.1 204") for each in sent]
    for repeater in repeaters:
        await connect(built.venue.base, repeater)
    return repeaters


async def _storm(
    built: Stand, audience: Audience, repeaters: list[Repeater], chosen: argparse.Namespace, progress: Progress
) -> dict[str, Any]:
    """Everyone reacts; first the stage changes meanwhile, then nothing else happens."""
    rate = chosen.reactions / chosen.taps / len(repeaters)
    for number, repeater in enumerate(repeaters):
        repeater.start(rate, number / len(repeaters) / rate)
    try:
        busy = await _causes(built, audience, chosen.causes, progress, "busy")
        await asyncio.sleep(GAP)
        built.probe.row()
        before, answered, begun = audience.events(), sum(each.answered for each in repeaters), now()
        for _ in progress.track(range(round(chosen.seconds)), description="reactions"):
            await asyncio.sleep(chosen.seconds / round(chosen.seconds))
        elapsed = now() - begun
        requests = (sum(each.answered for each in repeaters) - answered) / elapsed
        told = (audience.events() - before) / elapsed
        cpu = built.probe.row()["process_cpu_s"] / elapsed
    finally:
        for repeater in repeaters:
            repeater.stop()
    waits = 1e3 * np.concatenate([each.latest for each in repeaters])
    return {
        **busy,
        "reactions_per_s": requests * chosen.taps,
        "http_requests_per_s": requests,
        "reactions_per_request": chosen.taps,
        "request_p99_ms": float(np.quantile(waits, 0.99)),
        "refused_requests": sum(each.refused for each in repeaters),
        "events_per_listener_s": float(told.mean()),
        "events_per_listener_max_s": float(told.max()),
        "server_cpu": cpu,
    }


async def _tokens(built: Stand, users: list[str]) -> list[str]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {built.server.token}"}) as client:
        response = await client.post(f"{built.server.base}/tokens", json={"users": users}, timeout=PATIENCE)
        response.raise_for_status()
        return [each["token"] for each in response.json()["data"]]


def _metric(built: Stand, name: str) -> float:
    lines = httpx.get(f"{built.server.base}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
