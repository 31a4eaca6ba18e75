"""A relay's core with people around it in virtual time: nothing waits, nothing is random, no thread runs.

Replies to one peer go from function to function. What is fanned out goes through the real kernels and real
loopback sockets, on which a datagram has arrived when the call that sent it returns.
"""

import socket
from collections.abc import Callable

import numpy as np

from media.audio.opus import Decoder, Encoder
from media.relay.core import RelayCore
from media.relay.plane import PlaneEvent, SessionDown
from media.relay.tap import Tap
from media.relay.ticker import TICK
from media.rtc.client import Client
from media.rtc.description import Direction
from media.rtc.events import Closed, RtpReceived
from media.rtc.inbox import Inbox, key_of
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.sdp import parse_sdp
from media.rtc.stun import Address
from tests.media.relay.sound import Pcm, strength, tone
from tests.media.rtc.pair import RELAY, identity

ROOM = "room"
WALL = 1_700_000_000
"""Unix time of the world's beginning."""
FOR_EVER = 1e9


class Member:
    """One session of a participant: a client, the socket it hears through, what it says and what it heard."""

    def __init__(self, name: str, participant: str, direction: Direction, ptime: int | None = None) -> None:
        self.name, self.participant = name, participant
        self.client = Client(identity(1), direction, ptime=ptime)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address: Address = self.socket.getsockname()
        self.says: float | None = None
        """The tone it speaks, in hertz."""
        self.loses: Callable[[int], bool] = lambda _: False
        """Whether the n-th packet it sends is lost."""
        self.captured: Callable[[], int] | None = None
        """NTP time at which a packet's sound was captured; without it packets do not say."""
        self.gone = False
        """Sends and hears nothing any more, without a goodbye."""
        self.closed: Closed | None = None
        self.sequence, self.timestamp, self.spoken = 1000, 50_000, 0
        self.packets: list[tuple[float, RtpPacket]] = []
        self._sound: list[tuple[float, Pcm]] = []
        self._encoder, self._decoder = Encoder(), Decoder()

    @property
    def up(self) -> bool:
        """Connected."""
        return bool(self.client.transport and self.client.transport.sender)

    def speak(self) -> bytes | None:
        """The next 20 ms of its tone, protected; None if it is lost or there is nothing to say."""
        transport = self.client.transport
        if self.says is None or not transport or not transport.sender:
            return None
        payload = self._encoder.encode(tone(self.says, self.spoken))
        number, self.spoken = self.spoken, self.spoken + 1
        extensions = {2: self.captured().to_bytes(8, "big")} if self.captured else None
        packet = RtpPacket(
            *(111, self.sequence & 0xFFFF, self.timestamp & 0xFFFF_FFFF, self.client.ssrc, payload),
            extensions=extensions,
        )
        self.sequence, self.timestamp = self.sequence + 1, self.timestamp + 960
        protected = transport.sender.protect(build_rtp(packet))
        return None if self.loses(number) else protected

    def take(self, datagram: bytes, now: float) -> None:
        """A datagram of the relay."""
        for event in self.client.receive(datagram, now):
            if isinstance(event, RtpReceived):
                self.packets.append((now, event.packet))
                self._sound.append((now, self._decoder.decode(event.packet.payload)))
            elif isinstance(event, Closed):
                self.closed = event

    def heard(self, since: float, until: float = float("inf")) -> Pcm:
        """The sound of the packets that came between two times."""
        parts = [pcm for time, pcm in self._sound if since <= time < until]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class World:
    """One relay, one room, and its members."""

    def __init__(self, tap: Tap | None = None) -> None:
        self.now = 1000.0
        self.events: list[PlaneEvent] = []
        self.replies: list[tuple[bytes, Address]] = []
        """What the relay answered, fanned-out packets apart, in the whole run."""
        self._port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._port.bind(("127.0.0.1", 0))
        self._waiting: list[tuple[bytes, Address]] = []
        self._inbox = Inbox()
        self.core = RelayCore((RELAY,), self._send, self.events.append, tap)
        self.core.open_room(ROOM)
        self.members: list[Member] = []

    def join(
        self,
        participant: str,
        direction: Direction = "sendrecv",
        *,
        name: str = "",
        room: str = ROOM,
        ptime: int | None = None,
    ) -> Member:
        """Connect a session and let it come up."""
        member = Member(name or f"session {len(self.members)}", participant, direction, ptime)
        answer = self.core.add_session(room, participant, member.name, parse_sdp(member.client.offer), self.now)
        member.client.accept(answer, self.now)
        self.members.append(member)
        self.run(TICK)
        assert member.up
        return member

    def speaker(self, participant: str, says: float, direction: Direction = "sendrecv") -> Member:
        """Connect someone who may be heard and speaks a tone."""
        self.core.let_talk(ROOM, participant, True)
        member = self.join(participant, direction)
        member.says = says
        return member

    def run(self, seconds: float) -> None:
        """Let ticks pass."""
        for _ in range(round(seconds / TICK)):
            self.now += TICK / 2
            for member in self.members:
                packet = None if member.gone else member.speak()
                if packet:
                    self.deliver(packet, member.address)
            self._settle()
            self.now += TICK / 2
            self.core.tick(self._port.fileno(), self.now, WALL + self.now)
            self._settle()

    def deliver(self, datagram: bytes, source: Address) -> None:
        """Let a datagram arrive at the port; the door answers through the real socket."""
        inbox = self._inbox
        inbox.put([(datagram, key_of(source))])
        self.core.serve(inbox, self._port.fileno(), self.now, FOR_EVER, WALL + self.now)
        while inbox:
            left, key, opened = inbox.pop()
            self.core.receive(left, key, self.now, opened)

    def downs(self) -> list[tuple[str, str]]:
        """(session, reason) of all that ended."""
        return [(event.session, event.reason) for event in self.events if isinstance(event, SessionDown)]

    def close(self) -> None:
        """Free ports and C state."""
        self.core.close()
        self._port.close()
        for member in self.members:
            member.socket.close()
            member.client.close()

    def _send(self, datagram: bytes, address: Address) -> None:
        self.replies.append((datagram, address))
        self._waiting.append((datagram, address))

    def _settle(self) -> None:
        """Timers, then datagrams to and fro until nobody has anything to say."""
        self.core.handle_timers(self.now)
        for member in self.members:
            if not member.gone and not member.closed:
                timer = member.client.next_timer
                if timer is not None and timer <= self.now:
                    member.client.handle_timer(self.now)
        busy = True
        while busy:
            busy = False
            for member in self.members:
                outgoing, member.client.outbox[:] = [*member.client.outbox], []
                for datagram in outgoing:
                    busy = True
                    if not member.gone:
                        self.deliver(datagram, member.address)
            incoming, self._waiting[:] = [*self._waiting], []
            for datagram, address in incoming:
                busy = True
                for member in self.members:
                    if member.address == address and not member.gone:
                        member.take(datagram, self.now)
        for member in self.members:
            self._fanned_out(member)

    def _fanned_out(self, member: Member) -> None:
        while True:
            try:
                datagram = member.socket.recv(4096)
            except BlockingIOError:
                return
            if not member.gone:
                member.take(datagram, self.now)


def hears(member: Member, hertz: float, since: float, until: float = float("inf")) -> bool:
    """The tone is there for at least a good part of what came between two times."""
    return strength(member.heard(since, until), hertz) > 0.1


def misses(member: Member, hertz: float, since: float, until: float = float("inf")) -> bool:
    """Nothing worth a mention of the tone is there."""
    return strength(member.heard(since, until), hertz) < 0.01
