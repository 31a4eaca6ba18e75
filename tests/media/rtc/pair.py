"""A relay's session and a client, connected by a wire that does what a test says, in virtual time."""

import heapq
from collections.abc import Callable
from itertools import count

from media.rtc.client import Client
from media.rtc.description import Direction
from media.rtc.dtls import Identity
from media.rtc.events import Closed, SessionEvent
from media.rtc.sdp import parse_sdp
from media.rtc.session import Session
from media.rtc.stun import BINDING_RESPONSE, Address, is_stun, parse_stun

RELAY: Address = ("192.0.2.1", 5000)
CLIENT: Address = ("198.51.100.7", 40000)

Fate = Callable[[int, bytes], list[float]]
"""What becomes of the n-th datagram of one direction (counted from 0): the delays in seconds of each copy that
arrives. ``[]`` loses it, two delays duplicate it, a longer one than its successor's reorders it."""

_identities: list[Identity] = []


def identity(index: int = 0) -> Identity:
    """The relay's (0) or a client's (1) certificate; made once, since keys cost time."""
    while len(_identities) <= index:
        _identities.append(Identity())
    return _identities[index]


def at_once(_: int, __: bytes) -> list[float]:
    """A wire of 5 ms without faults."""
    return [0.005]


def losing(*numbers: int) -> Fate:
    """Lose these datagrams and bring the others."""
    return lambda number, _: [] if number in numbers else [0.005]


class Pair:
    """Both ends of one session. :meth:`run` lets time pass; events are collected with the time they came at."""

    def __init__(
        self,
        direction: Direction = "sendrecv",
        *,
        up: Fate = at_once,
        down: Fate = at_once,
        change_offer: Callable[[str], str] = str,
        change_answer: Callable[[str], str] = str,
    ) -> None:
        self.now = 100.0
        self.up, self.down = up, down
        self.client = Client(identity(1), direction)
        self.session = Session(identity(0), parse_sdp(change_offer(self.client.offer)), (RELAY,), self.now)
        self.client_events: list[tuple[float, SessionEvent]] = []
        self.session_events: list[tuple[float, SessionEvent]] = []
        self.client_address = CLIENT
        """Where the client's datagrams come from; change it to let the client roam."""
        self.sent = {"up": 0, "down": 0}
        self.over = {"session": False, "client": False}
        """Which side has said that it is closed; it is not driven any more, as its driver would do."""
        self.to: dict[Address, int] = {}
        """Bytes that the session has sent, by where to; ``of``: that have reached it, by where they came from."""
        self.of: dict[Address, int] = {}
        self._order = count()
        self._wire: list[tuple[float, int, str, bytes, Address]] = []
        self.client.accept(change_answer(self.session.answer), self.now)

    def run(self, seconds: float) -> None:
        """Let ``seconds`` pass, with all that happens in them."""
        end = self.now + seconds
        while True:
            self._collect()
            due = [end + 1, *[entry[0] for entry in self._wire[:1]]]
            due += [] if self.over["session"] else [self.session.next_timer]
            due += [] if self.over["client"] else [self.client.next_timer or end + 1]
            moment = min(due)
            if moment > end:
                break
            self.now = max(self.now, moment)
            self._deliver()
            self._timers()
        self.now = end

    def connect(self) -> None:
        """Run until both ends are connected."""
        self.run(0.2)
        assert self.connected

    @property
    def connected(self) -> bool:
        """Both ends have keys."""
        session, client = self.session.transport, self.client.transport
        return bool(session and session.sender and client and client.sender)

    def seen(self, kind: type[SessionEvent], side: str = "session") -> list[SessionEvent]:
        """The events of one kind that one side (``session`` or ``client``) has told."""
        events = self.session_events if side == "session" else self.client_events
        return [event for _, event in events if isinstance(event, kind)]

    def close(self) -> None:
        """Free the C state of both ends."""
        self.client.close()
        self.session.close()

    def _collect(self) -> None:
        for datagram in self.client.outbox:
            self._send("up", datagram, self.client_address, self.up)
        for datagram, address in self.session.outbox:
            self._send("down", datagram, address, self.down)
        self.client.outbox.clear()
        self.session.outbox.clear()

    def _send(self, way: str, datagram: bytes, address: Address, fate: Fate) -> None:
        number = self.sent[way]
        self.sent[way] += 1
        if way == "down":
            self.to[address] = self.to.get(address, 0) + len(datagram)
        for delay in fate(number, datagram):
            heapq.heappush(self._wire, (self.now + delay, next(self._order), way, datagram, address))

    def _deliver(self) -> None:
        while self._wire and self._wire[0][0] <= self.now:
            _, _, way, datagram, address = heapq.heappop(self._wire)
            if way == "down":
                if address == self.client_address and not self.over["client"]:
                    self._tell("client", self.client.receive(datagram, self.now))
            elif not self.over["session"]:
                self._reach(datagram, address)
            self._collect()

    def _reach(self, datagram: bytes, address: Address) -> None:
        self.of[address] = self.of.get(address, 0) + len(datagram)
        if is_stun(datagram):
            message = parse_stun(datagram)
            session = self.session
            take = session.receive_answer if message.kind == BINDING_RESPONSE else session.receive_check
            self._tell("session", take(message, address, self.now) or [])
        elif address in self.session.addresses:
            self._tell("session", self.session.receive(datagram, self.now, address))

    def _timers(self) -> None:
        if not self.over["session"] and self.session.next_timer <= self.now:
            self._tell("session", self.session.handle_timer(self.now))
        timer = self.client.next_timer
        if timer is not None and timer <= self.now and not self.over["client"]:
            self._tell("client", self.client.handle_timer(self.now))

    def _tell(self, side: str, events: list[SessionEvent]) -> None:
        log = self.session_events if side == "session" else self.client_events
        log += [(self.now, event) for event in events]
        self.over[side] |= any(isinstance(event, Closed) for event in events)
