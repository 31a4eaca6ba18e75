"""How many reports one core takes a second, how fast reviewers get cases, how soon a decision is silence.

Three parts, over HTTP and with the real relay. *Reports*: people report others in live Spaces until so many cases
are open, every second matter twice; each is answered once it is stored. *Claims*: eight reviewers take case after
case from that heap, on SQLite and on PostgreSQL. *Silence*: somebody who talks is reported, claimed and decided
about, from before the decision is sent until the last packet of theirs at any listener.
"""

import argparse
import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from loadtest.bench.caller import Calls, Connection, expect, request
from loadtest.bench.join import one_core
from loadtest.bench.postgresql import empty_database, postgresql
from loadtest.bench.result import Target
from loadtest.bench.revoke import PATIENCE, Trial
from loadtest.bench.stand import bar
from loadtest.engine.engine import Engine
from loadtest.engine.probes import Probes
from loadtest.lab import Server, server
from loadtest.venue import Host, Venue

TARGETS = (
    Target("reports_per_s", ">=", 1_000),
    Target("decision_to_silence_p99_ms", "<=", 100),
    Target("claim_p99_ms", "<=", 10),
    Target("claim_max_ms", "<=", 250),
    Target("double_claims", "==", 0),
)
CATEGORIES = (
    *("threat to life", "child safety", "violence", "hate", "harassment", "self-harm", "illegal goods", "privacy"),
    *("impersonation", "intellectual property", "misinformation", "disturbance", "spam", "other"),
)
REVIEWERS = 8
MATTERS = 30
"""That one person reports, which is as many as an hour allows."""
THINK = 0.1
"""Mean seconds between a reviewer's two claims; people take minutes."""
KINDS = ("mute", "revoke", "remove", "suspend")
_ACTION = {
    "mute": "mute",
    "revoke": "remove speech rights",
    "remove": "remove from the Space",
    "suspend": "suspend",
}


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--cases", type=int, default=100_000, metavar="N", help="that are open (%(default)s)")
    parser.add_argument("--spaces", type=int, default=8, metavar="N", help="live Spaces (%(default)s)")
    parser.add_argument("--connections", type=int, default=48, metavar="N", help="of reporters (%(default)s)")
    parser.add_argument("--claims", type=int, default=4_000, metavar="N", help="on each database (%(default)s)")
    parser.add_argument("--rounds", type=int, default=25, metavar="N", help="of each action (%(default)s)")
    parser.add_argument("--listeners", type=int, default=4, metavar="N", help="who hear it (%(default)s)")
    parser.add_argument("--no-postgresql", action="store_true", help="measure SQLite only")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure all three parts; the figures of claims are the worse of the two databases."""
    found = [await _queue(chosen, "sqlite", ())]
    if not chosen.no_postgresql:
        with postgresql() as url:
            if url:
                address = await empty_database(url, "bench_moderation")
                found.append(await _queue(chosen, "postgresql", ("--database", address)))
    seconds = await _silence(chosen)
    return {
        "reports_per_s": found[0]["reports_per_s"],
        "decision_to_silence_p50_ms": 1e3 * float(np.quantile(seconds, 0.5)),
        "decision_to_silence_p99_ms": 1e3 * float(np.quantile(seconds, 0.99)),
        "decision_to_silence_max_ms": 1e3 * float(np.max(seconds)),
        "decisions": len(seconds),
        "claim_p99_ms": max(each["claim_p99_ms"] for each in found),
        "claim_max_ms": max(each["claim_max_ms"] for each in found),
        "double_claims": sum(each["double_claims"] for each in found),
        "reviewers": REVIEWERS,
        "databases": [{k: round(v, 2) if isinstance(v, float) else v for k, v in each.items()} for each in found],
    }


async def _queue(chosen: argparse.Namespace, name: str, more: Sequence[str]) -> dict[str, Any]:
    """Open the cases on one database, and claim from them."""
    engine = Engine()
    with server("--rate-limit", "off", *more) as where:
        spaces, people = await asyncio.to_thread(_open, where, chosen.spaces, chosen.cases)
        await engine.start()
        try:
            for space, host in spaces:  # a Space without its host ends by itself
                await engine.join("speaker", f"{where.base}/spaces/{space}/whip", host)
            sent = await asyncio.to_thread(_reports, where, [space for space, _ in spaces], people, chosen.cases)
            with one_core(where.pid):
                calls, elapsed = await _flood(where, sent, chosen.connections)
                claims = await _claim(where, chosen.claims)
        finally:
            await engine.stop()
    reports, taken = np.array(calls.seconds["report"]), np.array(claims.seconds["claim"])
    return {
        "database": name,
        "cases": chosen.cases,
        "reports": reports.size,
        "reports_per_s": reports.size / elapsed,
        "report_p99_ms": 1e3 * float(np.quantile(reports, 0.99)),
        "claims": taken.size,
        "claim_p50_ms": 1e3 * float(np.quantile(taken, 0.5)),
        "claim_p99_ms": 1e3 * float(np.quantile(taken, 0.99)),
        "claim_max_ms": 1e3 * float(taken.max()),
        "double_claims": claims.doubles,
    }


def _open(where: Server, spaces: int, cases: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Start Spaces with invited people who can be reported; return each with its host's token, and the people."""
    people = [f"person{number}" for number in range(-(-cases // (spaces * len(CATEGORIES))))]
    hosts = [f"host{number}" for number in range(spaces)]
    with httpx.Client(base_url=where.base, timeout=60) as client:

        def call(token: str, method: str, path: str, body: Any = None) -> Any:
            response = client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
            response.raise_for_status()
            return response.json()

        tokens = [each["token"] for each in call(where.token, "POST", "/tokens", {"users": hosts})["data"]]
        opened: list[tuple[str, str]] = []
        for token in tokens:
            space = str(call(token, "POST", "/spaces", {"title": "bench"})["id"])
            for person in people:
                call(token, "POST", f"/spaces/{space}/invitations", {"user_id": person})
            call(token, "POST", f"/spaces/{space}/start")
            opened.append((space, token))
    return opened, people


def _reports(where: Server, spaces: Sequence[str], people: Sequence[str], cases: int) -> list[bytes]:
    """Return the requests: a matter each, and every second one a second time by somebody else."""
    reporters = -(-cases // MATTERS)
    names = [f"{crowd}{number}" for crowd in ("first", "second") for number in range(reporters)]
    tokens: list[str] = []
    with httpx.Client(
        base_url=where.base, timeout=60, headers={"Authorization": f"Bearer {where.token}"}
    ) as client:
        for start in range(0, len(names), 10_000):
            made = client.post("/tokens", json={"users": names[start : start + 10_000]})
            tokens += [each["token"] for each in made.raise_for_status().json()["data"]]
    matters = list(itertools.islice(itertools.product(people, CATEGORIES, spaces), cases))
    random.Random(1).shuffle(matters)
    sent: list[bytes] = []
    for number, (person, category, space) in enumerate(matters):
        body = {"space_id": space, "user_id": person, "category": category, "text": "Heard it just now."}
        for crowd in range(1 + number % 2):
            sent.append(request("POST", "/2/reports", tokens[crowd * reporters + number // MATTERS], body))
    return sent


async def _flood(where: Server, sent: Sequence[bytes], connections: int) -> tuple[Calls, float]:
    """Send all reports, each connection one at a time; return what they took, and how long all did (seconds)."""
    calls, waiting = Calls(), iter(sent)
    opened = [await _connect(where) for _ in range(connections)]

    async def send(connection: Connection) -> None:
        for one in waiting:
            await expect(connection, calls, "report", 201, one)

    with bar() as progress:
        task = progress.add_task("reporting", total=len(sent))
        begun = time.perf_counter()
        work = asyncio.gather(*map(send, opened))
        while not work.done():
            await asyncio.wait([work], timeout=1)
            progress.update(task, completed=len(calls.seconds.get("report", ())))
        elapsed = time.perf_counter() - begun
        work.result()
    for connection in opened:
        connection.close()
    return calls, elapsed


class Claims(Calls):
    """Claims, and how often one was made of a case that somebody had."""

    doubles = 0


async def _claim(where: Server, wanted: int) -> Claims:
    """Let reviewers claim cases, all of which they keep: each must be theirs alone."""
    names = [f"reviewer{number}" for number in range(REVIEWERS)]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {where.token}"}) as client:
        made = await client.post(f"{where.base}/tokens", json={"users": names, "roles": ["reviewer"]})
    claims, held, turns = Claims(), set[str](), iter(range(wanted))

    async def review(token: str, seed: int) -> None:
        connection, draw = await _connect(where), random.Random(seed)
        one = request("POST", "/2/moderation/claims", token, {})
        for _ in turns:
            await asyncio.sleep(draw.expovariate(1 / THINK))
            case = json.loads(await expect(connection, claims, "claim", 200, one))["data"]["id"]
            claims.doubles += case in held
            held.add(case)
        connection.close()

    await asyncio.gather(*(review(each["token"], n) for n, each in enumerate(made.json()["data"])))
    return claims


async def _connect(where: Server) -> Connection:
    address = urlsplit(where.base)
    assert address.hostname and address.port
    return await Connection.open(address.hostname, address.port)


class Verdict(Trial):
    """A Space in which whoever talks is reported, and silenced by a reviewer's decision."""

    def __init__(self, where: Server, kind: str, venue: Venue, engine: Engine, rng: random.Random) -> None:
        super().__init__(where, kind, venue, engine, rng)
        self._case = ""

    async def _talk(self, number: int) -> None:
        await super()._talk(number)
        body = {"users": [f"reporter{self.kind}{number}"]}
        made = await self._call(self._admin, "POST", f"{self._base}/tokens", body)
        reporter = {"Authorization": f"Bearer {made.json()['data'][0]['token']}"}
        report = {"space_id": self._venue.space, "user_id": self._person, "category": "disturbance"}
        await self._call(reporter, "POST", f"{self._base}/2/reports", report)
        mine = {"space_id": self._venue.space}
        claimed = await self._call(self._admin, "POST", f"{self._base}/2/moderation/claims", mine)
        self._case = claimed.json()["data"]["id"]

    async def _take_away(self) -> None:
        body = {"actions": [_ACTION[self.kind]], "note": "Heard."}
        await self._call(self._admin, "POST", f"{self._base}/2/moderation/cases/{self._case}/decision", body)


async def _silence(chosen: argparse.Namespace) -> Any:
    """Return how long people were heard after the decision (seconds)."""
    engine, probes, rng = Engine(), Probes(), random.Random(1)
    with server("--rate-limit", "off") as where, bar() as progress:
        hosts = [Host(where.base, where.token) for _ in KINDS]
        venues = [host.open(f"decided: {kind}", 1) for host, kind in zip(hosts, KINDS, strict=True)]
        probes.start()
        await engine.start()
        trials = [Verdict(where, kind, venue, engine, rng) for kind, venue in zip(KINDS, venues, strict=True)]
        task = progress.add_task("deciding", total=chosen.rounds * len(KINDS))
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as http, asyncio.TaskGroup() as group:
                for trial in trials:
                    group.create_task(trial.run(http, probes, chosen, lambda: progress.advance(task)))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            await engine.stop()
            await probes.stop()
            for host in hosts:
                host.close()
    return np.concatenate([trial.seconds for trial in trials])
