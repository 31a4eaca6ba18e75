"""API calls at the limit: foretold from paced calls, then measured with as many as the server answers.

The call is a reaction, which is checked, counted and told to readers in pulses. Server and relay have the first
core and this client the others, as in ``api``.
"""

import asyncio
from dataclasses import dataclass

import httpx

from loadtest.bench.crowd import Repeater, connect, request
from loadtest.bench.join import one_core
from loadtest.bench.process_cpu import Cpu
from loadtest.bench.saturation import cost_when_busy
from loadtest.bench.stand import Stand, now, stand

PEOPLE = 32
"""Who react, each on a connection of their own."""
SLOW = 500.0
"""Calls a second at which their cost is taken first (:mod:`loadtest.bench.saturation`)."""
FASTER = (0.7, 1.0)
"""Then, as a share of those that would fill the core at this cost."""
SLOWEST = 1.0
"""As good as none."""
OFFERED = 20_000.0
BODY = b'{"kind": "clap"}'


@dataclass(frozen=True, slots=True)
class ApiLimit:
    """Calls a second."""

    foretold: float
    measured: float
    refused: int


async def measure(seconds: float) -> ApiLimit:
    """Take what calls cost at each pace for ``seconds``, then let as many come as can."""
    async with stand("API", 1, options=("--rate-limit", "off")) as built:
        people = await _people(built)
        with one_core(built.server.pid):
            _, idle = await _paced(built, people, SLOWEST, seconds)
            used = [await _paced(built, people, SLOW, 2 * seconds)]
            full = used[0][0] / max(used[0][1] - idle, 1e-3)
            used += [await _paced(built, people, share * full, 2 * seconds) for share in FASTER]
            measured, _ = await _paced(built, people, OFFERED, seconds)
    refused = sum(person.refused for person in people)
    each = cost_when_busy([(cores - idle) / rate for rate, cores in used], [cores for _, cores in used])
    return ApiLimit((1.0 - idle) / each, measured, refused)


async def _people(built: Stand) -> list[Repeater]:
    """Let people listen, who alone may react."""
    names = [f"caller{number}" for number in range(PEOPLE)]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {built.server.token}"}) as client:
        made = (await client.post(f"{built.venue.base}/tokens", json={"users": names})).raise_for_status().json()
    path = f"/spaces/{built.venue.space}/reactions"
    people: list[Repeater] = []
    for each in made["data"]:
        await built.engine.join("listener", built.venue.whep, each["token"])
        person = Repeater(request("POST", path, each["token"], BODY), b"HTTP/1.1 204")
        await connect(built.venue.base, person)
        people.append(person)
    return people


async def _paced(built: Stand, people: list[Repeater], rate: float, seconds: float) -> tuple[float, float]:
    """Calls answered a second, and the cores that server and relay used meanwhile."""
    for number, person in enumerate(people):
        person.start(rate / PEOPLE, number / rate)
    await asyncio.sleep(1.0)
    before, cpu, begun = sum(each.answered for each in people), Cpu.read(built.server.pid), now()
    await asyncio.sleep(seconds)
    used, elapsed = Cpu.read(built.server.pid) - cpu, now() - begun
    answered = (sum(each.answered for each in people) - before) / elapsed
    for person in people:
        person.stop()
    await asyncio.sleep(0.5)
    return answered, (used.server + sum(used.relays)) / elapsed
