"""An evening on three relays: the worst relay-second foretold from other loads, then measured.

A scenario is scaled to so many listeners and seconds. What a relay costs is fitted to each relay's CPU in each
second of a staircase with turnover, which ends below the evening's peak. A worst second is the worst of many noisy
ones, so the plan draws the fit's residuals for each relay and second too.
"""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from loadtest.bench.process_cpu import Cpu
from loadtest.bench.stand import SETTLE, Stand, bar, join_all, now, stand
from loadtest.engine.member import JoinError
from loadtest.lab import LabError
from media.rtc.stun import Address
from sim.fleet.cost import PACKETS_PER_S, LinearCost, joined_ticks
from sim.fleet.evening import Evening, spread_evening
from sim.fleet.hosts import Fleet, Host
from sim.regression import robust_nnls
from sim.relay import CostModel, Demand
from sim.scenario import load
from sim.schedule import Schedule, arrival_schedule

Floats = NDArray[np.float64]
SPEAKERS = 2
RELAYS = 3
SCENARIO = "product-launch"
SEED = 1
STEPS = (0.15, 0.3, 0.45, 0.6)
"""Of the evening's peak, at which costs are taken."""
CLIMBS = (1.0, 0.5, 0.25, 0.125)
"""Of a step's time, in which its listeners come."""
TURNOVER = (0.05, 0.15, 0.35)
"""Of the listeners there, who are replaced in a second; rare joins cost more, so all rates are seen."""
DRAWS = 400


@dataclass(frozen=True, slots=True)
class Seconds:
    """Each relay's CPU and sessions in each second, joins and leaves a second: shape (seconds, relays)."""

    cpu: Floats
    sessions: Floats
    joins: Floats
    leaves: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a relay costs, and what is left of each relay-second."""

    cost: LinearCost
    leave_s: float
    residuals: Floats


async def run(listeners: int, seconds: float, step_s: float) -> dict[str, Any]:
    """``fleet_peak`` (cores of the worst relay-second) foretold and measured, and by how much they differ."""
    share = -(-(listeners + SPEAKERS) // RELAYS)
    fleet = Fleet(Host(cores=RELAYS + 1), listeners_per_relay=share)
    schedule = arrival_schedule(load(SCENARIO), SEED, listeners=listeners, duration=seconds)
    there, joins = schedule.per_second()
    talks = np.ones(len(there))
    evening = spread_evening(Demand(there, joins, SPEAKERS * talks, talks), fleet, SEED, SPEAKERS)
    flags = ("--udp-port", "0", "--relays", str(RELAYS), "--listeners-per-relay", str(share))
    async with stand("evening", SPEAKERS, options=flags) as built:
        with bar() as progress:
            fit = fitted(await _staircase(built, listeners, step_s, progress))
            worst = planned(evening, fit)
            for number in [*built.engine.received()][SPEAKERS:]:
                await built.engine.leave(number)
            await asyncio.sleep(SETTLE)
            seen, failed = await _evening(built, schedule, progress)
    measured = float(seen.cpu.max())
    return {
        "fleet_peak_planned": worst,
        "fleet_peak_measured": measured,
        "error_fleet_peak": abs(worst - measured) / measured,
        "fleet_peak_mean": evening.worst(fit.cost, leave_s=fit.leave_s)[0],
        "evening_peak_listeners": int(there.max()),
        "evening_joins": len(schedule.arrival_s),
        "evening_failed_joins": failed,
        "relay_us_per_packet": 1e6 * fit.cost.model.packet_s,
        "relay_ms_per_join": 1e3 * fit.cost.model.join_s,
        "relay_ms_per_joined_tick": 1e3 * fit.cost.cold_s,
        "relay_ms_per_leave": 1e3 * fit.leave_s,
    }


def fitted(seen: Seconds) -> Fitted:
    """Fit each relay-second; the first relay is the home."""
    home = np.zeros_like(seen.cpu)
    home[:, 0] = SPEAKERS
    terms = (
        np.ones_like(seen.cpu),
        PACKETS_PER_S * seen.sessions,
        seen.joins,
        home,
        joined_ticks(seen.joins),
        seen.leaves,
    )
    design = np.column_stack([each.ravel() for each in terms])
    _, coefficients = robust_nnls(design, seen.cpu.ravel())
    base, packet, join, talker, cold, leave = coefficients.tolist()
    cost = LinearCost(CostModel(base, packet, join, talker, 0.0), cold_s=cold)
    return Fitted(cost, leave, seen.cpu.ravel() - design @ coefficients)


def planned(evening: Evening, fit: Fitted) -> float:
    """Median of the worst relay-second over many draws of the residuals."""
    rng = np.random.default_rng(SEED)
    mean = evening.cpu(fit.cost, leave_s=fit.leave_s)
    return float(np.median([(mean + rng.choice(fit.residuals, mean.shape)).max() for _ in range(DRAWS)]))


async def _staircase(built: Stand, listeners: int, step_s: float, progress: Progress) -> Seconds:
    """Climb to each step, replace some for half of it, and look at each second."""
    watch = Watch(built)
    looking = asyncio.create_task(watch.run())
    there = 0
    for step, climb in zip(STEPS, CLIMBS, strict=True):
        more = max(1, round(step * listeners) - there)
        there += more
        await join_all(built, more, max(more / (climb * step_s), 1.0), progress)
        for turn in range(max(1, round(step_s / 2))):
            begun, some = now(), max(1, round(TURNOVER[turn % len(TURNOVER)] * there))
            leaving = [*built.engine.received()][SPEAKERS : SPEAKERS + some]
            await asyncio.gather(
                join_all(built, some, some / 0.8, Progress(disable=True)),
                *(built.engine.leave(number) for number in leaving),
            )
            await asyncio.sleep(max(0.0, begun + 1.0 - now()))
        await asyncio.sleep(step_s / 2)
    looking.cancel()
    return watch.seconds()


class Watch:
    """Looks at the relays once a second; relays are numbered in the order in which a Space reaches them."""

    def __init__(self, built: Stand) -> None:
        self._built = built
        self._order: dict[Address, int] = {}
        self._rows: list[tuple[Floats, Floats, Floats, Floats]] = []

    async def run(self) -> None:
        """Look until cancelled."""
        known, before, at = self._members(), Cpu.read(self._built.server.pid), now()
        begun = at
        for second in count(1):
            await asyncio.sleep(max(0.0, begun + second - now()))
            members, after, then = self._members(), Cpu.read(self._built.server.pid), now()
            here = np.bincount([*members.values()], minlength=RELAYS).astype(float)
            was = np.bincount([*known.values()], minlength=RELAYS).astype(float)
            come = [relay for number, relay in members.items() if number not in known]
            gone = [relay for number, relay in known.items() if number not in members]
            joins, leaves = (np.array([each.count(relay) for relay in range(RELAYS)]) for each in (come, gone))
            used = np.array((after - before).relays) / (then - at)
            self._rows.append((used, (here + was) / 2, joins / (then - at), leaves / (then - at)))
            known, before, at = members, after, then

    def seconds(self) -> Seconds:
        """What was seen; :raises LabError: the load was over within a second."""
        if not self._rows:
            raise LabError("The load was over before a second had passed: give it more time.")
        return Seconds(*(np.array(column) for column in zip(*self._rows, strict=True)))

    def _members(self) -> dict[int, int]:
        """Each member's relay."""
        relays = self._built.engine.relays()
        return {
            number: self._order.setdefault(address, len(self._order)) for number, address in sorted(relays.items())
        }


async def _evening(built: Stand, schedule: Schedule, progress: Progress) -> tuple[Seconds, int]:
    """Let everybody come and go as the schedule says; returns how many could not join, too."""
    watch = Watch(built)
    looking = asyncio.create_task(watch.run())
    task = progress.add_task("evening", total=len(schedule.arrival_s))
    failed = 0

    async def visit(arrival: float, stay: float) -> None:
        nonlocal failed
        await asyncio.sleep(arrival)
        try:
            number, _ = await built.engine.join("listener", built.venue.whep)
        except JoinError:
            failed += 1
            return
        progress.advance(task)
        await asyncio.sleep(min(stay, schedule.length_s - arrival))
        await built.engine.leave(number)

    visits = zip(schedule.arrival_s.tolist(), schedule.dwell_s.tolist(), strict=True)
    await asyncio.gather(*(visit(arrival, stay) for arrival, stay in visits))
    looking.cancel()
    return watch.seconds(), failed
