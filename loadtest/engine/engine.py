"""The engine: a crowd of synthetic clients in one process, for Locust workers, benchmarks, tests and notebooks."""

import asyncio
import resource
import time
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray

from loadtest.engine.ear import RESOLUTION
from loadtest.engine.ears import Ears, Heard
from loadtest.engine.health import Health
from loadtest.engine.hearing import Hearing
from loadtest.engine.member import JoinError, Kind, Member, Timings
from loadtest.engine.receive import DATAGRAM, FIRST_PACKET, REPORT
from loadtest.engine.seats import Seats
from loadtest.engine.voice import Voices
from loadtest.voice import clips
from media.rtc.client import EXTENSION_IDS
from media.rtc.dtls import Identity
from media.rtc.rtcp import ReportBlock, RtcpError, build_receiver_report, parse_rtcp
from media.rtc.rtp import CAPTURE_TIME_URI
from media.rtc.stun import Address

REPORT_INTERVAL = 5.0
"""Seconds between a listener's receiver reports (RFC 3550 §6.2)."""
TURNS = 50
"""Members report in so many groups, one after the other within the interval."""
HTTP_TIMEOUT = 15.0
HTTP_IDLE = 2.0
"""Seconds an idle connection is kept: less than servers do (uvicorn 5 s), or an offer meets a closed door."""
DESCRIPTORS_MAX = 1 << 17
"""Sockets an engine keeps room for, where the system sets no lower limit; containers often set none."""
SEATS = 1 << 15
"""Members there may be on a relay of this machine before they need sockets of their own."""
HTTP_CONNECTIONS = 64
"""Connections kept to the server; joins beyond that wait for one."""


class Engine:
    """Light listeners and speakers. Use from one event loop, between :meth:`start` and :meth:`stop`.

    ``ended`` is called with a member's number and a reason when the relay ends a session by itself. With
    ``host``, an address of this machine, members have sockets of their own there and say so in their offers, as
    servers want it that are full ICE agents; ours learns from the checks where they are.
    """

    def __init__(self, ended: Callable[[int, str], None] | None = None, host: str = "") -> None:
        self._ended, self._host = ended, host
        self._numbers = count(1)
        self._members: dict[int, Member] = {}
        self._turns: list[dict[int, Member]] = [{} for _ in range(TURNS)]
        """The same members, by when they report."""
        self._by_seat: dict[int, Member] = {}
        self._numbered: dict[Member, int] = {}
        self._lost: dict[int, tuple[int, int]] = {}
        self._senders: dict[int, tuple[int, float]] = {}
        """Each member's last sender report: the middle of its NTP time, and when it came in Unix time."""
        self._identity = Identity()
        self._ears = Ears(min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], DESCRIPTORS_MAX), SEATS)
        self._seats = Seats(self._ears)
        self._voices = Voices(clips())
        self._health = Health()
        self._hearing: Hearing | None = None
        self._before = _Totals(self._ears, None)
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Compile what must be compiled and begin."""
        await asyncio.to_thread(self._ears.start)
        self._voices.start()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=HTTP_CONNECTIONS, keepalive_timeout=HTTP_IDLE),
            timeout=aiohttp.ClientTimeout(total=HTTP_TIMEOUT),
        )
        asyncio.get_running_loop().add_reader(self._ears.bell, self._hear)
        self._health.start()
        self._reports = asyncio.create_task(self._report())

    async def stop(self) -> None:
        """Leave every Space and free everything."""
        if self._hearing:
            await self._hearing.stop()
        await asyncio.gather(*(self.leave(number) for number in [*self._members]))
        await asyncio.gather(*self._leaving)
        self._health.stop()
        self._reports.cancel()
        await self._http.close()
        asyncio.get_running_loop().remove_reader(self._ears.bell)
        self._voices.stop()
        self._ears.stop()

    async def join(
        self, kind: Kind, url: str, token: str | None = None, *, seed: int = 0, continuous: bool = False
    ) -> tuple[int, Timings]:
        """Join by WHEP (listener) or WHIP (speaker) at ``url``; returns the member's number once it hears.

        A speaker says what ``seed`` decides, in talk-spurts or, if ``continuous``, without a pause, and hears the
        Space too. :raises JoinError: at whichever step it failed; nothing is left behind then.
        """
        number = next(self._numbers)
        places = self._ears, self._seats
        member = Member(kind, url, token, self._http, self._identity, *places, self._on_end, self._host)
        try:
            await member.connect(lambda: self._by_seat.__setitem__(member.seat, member))
        except BaseException:
            await self._part(self._discard(number, member))
            raise
        self._members[number], self._numbered[member] = member, number
        self._turns[number % TURNS][number] = member
        member.listen(EXTENSION_IDS[CAPTURE_TIME_URI])
        if kind == "speaker":
            self._voices.add(number, member.client, member.send, seed, continuous)
        try:
            await member.hear()
        except BaseException:
            await self.leave(number)
            raise
        return number, member.timings

    async def leave(self, number: int) -> None:
        """DELETE the member's session and forget it; an unknown number is no error (it may have just ended)."""
        if member := self._take(number):
            await self._part(self._discard(number, member))

    async def tune(self) -> None:
        """Get probes ready for :meth:`listen_in`, which would hold up everyone's joins with that."""
        if self._hearing is None:
            self._hearing = Hearing()
            await self._hearing.tune()

    async def listen_in(self, whip: str, token: str, whep: str, ears: int) -> None:
        """Let one probe chirp by WHIP and ``ears`` listen by WHEP; once. :raises JoinError: one of them cannot."""
        await self.tune()
        assert self._hearing is not None
        if self._hearing.ears:
            raise JoinError("probes: there are some already")
        await self._hearing.start(whip, token, whep, ears)

    def heard(self) -> list[dict[str, Any]]:
        """What probes heard since the last call: rows of ``probes.parquet`` without ``worker``, with Unix times.

        :raises JoinError: the relay has ended the session of one
        """
        return self._hearing.take() if self._hearing and self._hearing.ears else []

    def snapshot(self) -> dict[str, Any]:
        """One row of ``clients.parquet`` without ``t`` and ``worker``: what happened since the last call."""
        now, before = _Totals(self._ears, self._hearing), self._before
        now.lost = max(now.lost, before.lost)  # a late packet is not lost, but the row that missed it is written
        self._before = now
        delays, jitters = now.delays - before.delays, now.jitters - before.jitters
        speakers = sum(member.kind == "speaker" for member in self._members.values())
        lag = max(self._health.take_lag(), self._ears.take_round_max(), self._voices.take_late_max())
        ears = 0
        if self._hearing and self._hearing.ears:
            ears, lag = self._hearing.ears, max(lag, self._hearing.take_late_max())
        return {
            "listeners": len(self._members) - speakers + ears,
            "speakers": speakers + bool(ears),
            "packets": now.received - before.received,
            "lost": now.lost - before.lost,
            "jitter_p99_ms": quantile_ms(jitters, 0.99),
            "mouth_to_ear_p50_ms": quantile_ms(delays, 0.5),
            "mouth_to_ear_p95_ms": quantile_ms(delays, 0.95),
            "mouth_to_ear_p99_ms": quantile_ms(delays, 0.99),
            "generator_cpu": self._health.take_cpu(),
            "loop_lag_ms": 1e3 * lag,
            "rcvbuf_errors": self._health.take_rcvbuf_errors() + now.overflows - before.overflows,
        }

    def totals(self) -> dict[str, int]:
        """Packets since the start: expected, received, their octets, rejected; and how many members there are."""
        expected, received = self._ears.totals()
        return {
            "expected": expected,
            "received": received,
            "octets": self._ears.octets,
            "rejected": self._ears.rejected,
            "members": len(self._members),
        }

    def received(self) -> dict[int, int]:
        """Packets that each member received since it joined."""
        return {number: int(self._ears.record(each.seat)["received"]) for number, each in self._members.items()}

    def hush(self, hushed: bool) -> None:
        """Let all speakers hold their breath, or go on."""
        self._voices.hush(hushed)

    def addresses(self) -> list[Address]:
        """Where all members hear, as this machine sees it."""
        return [member.address for member in self._members.values()]

    def relays(self) -> dict[int, Address]:
        """The relay's address that each member hears from."""
        return {number: each.client.remote for number, each in self._members.items() if each.client.remote}

    def _take(self, number: int) -> Member | None:
        """Whoever gets the member parts with it; so nobody does so twice."""
        member = self._members.pop(number, None)
        if member:
            del self._numbered[member], self._turns[number % TURNS][number]
        return member

    async def _discard(self, number: int, member: Member) -> None:
        self._voices.remove(number)
        self._lost.pop(number, None)
        self._senders.pop(number, None)
        if self._by_seat.get(member.seat) is member:
            del self._by_seat[member.seat]
        member.get_up()
        rounds = self._ears.rounds
        await member.leave()
        while self._ears.rounds < rounds + 2:
            await asyncio.sleep(0.01)
        member.close()

    def _part(self, parting: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Begin to part with a member; it goes on if whoever waits for it is cancelled."""
        task = asyncio.get_running_loop().create_task(parting)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return asyncio.shield(task)

    def _on_end(self, member: Member, reason: str) -> None:
        number = self._numbered.get(member)
        if number is None or member.unheard(reason):
            return
        self._take(number)
        self._part(self._discard(number, member))
        if self._ended:
            self._ended(number, reason)

    def _hear(self) -> None:
        for heard in self._ears.heard():
            member = self._by_seat.get(heard.seat)
            if member is None:
                continue
            if heard.kind == FIRST_PACKET:
                member.first_packet(heard.when)
            elif heard.kind == DATAGRAM:
                member.datagram(heard.data)
            elif heard.kind == REPORT:
                self._read_report(member, heard)

    def _read_report(self, member: Member, heard: Heard) -> None:
        try:
            compound = parse_rtcp(heard.data)
        except RtcpError:
            return
        if compound.bye:
            self._on_end(member, "the relay said goodbye")
        elif compound.sender and (number := self._numbered.get(member)):
            self._senders[number] = compound.sender.ntp >> 16 & 0xFFFF_FFFF, heard.when

    async def _report(self) -> None:
        """Send each listener's receiver report every 5 s, evenly spread."""
        while True:
            for turn in self._turns:
                await asyncio.sleep(REPORT_INTERVAL / TURNS)
                for number, member in turn.items():
                    self._send_report(number, member)

    def _send_report(self, number: int, member: Member) -> None:
        ear = self._ears.record(member.seat)
        transport = member.client.transport
        if ear["first_sequence"] < 0 or transport is None or transport.sender is None:
            return
        expected = int(ear["highest_sequence"] - ear["first_sequence"]) + 1
        lost = expected - int(ear["received"])
        expected_before, lost_before = self._lost.get(number, (0, 0))
        self._lost[number] = expected, lost
        fraction = max(0, lost - lost_before) / max(1, expected - expected_before)
        jitter = int(ear["jitter"] * 48_000)
        last, came = self._senders.get(number, (0, 0.0))
        held = int(65_536 * (time.time() - came)) & 0xFFFF_FFFF if last else 0
        highest = int(ear["highest_sequence"]) & 0xFFFF_FFFF
        block = ReportBlock(int(ear["ssrc"]), fraction, lost, highest, jitter, last, held)
        member.send(transport.sender.protect_rtcp(build_receiver_report(member.client.ssrc, (block,), "swarm")))


class _Totals:
    """A copy of everything that only grows."""

    def __init__(self, ears: Ears, hearing: Hearing | None) -> None:
        expected, self.received = ears.totals()
        self.lost = max(0, expected - self.received)
        if hearing:
            self.received += hearing.received
            self.lost += hearing.lost
        self.overflows = ears.overflows
        self.delays, self.jitters = ears.delays.copy(), ears.jitters.copy()


def quantile_ms(histogram: NDArray[np.int64], share: float) -> float | None:
    """Milliseconds below which ``share`` of a histogram of :mod:`loadtest.engine.ear` lies; None if empty."""
    total = int(histogram.sum())
    if not total:
        return None
    return 1e3 * (int(np.searchsorted(np.cumsum(histogram), share * total)) + 1) / RESOLUTION


__all__ = ["Engine", "JoinError", "quantile_ms"]
