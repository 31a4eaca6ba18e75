"""What a small crowd says of the costs that a plan needs: relay, tick, packet and memory."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from loadtest.bench.process_cpu import Cpu
from loadtest.bench.provocation import JOIN_RATE, QUIET, SPEAKERS, line
from loadtest.bench.stand import join_all, now, stand
from loadtest.bench.watch import resident
from sim.fleet.cost import PACKETS_PER_S, LinearCost
from sim.relay import WIRE_OVERHEAD, CostModel

SENT_BYTES, SENT_PACKETS = 9, 10
"""Columns of ``/proc/net/dev`` (proc(5)), counted with the name."""
HEADER = 14
"""Bytes of an Ethernet header, which loopback does not count."""


@dataclass(frozen=True, slots=True)
class SmallCosts:
    """Of one relay with one talker."""

    relay: LinearCost
    base_bytes: float
    """Memory of all processes without listeners."""
    listener_bytes: float
    other_mbit_s: float
    """On the card without listeners: what the speaker sends, and what all hear of each other."""


def card_bytes() -> float:
    """Bytes that loopback of this network namespace has carried, with an Ethernet header for each packet."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    fields = next(line.split() for line in lines if line.strip().startswith("lo:"))
    return int(fields[SENT_BYTES]) + HEADER * int(fields[SENT_PACKETS])


async def measure(sizes: tuple[int, ...], dwell: float, settle: float, progress: Progress) -> SmallCosts:
    """Look at each number of listeners for ``dwell`` seconds; straight lines lead through what is seen.

    Memory is read ``settle`` seconds after the beginning of the look, when what handshakes hold is given back. The
    largest number was there before and left, so that what is paid once is no cost of a listener.
    """
    rows: list[tuple[float, float, float, float]] = []
    async with stand("small costs", SPEAKERS) as built:
        await join_all(built, sizes[-1], JOIN_RATE, progress)
        for number in [*built.engine.received()][SPEAKERS:]:
            await built.engine.leave(number)
        there = 0
        for size in sizes:
            await join_all(built, size - there, JOIN_RATE, progress)
            there = size
            await asyncio.sleep(QUIET)
            built.probe.row()
            cpu, carried, begun = Cpu.read(built.server.pid), card_bytes(), now()
            await asyncio.sleep(dwell)
            used, seconds = Cpu.read(built.server.pid) - cpu, now() - begun
            carried = card_bytes() - carried
            built.probe.row()
            tick = built.probe.stage_ms("fan-out", 0.99) or 0.0
            await asyncio.sleep(max(0.0, settle - dwell))
            rows.append((sum(used.relays) / seconds, tick, float(resident(built.server.pid)), carried / seconds))
    cores, ticks, held, carried = np.array(rows).T
    packet, base = line(PACKETS_PER_S * np.array(sizes), cores)
    tick_each, tick_base = line(sizes, ticks)
    memory_each, memory_base = line(sizes, held)
    wire, other = line(PACKETS_PER_S * np.array(sizes), carried)
    model = CostModel(
        base_s=max(float(base), 0.0),
        packet_s=max(float(packet), 1e-9),
        join_s=0.0,
        talker_s=0.0,
        bytes_per_packet=max(float(wire) - WIRE_OVERHEAD, 1.0),
    )
    cost = LinearCost(model, max(float(tick_base), 0.0), max(1e3 * float(tick_each), 1e-3))
    return SmallCosts(cost, float(memory_base), max(float(memory_each), 1.0), max(8e-6 * float(other), 0.0))
