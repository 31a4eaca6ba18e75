"""The relay without its thread and socket: datagrams find their session, ticks their listeners.

Everything here runs on the media thread. Replies leave through ``send``, the crowd's packets through the socket's
file descriptor, and news for the control plane through ``notify``.
"""

import heapq
import logging
from collections import Counter, deque
from collections.abc import Callable
from itertools import count

from media.audio.levels import header_level
from media.relay.demux import Demux
from media.relay.links import Links
from media.relay.mixing import Mixing
from media.relay.peer import Peer
from media.relay.plane import (
    DownReason,
    PlaneError,
    PlaneEvent,
    RelayFullError,
    SessionDown,
    SessionUp,
)
from media.relay.reception import reception
from media.relay.room import Room
from media.relay.session_index import SessionIndex
from media.relay.stats import RelayStats
from media.relay.tap import Tap
from media.relay.ticker import Ticker
from media.rtc.crowd import Crowd
from media.rtc.description import Description
from media.rtc.door import Door
from media.rtc.dtls import Identity
from media.rtc.events import (
    Closed,
    Connected,
    Forgotten,
    Moved,
    Restarted,
    RtcpReceived,
    RtpReceived,
    Sends,
    SessionEvent,
)
from media.rtc.inbox import SOUNDS, Inbox, address_of, key_of
from media.rtc.rtp import RtpPacket, is_sound, ntp_time
from media.rtc.sdpfrag import Fragment
from media.rtc.selftest import failed, sealer
from media.rtc.session import Session
from media.rtc.stun import BINDING_RESPONSE, Address, StunError, StunMessage, is_stun, parse_stun

logger = logging.getLogger(__name__)

SESSIONS_MAX = 20_000
"""Sessions of one relay; four times what a core can fan out to, so that it bounds memory and nothing else."""
TURN = 8
"""Sessions at most that one call of :meth:`RelayCore.handle_timers` ends, and timers that it handles: each takes
about 0.1 ms, and a due tick waits for the call to return."""


class RelayCore:
    """All rooms and sessions of one relay process."""

    def __init__(
        self,
        candidates: tuple[Address, ...],
        send: Callable[[bytes, Address], object],
        notify: Callable[[PlaneEvent], None],
        tap: Tap | None = None,
    ) -> None:
        """``tap``: where rooms that are recorded go."""
        self.identity = Identity()
        self.stats = RelayStats()
        self._candidates = candidates
        self._send = send
        self._notify = notify
        self._crowd = Crowd()
        self._mixing = Mixing(self._crowd, tap)
        self._door = Door()
        self._rooms: dict[str, Room] = {}
        self._peers = SessionIndex()
        self._over: deque[Peer | Room] = deque()
        """Sessions to which nothing is sent any more but a goodbye, and after its last session a closed room."""
        self._sessions_over = 0
        self._demux = Demux(self._door.peers)
        links = Links(self._crowd, self._door.peers, self._open)
        self._links = links
        self.tick = Ticker(self._rooms, self._mixing, self._door.peers, self.stats, notify).tick
        self.feed, self.follow, self.cut = links.feed, links.follow, links.cut
        self._timers: list[tuple[float, int, Peer]] = []
        self._order = count()

    def warm(self) -> None:
        """Compile or load the kernels, and try what packets are sealed with."""
        self._crowd.warm()
        self._door.warm()
        self._mixing.warm()
        self.try_sealer()

    def try_sealer(self) -> None:
        """Try what packets are sealed with; the log tells of a fault, and the metrics what it is."""
        if failed():
            logger.error("our AES-GCM gives wrong answers on this machine: packets are sealed by libsrtp instead")
        else:
            logger.debug("packets of AES-128-GCM are sealed by %s", sealer())

    # What the control plane asks for.

    def open_room(self, name: str) -> None:
        """See :class:`media.relay.plane.DataPlane`; so for the commands below."""
        if name not in self._rooms:
            self._rooms[name] = Room(name, next(self._order), self._mixing, self._door.peers.give_voice)

    def close_room(self, name: str, reason: DownReason = "room closed") -> None:
        """End every session of the room and forget it.

        From now on the room is silent, and its sessions take no command and no datagram. What each of them still
        costs (its goodbye, its event, its C state) is left to :meth:`handle_timers`.
        """
        room = self._rooms.pop(name, None)
        if room is None:
            return
        self._links.cut_room(name)
        room.halt()
        for peer in self._peers.take_room(room):
            self._end_soon(peer, reason)
        self._over.append(room)

    def add_session(self, room: str, participant: str, name: str, offer: Description, now: float) -> str:
        """Answer an offer."""
        place = self._open(room)
        if self.sessions >= SESSIONS_MAX:
            raise RelayFullError(f"This relay holds its {SESSIONS_MAX} sessions already; try again later.")
        if name in self._peers:
            raise PlaneError(f"Session {name} exists already.")
        session = Session(self.identity, offer, self._candidates, now)
        peer = Peer(name, participant, place, session, now)
        self._peers.add(peer)
        for ufrag in session.ufrags:
            self._demux.name(peer, ufrag)
        self._door.peers.expect(peer, *session.all_credentials)
        self._schedule(peer)
        return session.answer

    def restart_ice(self, name: str, fragment: Fragment, now: float) -> str:
        """Answer an ICE restart; "" if the fragment asks for none."""
        if name not in self._peers:
            raise PlaneError(f"Session {name} is not on this relay.")
        peer = self._peers[name]
        before = peer.session.ufrags
        answer = peer.session.restart_ice(fragment, now)
        for ufrag in {*before, *peer.session.ufrags}:
            if ufrag in peer.session.ufrags:
                self._demux.name(peer, ufrag)
            else:
                self._demux.unname(ufrag)
        self._door.peers.change_credentials(peer, *peer.session.all_credentials)
        return answer

    def rename_session(self, name: str, participant: str) -> None:
        """Let a session be that of another participant, whose own voice it does not hear."""
        if peer := self._peers.get(name):
            hears, brings = peer.place >= 0, peer.up and peer.session.talks
            if hears:
                peer.room.remove_hearer(peer)
            peer.room.remove_source(peer.participant, peer)
            self._peers.rename(peer, participant)
            if brings:
                peer.room.add_source(participant, peer)
            if hears:
                self._crowd.hear(peer, peer.room.add_hearer(peer))

    def drop_session(self, name: str, reason: DownReason = "deleted") -> None:
        """End one session."""
        if peer := self._peers.get(name):
            self._drop(peer, reason)

    def drop_participant(self, room: str, participant: str) -> None:
        """End all sessions of a participant."""
        place = self._rooms.get(room)
        for peer in self._peers.of_participant(place, participant) if place else ():
            self._silence(peer)
            self._peers.remove(peer)
            self._end_soon(peer, "removed")

    def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard."""
        if room in self._rooms:
            self._rooms[room].let_talk(participant, allowed)

    def mute(self, room: str, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        if room in self._rooms:
            self._rooms[room].mute(participant, muted)

    def record(self, room: str) -> None:
        """Give the recorder what is heard in a room, from now on."""
        self._open(room).record()

    def _open(self, name: str) -> Room:
        if name not in self._rooms:
            raise PlaneError(f"Room {name} is not open on this relay.")
        return self._rooms[name]

    def close(self) -> None:
        """End everything."""
        for name in [*self._rooms]:
            self.close_room(name, "shutdown")
        while self._over:
            self._finish_next()

    # What the network brings.

    def serve(self, inbox: Inbox, fd: int, now: float, deadline: float, wall: float, mixed: float = 0.0) -> None:
        """Deal with what needs no session; see :class:`media.rtc.door.Door`. ``wall`` is the Unix time."""
        self._door.serve(inbox, fd, now, deadline, ntp_time(wall), mixed)
        if taken := int(inbox.state[SOUNDS]):
            refused = self._mixing.hearing.take(inbox.sounds[:taken], inbox.data)
            if refused:
                self.stats.dropped["too many packets"] += refused

    def receive(self, datagram: bytes, source: int, now: float, opened: bool = False) -> None:
        """One datagram from the port. Nothing an outsider sends is answered or raises past here.

        ``opened``: the door has decrypted it, and it is a compound of reports.
        """
        self.stats.datagrams += 1
        if source in self._links:
            self._links.receive(datagram, source, now, self.stats)
            return
        if is_stun(datagram):
            self._receive_stun(datagram, source, now)
            return
        peer = self._demux.sender(source, datagram) if datagram else None
        if peer is None or peer.over:
            self.stats.dropped["no session"] += 1
            return
        if opened:
            same = self._door.peers.addresses.get(source) == peer.entry
            self._handle(peer, peer.session.receive_report(datagram, now) if same else [], now)
            return
        if is_sound(datagram):
            self._receive_sound(peer, datagram, now)
        else:
            self._handle(peer, peer.session.receive(datagram, now, address_of(source)), now)
        self._count_drops(peer.session)

    def _receive_sound(self, peer: Peer, datagram: bytes, now: float) -> None:
        packet = peer.session.receive_sound(datagram, now)
        if packet:
            self._hear(peer, packet, now)
            self._schedule(peer)

    def _receive_stun(self, datagram: bytes, source: int, now: float) -> None:
        try:
            message = parse_stun(datagram)
        except StunError:
            self.stats.dropped["malformed STUN"] += 1
            return
        if message.kind == BINDING_RESPONSE:
            self._receive_answer(message, source, now)
            return
        peer = self._demux.named(message.username)
        if peer is None or peer.over:
            self.stats.dropped["STUN for no session"] += 1
            return
        address = address_of(source)
        events = peer.session.receive_check(message, address, now)
        if events is None:
            self.stats.dropped["STUN not authentic"] += 1
            return
        if address in peer.session.addresses:
            self._demux.route(peer, source)
        self._handle(peer, events, now)
        if peer.up and address == peer.session.address and self._demux.at(source) is peer:
            self._door.peers.move(peer, address)

    def _receive_answer(self, message: StunMessage, source: int, now: float) -> None:
        """A peer has answered a check of ours: where it is sent to is where it is."""
        for peer in self._demux.claimants(source):
            events = None if peer.over else peer.session.receive_answer(message, address_of(source), now)
            if events is not None:
                self._handle(peer, events, now)
                return
        self.stats.dropped["STUN not authentic"] += 1

    def handle_timers(self, now: float) -> None:
        """Whatever time alone brings to sessions, and the ends of those that are over: :data:`TURN` of each."""
        for _ in range(min(TURN, len(self._over))):
            self._finish_next()
        for _ in range(TURN):
            if not self._timers or self._timers[0][0] > now:
                return
            due, _, peer = heapq.heappop(self._timers)
            if peer.due != due or self._peers.get(peer.name) is not peer:
                continue
            peer.due = float("inf")
            if peer.up:
                known = self._door.peers
                peer.session.note_media(known.last_heard(peer))
                peer.session.note_check(known.last_check(peer))
            self._handle(peer, peer.session.handle_timer(now) if peer.session.next_timer <= now else [], now)
            if peer.up and not peer.session.reporting:
                self._door.peers.distrust_sound(peer)

    @property
    def sessions(self) -> int:
        """How many there are, those still connecting and those not yet told that they are over included."""
        return len(self._peers) + self._sessions_over

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timers` is due."""
        if self._over:
            return float("-inf")
        return self._timers[0][0] if self._timers else float("inf")

    def _handle(self, peer: Peer, events: list[SessionEvent], now: float) -> None:
        for event in events:
            match event:
                case RtpReceived():
                    pass  # see _receive_sound
                case Connected():
                    self._up(peer, now)
                case Sends(allowed):
                    if peer.place >= 0:
                        self._crowd.pause(peer, not allowed)
                case Moved() | Restarted() | Forgotten():
                    self._reroute(peer, event)
                case RtcpReceived(compound, ssrc):
                    if peer.up:
                        self._door.peers.trust_reports(peer, ssrc)
                        if compound.bye:  # the end of a stream and not of the session (RFC 3550 §6.6)
                            self._door.peers.distrust_sound(peer)
                case Closed(reason, detail):
                    logger.info("session %s ends: %s (%s)", peer.name, reason, detail or "it said goodbye")
                    self._drop(peer, reason)
                    return
        self._send_replies(peer)
        self._schedule(peer)

    def _reroute(self, peer: Peer, event: Moved | Restarted | Forgotten) -> None:
        known = self._door.peers
        match event:
            case Moved(address):
                if peer.place >= 0:
                    self._crowd.move(peer, address)
                if peer.up:
                    known.expel(peer)
                    if self._demux.at(key_of(address)) is peer:
                        known.move(peer, address)
            case Restarted(ufrag):
                self._demux.unname(ufrag)
                known.change_credentials(peer, *peer.session.all_credentials)
            case Forgotten(address):
                self._demux.unroute(peer, address)

    def _hear(self, peer: Peer, packet: RtpPacket, now: float) -> None:
        session = peer.session
        capture = None
        if packet.extensions and session.capture_id:
            value = packet.extensions.get(session.capture_id, b"")
            capture = int.from_bytes(value[:8], "big") if len(value) >= 8 else None
        level = header_level(packet.extensions.get(session.level_id, b"")) if packet.extensions else None
        reason = peer.room.put(peer.participant, peer, packet, now, capture, level)
        if reason:
            self.stats.dropped[reason] += 1
        elif peer.up:
            self._door.peers.trust_sound(
                *(peer, packet.ssrc, session.payload_type, session.level_id, session.capture_id)
            )

    def _up(self, peer: Peer, now: float) -> None:
        session, transport = peer.session, peer.session.transport
        assert transport is not None and transport.sender is not None and session.address is not None
        assert transport.receiver is not None
        self._demux.take_over(peer)
        self._door.peers.admit(
            *(peer, session.address, transport.receiver, session.ssrc, session.talks, now), group=peer.room.number
        )
        peer.up = True
        self.stats.sessions_up += 1
        if session.talks:
            session.uplink.move(self._door.peers, peer.entry)
            peer.room.add_source(peer.participant, peer)
        if session.hears:
            self._crowd.add(
                peer,
                transport.sender,
                session.address,
                ssrc=session.ssrc,
                payload_type=session.payload_type,
                capture_id=session.capture_id,
                row=peer.room.add_hearer(peer),
            )
            self._crowd.pause(peer, not session.sends)
        self._notify(SessionUp(peer.room.name, peer.participant, peer.name, now - peer.since))

    def _drop(self, peer: Peer, reason: DownReason) -> None:
        """End one session now."""
        self._peers.remove(peer)
        peer.over = reason
        self._finish(peer, reason)

    def _silence(self, peer: Peer) -> None:
        """Nothing is sent to the session and nothing heard of it from now on."""
        self._door.peers.expel(peer)
        if peer.place >= 0:
            peer.room.remove_hearer(peer)
            self._crowd.remove(peer)
        peer.room.remove_source(peer.participant, peer)

    def _end_soon(self, peer: Peer, reason: DownReason) -> None:
        """End a session that is in the index no more, in its turn."""
        peer.over = reason
        self._over.append(peer)
        self._sessions_over += 1

    def _finish_next(self) -> None:
        """Bring the oldest of those that are over to its end."""
        oldest = self._over.popleft()
        if isinstance(oldest, Room):
            oldest.close()
        elif oldest.over:
            self._sessions_over -= 1
            self._finish(oldest, oldest.over)

    def _finish(self, peer: Peer, reason: DownReason) -> None:
        """Tell both ends of a session that it is over, and free what it holds."""
        session = peer.session
        self._silence(peer)
        session.close()
        self._send_replies(peer)
        for address in session.addresses:
            self._demux.unroute(peer, address)
        self._count_drops(session)
        for ufrag in session.ufrags:
            self._demux.unname(ufrag)
        self._door.peers.forget(peer)
        peer.up = False
        self.stats.sessions_down[reason] += 1
        self._notify(SessionDown(peer.room.name, peer.participant, peer.name, reason))

    def _count_drops(self, session: Session) -> None:
        if session.transport and session.transport.dropped:
            self.stats.dropped.update(session.transport.dropped)
            session.transport.dropped.clear()

    def _send_replies(self, peer: Peer) -> None:
        for datagram, address in peer.session.outbox:
            try:
                self._send(datagram, address)
            except OSError:
                self.stats.send_failures += 1
        peer.session.outbox.clear()

    def _schedule(self, peer: Peer) -> None:
        due = peer.session.next_timer
        if due < peer.due:
            peer.due = due
            heapq.heappush(self._timers, (due, next(self._order), peer))

    # What there is to tell.

    def snapshot(self) -> RelayStats:
        """A copy of what was counted, with how things are now. From whichever thread."""
        stats, crowd = self.stats.copy(), self._crowd
        known, drops = self._door.counted()
        stats.datagrams += known
        stats.dropped.update(drops)
        stats.checks, stats.reports = self._door.checks, self._door.reports
        stats.sealers = Counter({sealer(): 1})
        stats.packets, stats.octets = crowd.packets, crowd.octets
        stats.send_failures += crowd.failures
        stats.listeners, stats.sessions = len(crowd) - self._links.fed, self.sessions
        stats.linked_rooms, stats.links = self._links.rooms, self._links.fed
        rooms = [*self._rooms.values()]
        stats.rooms = len(rooms) - stats.linked_rooms
        stats.speakers = sum(room.speakers for room in rooms)
        stats.reception = reception(self._door.peers.records)
        return stats
