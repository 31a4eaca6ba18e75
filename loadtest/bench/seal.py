"""What sealing a packet costs with our AES-GCM (media.rtc.aesgcm) and libsrtp's, alone and in a whole fan-out."""

import argparse
import asyncio
import secrets
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numba import njit

from loadtest.bench.result import Target
from loadtest.bench.seal_fanout import SealedFanOut
from loadtest.bench.stand import bar
from loadtest.lab import LabError
from media.rtc.aesgcm import KEYS, SIZE, TAG, derive, seal
from media.rtc.fanout import BATCH, PAYLOAD_MAX
from media.rtc.native import SRTP_OK, srtp_protect
from media.rtc.srtp import AES_128_GCM, SrtpContext
from media.rtc.vector import AVAILABLE
from media.rtc.words import put16, put32

TARGETS = (
    Target("unlike_packets", "==", 0),
    Target("cold_ratio", ">=", 1.0),
    Target("fanout_spared", ">=", 0.0),
)
HEADER = 12
_AROUND = HEADER + TAG + 64
OTHER = 64 << 20
"""Bytes touched between two turns of a cold crowd: more than the caches hold."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--contexts", type=int, default=4000, metavar="N", help="in the crowd (%(default)s)")
    parser.add_argument("--packets", type=int, default=200_000, metavar="N", help="per figure (%(default)s)")
    parser.add_argument("--size", type=int, default=80, metavar="BYTES", help="of the sound (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="all ways in turn (%(default)s)")
    parser.add_argument("--ticks", type=int, default=25, metavar="N", help="fan-outs a round (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: medians over the rounds, in nanoseconds of the thread's CPU time a packet, header included.

    ``hot`` is one context over and over; ``crowd`` all of them in turn, nothing in between; ``cold`` the same
    with the caches emptied before every turn. A fan-out, which shares the caches with system calls and with all
    that happens between ticks, is between the last two. A ratio is libsrtp's cost as a multiple of ours. Before
    anything is measured, every context seals a packet both ways: ``unlike_packets`` differed.

    ``fanout`` is what all of it costs, system calls and loopback included, and ``fanout_spared`` the share of a
    fan-out through libsrtp that ours does without.

    :raises LabError: the processor lacks what ours is made of.
    """
    if not AVAILABLE:
        raise LabError("This processor has no AES-NI, so there is nothing to compare: the relay uses libsrtp.")
    return await asyncio.to_thread(_run, chosen)


def _run(chosen: argparse.Namespace) -> dict[str, Any]:
    crowd = _Crowd(chosen.contexts, min(chosen.size, PAYLOAD_MAX))
    unlike = crowd.unlike()
    cases = (("hot", 1, False), ("crowd", chosen.contexts, False), ("cold", chosen.contexts, True))
    ways = {
        f"{way}_{case}_ns": (deal, count, cold)
        for case, count, cold in cases
        for way, deal in (("ours", crowd.ours), ("libsrtp", crowd.libsrtp))
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with bar() as progress:
        for _ in progress.track(range(chosen.rounds), description="sealing"):
            for name, (deal, count, cold) in ways.items():
                spent[name].append(_measure(deal, count, max(1, chosen.packets // count), cold))
    figures = {name: median(values) for name, values in spent.items()}
    return {
        "contexts": chosen.contexts,
        "unlike_packets": unlike,
        **figures,
        **SealedFanOut(chosen.contexts, min(chosen.size, PAYLOAD_MAX)).measure(chosen.ticks, chosen.rounds),
        **{f"{case}_ratio": figures[f"libsrtp_{case}_ns"] / figures[f"ours_{case}_ns"] for case, _, _ in cases},
    }


def _measure(deal: Callable[[int, int, int], None], count: int, turns: int, cold: bool) -> float:
    deal(0, count, 1)
    other = np.zeros(OTHER if cold else 0, np.uint8)
    spent = 0.0
    for _ in range(turns if cold else 1):
        other += 1
        begun = time.thread_time()
        deal(0, count, 1 if cold else turns)
        spent += time.thread_time() - begun
    return 1e9 * spent / (count * turns)


class _Crowd:
    """The same keys twice, in a table and in contexts of libsrtp; packets go to the buffers of one batch."""

    def __init__(self, count: int, size: int) -> None:
        self._keys = np.zeros(count, KEYS)
        self._contexts: list[SrtpContext] = []
        for index in range(count):
            master = secrets.token_bytes(28)
            derive(self._keys, index, master)
            self._contexts.append(SrtpContext(AES_128_GCM, master, ssrc=index + 1))
        self._addresses = np.array([context.address for context in self._contexts], np.uint64)
        self._size, self._payload = size, np.frombuffer(secrets.token_bytes(size + 64), np.uint8)
        self._packets = [np.zeros((BATCH, _AROUND + size), np.uint8) for _ in range(2)]
        self._sequences = np.full((2, count), 0xFFFF - BATCH, np.uint16)
        """The next of each, with ours and with libsrtp's; rollovers are part of it."""

    def ours(self, first: int, count: int, turns: int) -> None:
        """Seal ``turns`` packets of each of these streams."""
        _seal_all(
            *(self._keys, first, count, turns, self._packets[0], self._payload, self._size, self._sequences[0])
        )

    def libsrtp(self, first: int, count: int, turns: int) -> None:
        """The same with libsrtp."""
        if _protect_all(
            *(self._addresses, first, count, turns, self._packets[1], self._payload, self._size),
            self._sequences[1],
        ):
            raise LabError("libsrtp refused a packet.")

    def unlike(self) -> int:
        """How many of a packet from everybody differ."""
        found, end = 0, HEADER + self._size + TAG
        for first in range(0, len(self._keys), BATCH):
            count = min(BATCH, len(self._keys) - first)
            self.ours(first, count, 1)
            self.libsrtp(first, count, 1)
            ours, theirs = (packets[:count, :end] for packets in self._packets)
            found += int((ours != theirs).any(axis=1).sum())
        return found


@njit(nogil=True, cache=True, inline="always")
def _head(packet: Any, ssrc: Any, sequence: Any) -> None:  # pragma: no cover
    packet[0], packet[1] = 0x80, 111
    put16(packet, 2, sequence)
    put32(packet, 4, sequence * 960)
    put32(packet, 8, ssrc)


@njit(nogil=True, cache=True)
def _seal_all(  # pragma: no cover
    keys: Any, first: int, count: int, turns: int, packets: Any, payload: Any, size: int, sequences: Any
) -> None:
    place = 0
    for _ in range(turns):
        for index in range(first, first + count):
            packet, sequence = packets[place], sequences[index]
            _head(packet, index + 1, sequence)
            seal(
                *(keys.ctypes.data + index * SIZE, packet.ctypes.data, HEADER),
                *(payload.ctypes.data, size, index + 1, sequence),
            )
            keys[index].rollover += sequence == 0xFFFF
            sequences[index] = sequence + 1
            place = (place + 1) % BATCH


@njit(nogil=True, cache=True)
def _protect_all(  # pragma: no cover
    contexts: Any, first: int, count: int, turns: int, packets: Any, payload: Any, size: int, sequences: Any
) -> int:
    place = refused = 0
    length = np.zeros(1, np.int32)
    for _ in range(turns):
        for index in range(first, first + count):
            packet, sequence = packets[place], sequences[index]
            _head(packet, index + 1, sequence)
            packet[HEADER : HEADER + size] = payload[:size]
            length[0] = HEADER + size
            refused += srtp_protect(contexts[index], packet.ctypes.data, length.ctypes.data) != SRTP_OK
            sequences[index] = sequence + 1
            place = (place + 1) % BATCH
    return refused
