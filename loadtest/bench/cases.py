"""Eleven small fleets, each with one resource that is scarce, and how many listeners the plan gives it.

Where a limit is a service level (tick, core, memory), it is set to what the costs of a small crowd say of a larger
one, so that a case is as large as this machine can drive. Where it is a thing (a card, descriptors, a process), it
is that thing.
"""

from dataclasses import replace

from loadtest.bench.provocation import Case
from loadtest.bench.small_costs import SmallCosts
from sim.fleet.bottlenecks import Limits, Load
from sim.fleet.control_plane import ControlPlane
from sim.fleet.cost import PACKETS_PER_S
from sim.fleet.hosts import Fleet, Host

LOAD = Load(joins_per_listener_s=1e-4, calls_per_listener_s=0.0, events_per_listener_s=0.0)
"""Of somebody who only listens."""
CALLS, JOINS = 5.0, 5.0
"""A second of each listener, where calls or joins are scarce."""
HARD = 1.0
"""Share of a thing that may be filled: all of it."""
CARDS = (4.0, 8.0, 12.0)
"""Mbit/s."""
FILES = (128, 400)
"""Descriptors."""


def limits(costs: SmallCosts) -> Limits:
    """Of a machine with plenty of everything."""
    return Limits(
        card_share=HARD,
        files_share=HARD,
        joins_share=HARD,
        api_share=HARD,
        core_share=HARD,
        memory_share=HARD,
        relay_bytes=costs.base_bytes,
        listener_bytes=costs.listener_bytes,
    )


def fleet(relays: int = 1, listeners_per_relay: int = 1_000_000) -> Fleet:
    """One host; a small crowd's memory is that of all processes, so the control plane has none of its own."""
    control = ControlPlane(base_bytes=0.0, session_bytes=0.0)
    return Fleet(Host(cores=relays + 1, nic_mbit_s=1e5, memory_bytes=1e12), 1, listeners_per_relay, control)


def ramps(costs: SmallCosts, knee: int) -> list[Case]:
    """Cases in which listeners join until something breaks; a service level is to break at about ``knee``."""
    plenty, one = limits(costs), fleet()
    found: list[Case] = []
    for number, mbit in enumerate(CARDS):
        relays = 2 if number == 1 else 1  # two relays share a card as one has it alone
        spread = 25 if relays > 1 else 1_000_000
        made = fleet(relays, spread)
        options = ("--udp-port", "0", "--relays", str(relays), "--listeners-per-relay", str(spread))
        card = replace(made, host=replace(made.host, nic_mbit_s=mbit - costs.other_mbit_s))
        found.append(Case(f"card {mbit:g} Mbit/s", card, LOAD, plenty, options, card_mbit_s=mbit))
    at = replace(plenty, tick_p99_ms=costs.relay.tick_p99_ms(knee))
    found.append(Case("tick", one, LOAD, at))
    for name, size in (("core", knee), ("core, less", round(0.8 * knee))):
        cores = float(costs.relay.cpu(PACKETS_PER_S * size))
        found.append(Case(name, one, LOAD, replace(plenty, core_share=min(cores, 1.0))))
    held = costs.base_bytes + costs.listener_bytes * knee
    found.append(Case("memory", replace(one, host=replace(one.host, memory_bytes=held)), LOAD, plenty))
    return found


def descriptors(costs: SmallCosts) -> list[Case]:
    """Cases in which streams are opened until the server refuses one."""
    one = fleet()
    return [
        Case(f"{files} files", replace(one, host=replace(one.host, open_files=files)), LOAD, limits(costs))
        for files in FILES
    ]


def busy_process(name: str, costs: SmallCosts, join_s: float = 1e-6, call_s: float = 1e-6) -> Case:
    """A case in which the control plane's process has all it can do; server and relay share its core."""
    control = ControlPlane(
        join_s=join_s, call_s=call_s, writes_per_call=0.0, base_bytes=0.0, session_bytes=0.0, event_s=0.0
    )
    asked = {"joins_per_listener_s": JOINS} if name == "join path" else {"calls_per_listener_s": CALLS}
    load = replace(LOAD, **asked)
    return Case(name, replace(fleet(), control=control), load, limits(costs))
