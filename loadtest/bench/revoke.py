"""How long somebody is still heard after the call that takes their right away.

Real relay and server, a light speaker who talks without a pause, and listeners by WHEP. From before the call is
sent until the last packet with that person's sound has arrived at any listener, by the kernel's time stamp. Nobody
else talks in that Space, so what is heard there, decoded and louder than −70 dBov, is theirs.
"""

import argparse
import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
from rich.progress import Progress, TaskID

from loadtest.bench.result import Target
from loadtest.bench.stand import bar, now
from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError
from loadtest.engine.probe import Witness
from loadtest.engine.probes import Probes
from loadtest.lab import Server, server
from loadtest.venue import Host, Venue

TARGETS = (
    Target("p99_ms", "<=", 100),
    Target("revocations", ">=", 100),
    Target("still_heard", "==", 0),
)
QUIET = 0.5
"""Seconds after a call for which is listened whether anything still comes."""
HEARD = 0.15
"""Seconds in which a person who talks is to be heard in at least :data:`ENOUGH` packets."""
ENOUGH = 5
PATIENCE = 10.0
"""Seconds until a person must be heard."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="of each kind (%(default)s)")
    parser.add_argument("--listeners", type=int, default=4, metavar="N", help="of each Space (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of when calls are made (%(default)s)")


class Trial:
    """One Space, in which one kind of right is taken away again and again."""

    def __init__(self, where: Server, kind: str, venue: Venue, engine: Engine, rng: random.Random) -> None:
        self.kind, self.seconds, self.calls = kind, list[float](), list[float]()
        self.still_heard = 0
        """How often sound came at the very end of what was listened to: it did not stop."""
        self._base, self._venue, self._engine, self._rng = where.base, venue, engine, rng
        self._admin = {"Authorization": f"Bearer {where.token}"}
        self._host = {"Authorization": f"Bearer {venue.speaker_tokens[0]}"}
        self._place = f"{where.base}/spaces/{venue.space}"
        self._witnesses: list[Witness] = []
        self._person, self._token, self._number = "", "", 0

    async def run(self, http: httpx.AsyncClient, probes: Probes, chosen: argparse.Namespace, tick: Any) -> None:
        """All rounds, one after the other."""
        self._http = http
        self._witnesses = [await probes.witness(self._venue.whep) for _ in range(chosen.listeners)]
        for number in range(chosen.rounds):
            await self._talk(number)
            begun = now()
            await self._take_away()
            self.calls.append(now() - begun)
            await asyncio.sleep(QUIET)
            last = max(witness.last() for witness in self._witnesses)
            self.seconds.append(max(0.0, last - begun))
            self.still_heard += last > begun + QUIET - 0.1
            tick()

    async def _talk(self, number: int) -> None:
        """Have a person on the stage who is heard: the same again if there is a way back, else somebody new."""
        back = {"mute": self._lift, "revoke": self._ask_again}.get(self.kind)
        if number and back:
            await back()
        else:
            if number:
                await self._engine.leave(self._number)
            self._person = f"{self.kind}{number}"
            made = await self._call(self._admin, "POST", f"{self._base}/tokens", {"users": [self._person]})
            self._token = made.json()["data"][0]["token"]
            await self._call(self._own(), "POST", f"{self._place}/requests")
            whip = f"{self._place}/whip?muted=false"
            self._number, _ = await self._engine.join("speaker", whip, self._token, seed=number, continuous=True)
        since, deadline = now(), now() + PATIENCE
        pause = HEARD + self._rng.random() * 0.05  # calls come at any moment of a tick
        while True:
            await asyncio.sleep(pause)
            if min(witness.count(max(since, now() - HEARD)) for witness in self._witnesses) >= ENOUGH:
                return
            if now() > deadline:
                raise JoinError(f"{self._person} is not heard, and so cannot be silenced")
            pause = 0.02

    async def _take_away(self) -> None:
        person = f"{self._place}/participants/{self._person}"
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "mute": lambda: self._call(self._host, "POST", f"{person}/mute"),
            "revoke": lambda: self._call(self._host, "POST", f"{person}/step-down"),
            "remove": lambda: self._call(self._host, "DELETE", person),
            "block": lambda: self._call(
                self._host, "POST", f"{self._base}/users/me/blocking", {"target_user_id": self._person}
            ),
            "suspend": lambda: self._call(
                self._admin, "PUT", f"{self._base}/users/{self._person}/suspension", {"reason": "noise"}
            ),
        }
        await calls[self.kind]()

    async def _lift(self) -> None:
        await self._call(self._host, "POST", f"{self._place}/participants/{self._person}/unmute")

    async def _ask_again(self) -> None:
        await self._call(self._own(), "POST", f"{self._place}/requests")
        await self._call(self._own(), "POST", f"{self._place}/participants/me/unmute")

    def _own(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _call(self, who: dict[str, str], method: str, url: str, body: Any = None) -> httpx.Response:
        response = await self._http.request(method, url, headers=who, json=body)
        if response.is_error:
            raise JoinError(f"{method} {url} was answered {response.status_code}: {response.text[:300]}")
        return response


KINDS = ("mute", "revoke", "remove", "block", "suspend")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Every kind in a Space of its own, all at the same time; ``p99_ms`` is of all revocations together."""
    engine, probes, rng = Engine(), Probes(), random.Random(chosen.seed)
    with server() as where, bar() as progress:
        hosts = [Host(where.base, where.token) for _ in KINDS]
        venues = [host.open(f"revoke by {kind}", 1) for host, kind in zip(hosts, KINDS, strict=True)]
        probes.start()
        await engine.start()
        trials = [Trial(where, kind, venue, engine, rng) for kind, venue in zip(KINDS, venues, strict=True)]
        try:
            async with httpx.AsyncClient(timeout=PATIENCE) as http, asyncio.TaskGroup() as group:
                for trial in trials:
                    task = progress.add_task(trial.kind, total=chosen.rounds)
                    group.create_task(trial.run(http, probes, chosen, _ticker(progress, task)))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            await engine.stop()
            await probes.stop()
            for host in hosts:
                host.close()
    every = np.concatenate([trial.seconds for trial in trials])
    calls = np.concatenate([trial.calls for trial in trials])
    return {
        "revocations": every.size,
        "listeners": chosen.listeners,
        **_quantiles("", every),
        "call_p99_ms": 1e3 * float(np.quantile(calls, 0.99)),
        "still_heard": sum(trial.still_heard for trial in trials),
        **{key: value for trial in trials for key, value in _quantiles(f"{trial.kind}_", trial.seconds).items()},
    }


def _quantiles(prefix: str, seconds: Any) -> dict[str, float]:
    return {
        f"{prefix}p50_ms": 1e3 * float(np.quantile(seconds, 0.5)),
        f"{prefix}p99_ms": 1e3 * float(np.quantile(seconds, 0.99)),
        f"{prefix}max_ms": 1e3 * float(np.max(seconds)),
    }


def _ticker(progress: Progress, task: TaskID) -> Callable[[], None]:
    return lambda: progress.advance(task)
