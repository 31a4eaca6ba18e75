"""What a consent check and a receiver report cost the media thread, at the door and by the session in Python.

Both ways start where ``recvmmsg`` ends, in turn, on datagrams of the same peers in an order of chance; an answer's
``sendmmsg`` or ``sendto`` is part of it.
"""

import argparse
import random
import secrets
import socket
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import track

from loadtest.bench.result import Target
from media.rtc.client import Client
from media.rtc.door import Door
from media.rtc.dtls import Identity
from media.rtc.inbox import Inbox, address_of, key_of
from media.rtc.rtcp import ReportBlock, build_receiver_report
from media.rtc.rtp import ntp_time
from media.rtc.sdp import parse_sdp
from media.rtc.session import Session
from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    build_stun,
    is_stun,
    parse_stun,
)

TARGETS = (Target("us_per_check", "<=", 8.0), Target("us_per_report", "<=", 8.0))
_FOR_EVER = 1e9
_START = 1000.0

Batch = list[tuple[bytes, int]]


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--listeners", type=int, default=1000, metavar="N", help="connected (%(default)s)")
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="datagrams at once (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="one of each kind from everybody (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: medians over the rounds, in microseconds of the thread's CPU time."""
    crowd = _Crowd(chosen.listeners)
    spent: dict[str, list[float]] = {}
    for _ in track(range(chosen.rounds), "door, Python", console=Console(stderr=True)):
        for kind, made in (("check", crowd.checks), ("report", crowd.reports)):
            for way, deal in (("", crowd.at_the_door), ("python_", crowd.in_python)):
                spent.setdefault(f"{way}us_per_{kind}", []).append(crowd.measure(deal, made(), chosen.batch))
    figures = {name: median(values) for name, values in spent.items()}
    return {
        "listeners": chosen.listeners,
        "batch": chosen.batch,
        **figures,
        "check_ratio": figures["python_us_per_check"] / figures["us_per_check"],
        "report_ratio": figures["python_us_per_report"] / figures["us_per_report"],
        "dropped": sum(crowd.door.counted()[1].values()),
    }


class _Listener:
    """Both ends of a connected session."""

    def __init__(self, identity: Identity, address: Address) -> None:
        self.entry = -1
        self.client = Client(identity, "recvonly")
        self.session = Session(identity, parse_sdp(self.client.offer), (("127.0.0.1", 9),), _START)
        self.client.accept(self.session.answer, _START)
        self.key = key_of(address)
        session, client = self.session, self.client
        while client.outbox:
            sent, client.outbox[:] = [*client.outbox], []
            for datagram in sent:
                if not is_stun(datagram):
                    session.receive(datagram, _START, address)
                    continue
                message = parse_stun(datagram)
                answer = message.kind == BINDING_RESPONSE
                (session.receive_answer if answer else session.receive_check)(message, address, _START)
            replies, session.outbox[:] = [*session.outbox], []
            for datagram, _ in replies:
                client.receive(datagram, _START)

    def check(self) -> bytes:
        """A consent check."""
        ufrag, password = self.session.credentials
        attributes = [(USERNAME, f"{ufrag}:bench".encode()), (PRIORITY, bytes(4)), (USE_CANDIDATE, b"")]
        return build_stun(BINDING_REQUEST, secrets.token_bytes(12), attributes, password.encode())

    def report(self) -> bytes:
        """A receiver report."""
        assert self.client.transport and self.client.transport.sender
        block = ReportBlock(self.session.ssrc, 0, 0, 1, 0, 1, 1)
        return self.client.transport.sender.protect_rtcp(
            build_receiver_report(self.client.ssrc, (block,), "bench")
        )


class _Crowd:
    """Connected listeners, each with an address of its own in 127/8, all of which one socket receives."""

    def __init__(self, count: int) -> None:
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sink.bind(("0.0.0.0", 0))  # noqa: S104 (all of 127/8)
        self._sink.setblocking(False)
        self._port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._port.bind(("127.0.0.1", 0))
        self._inbox, self.door = Inbox(), Door()
        self.door.warm()
        self._now = _START
        self._chance = random.Random(1)
        self._listeners: dict[int, _Listener] = {}
        identity = Identity()
        for number in track(range(count), "joining", console=Console(stderr=True)):
            host = f"127.{1 + number // 60_000}.{number // 240 % 250}.{1 + number % 240}"
            address = (host, self._sink.getsockname()[1])
            listener = _Listener(identity, address)
            session, client = listener.session, listener.client
            assert session.transport and session.transport.receiver
            self._listeners[listener.key] = listener
            self.door.peers.expect(listener, session.credentials)
            self.door.peers.admit(listener, address, session.transport.receiver, session.ssrc, False, _START)
            self.door.peers.trust_reports(listener, client.ssrc)

    def checks(self) -> Batch:
        """One from everybody."""
        return self._shuffled([(listener.check(), key) for key, listener in self._listeners.items()])

    def reports(self) -> Batch:
        """One from everybody."""
        return self._shuffled([(listener.report(), key) for key, listener in self._listeners.items()])

    def measure(self, deal: Callable[[Batch], None], datagrams: Batch, size: int) -> float:
        """Microseconds a datagram, in batches of ``size``."""
        self._now += 1.0
        spent = 0.0
        for at in range(0, len(datagrams), size):
            batch = datagrams[at : at + size]
            self._inbox.put(batch)
            start = time.thread_time()
            deal(batch)
            spent += time.thread_time() - start
            self._drain()
        return 1e6 * spent / len(datagrams)

    def at_the_door(self, _: Batch) -> None:
        """The batch that is in the inbox; nothing of it is for Python."""
        self.door.serve(self._inbox, self._port.fileno(), self._now, _FOR_EVER, ntp_time(time.time()))
        assert not self._inbox

    def in_python(self, batch: Batch) -> None:
        """By the sessions."""
        for datagram, key in batch:
            session = self._listeners[key].session
            if is_stun(datagram):
                session.receive_check(parse_stun(datagram), address_of(key), self._now)
            else:
                session.receive(datagram, self._now)
            for answer, address in session.outbox:
                self._port.sendto(answer, address)
            session.outbox.clear()

    def _shuffled(self, batch: Batch) -> Batch:
        self._chance.shuffle(batch)
        return batch

    def _drain(self) -> None:
        try:
            while True:
                self._sink.recv(2048)
        except BlockingIOError:
            return
