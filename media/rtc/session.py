"""The relay's end of a WebRTC session: ICE-lite (RFC 8445 §2.5) around DTLS-SRTP.

An ICE-lite agent answers: it learns where its peer may be from checks that carry the password it gave out in the
answer. What an address has to prove before it is sent more than it sends is in :mod:`media.rtc.paths`; how long a
peer is alive, and may be sent to, in :mod:`media.rtc.freshness`. For both the session makes checks of its own.
"""

import secrets
from typing import Literal

from media.rtc.description import Description, Direction, Setup
from media.rtc.dtls import Identity
from media.rtc.endpoint import Endpoint, write_sdp
from media.rtc.events import (
    Closed,
    Forgotten,
    Moved,
    Restarted,
    RtcpReceived,
    RtpReceived,
    Sends,
    SessionEvent,
)
from media.rtc.freshness import Freshness
from media.rtc.paths import Paths
from media.rtc.rtcp import build_receiver_report
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI, RtpPacket, is_sound
from media.rtc.sdpfrag import Fragment, write_fragment
from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    ICE_CONTROLLED,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    StunMessage,
    build_stun,
    build_success,
)
from media.rtc.transport import SecureTransport
from media.rtc.uplink import Uplink

REPORT_INTERVAL = 5.0
"""Seconds between two receiver reports to a speaker (RFC 3550 §6.2)."""
_PRIORITY = (110 << 24 | 65535 << 8 | 255).to_bytes(4, "big")
"""A peer-reflexive candidate's (RFC 8445 §5.1.2.2): what a check must carry, though nothing follows from ours."""

_EXTENSIONS = (AUDIO_LEVEL_URI, CAPTURE_TIME_URI)
_ANSWER: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


class Session:
    """One peer of the relay.

    Feed it with :meth:`receive_check` (STUN that names one of :attr:`ufrags`), :meth:`receive_answer` (other STUN)
    and :meth:`receive` (everything else) from one of :attr:`addresses`, and :meth:`handle_timer` when
    :attr:`next_timer` has passed. Each returns events; what is to be sent stands in :attr:`outbox`.
    """

    def __init__(
        self, identity: Identity, offer: Description, candidates: tuple[Address, ...], now: float
    ) -> None:
        audio = offer.audio
        assert audio.opus is not None
        extensions = {uri: audio.extensions[uri] for uri in _EXTENSIONS if uri in audio.extensions}
        setup: Setup = "active" if audio.setup == "passive" else "passive"
        self._credentials = [_new_credentials()]
        """Fragment and password of the session, and behind them those of an ICE restart that is under way."""
        self._remote = Fragment(audio.ufrag, audio.pwd)
        self._mid, self._candidates = audio.mid, candidates
        self._transport = audio.transport or audio.mid
        """Identifier of the section whose transport the session is on, by which a restart names it."""
        self.ssrc = secrets.randbits(32)
        self.payload_type = audio.opus
        self.level_id = extensions.get(AUDIO_LEVEL_URI, 0)
        self.capture_id = extensions.get(CAPTURE_TIME_URI, 0)
        self.talks = audio.direction in ("sendrecv", "sendonly")
        """The peer may send sound; what it sends otherwise is dropped."""
        self.hears = audio.direction in ("sendrecv", "recvonly")
        self.frames = audio.frames if self.hears else 1
        """Frames of 20 ms in each packet that the peer wants to be sent: 1, 2 or 3."""
        own = Endpoint(
            ufrag=self._credentials[0][0],
            pwd=self._credentials[0][1],
            fingerprint=identity.fingerprint,
            setup=setup,
            direction=_ANSWER[audio.direction],
            payload_type=audio.opus,
            ssrc=self.ssrc,
            mid=audio.mid,
            extensions=tuple(extensions.items()),
            candidates=candidates,
            ice_lite=True,
            ptime=20 if self.talks else 20 * self.frames,
        )
        self.answer = write_sdp(own, offer)
        self._role: Literal["client", "server"] = "client" if setup == "active" else "server"
        self._identity, self._fingerprints = identity, tuple(audio.fingerprints)
        self.transport: SecureTransport | None = None
        self._paths = Paths()
        self.address: Address | None = None
        """Where to send: the nominated path, before nomination the first that worked."""
        self._flights: set[Address] = set()
        """Where the handshake has been sent to."""
        self._held: list[bytes] = []
        """What of it has to wait until the path has brought, or proven, more."""
        self._fresh = Freshness(now)
        self.sends = False
        """The peer may be sent sound, and what belongs to it."""
        self._tie_breaker = secrets.token_bytes(8)
        self.uplink = Uplink()
        self._report_at = float("inf")
        self.outbox: list[tuple[bytes, Address]] = []

    @property
    def credentials(self) -> tuple[str, str]:
        """Fragment and password that the peer's checks are made with."""
        return self._credentials[0]

    @property
    def all_credentials(self) -> list[tuple[str, str]]:
        """Those, and behind them those of an ICE restart that is under way."""
        return [*self._credentials]

    @property
    def ufrags(self) -> list[str]:
        """Fragments that checks of the peer may name."""
        return [ufrag for ufrag, _ in self._credentials]

    def restart_ice(self, fragment: Fragment, now: float) -> str:
        """Begin an ICE restart (RFC 8445 §9): returns our fragment, "" if the peer's credentials are not new.

        The credentials before stay valid until the peer nominates a path with the new ones. DTLS and SRTP go on.
        """
        fragment = fragment.of(self._transport)
        if fragment == self._remote:
            return ""
        self._remote = fragment
        self._credentials[1:] = [_new_credentials()]
        self._fresh.note_check(now, in_use=False)  # the network has just changed: it may take a while
        return write_fragment(
            *(*self._credentials[1], self._mid, self.payload_type, self._candidates),
            lite=True,
        )

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timer` is due, in the caller's time."""
        fresh = self._fresh
        due = min(fresh.alive_until, self._report_at, self._paths.next_retry)
        if self.sends:
            due = min(due, fresh.probe_at, fresh.consent_until)
        handshake = self.transport.next_timer if self.transport else None
        return due if handshake is None else min(due, handshake)

    @property
    def reporting(self) -> bool:
        """A report to the peer on its sound is due at some time: packets until then need not be told here."""
        return self._report_at < float("inf")

    @property
    def connected(self) -> bool:
        """The handshake is done."""
        return self.transport is not None and self.transport.sender is not None

    @property
    def addresses(self) -> list[Address]:
        """Where authentic checks have come from, the latest last."""
        return [*self._paths]

    def receive_check(self, message: StunMessage, source: Address, now: float) -> list[SessionEvent] | None:
        """Answer a connectivity check; None if it is not authentic, and then nothing is answered."""
        named = message.username.partition(":")[0]
        ufrag, pwd = next((pair for pair in self._credentials if pair[0] == named), self._credentials[0])
        if message.kind != BINDING_REQUEST or not message.authentic(pwd.encode()):
            return None
        forgotten = self._paths.learn(source, self.address)
        self._paths.receive(source, len(message.raw))
        events: list[SessionEvent] = [Forgotten(forgotten)] if forgotten else []
        self._send(build_success(message, source, pwd.encode()), source)
        nominates = USE_CANDIDATE in message.attributes
        if nominates and ufrag != self._credentials[0][0]:
            events.append(Restarted(self._credentials.pop(0)[0]))
        first = self.address is None
        if first or (nominates and not self.connected and source != self.address):
            self.address = source  # nothing but the handshake goes there
            events += [] if first else [Moved(source)]
        elif nominates and source != self.address:
            self._paths.nominate(source)
        self._fresh.note_check(now, in_use=source == self.address)
        if self.transport is None:
            self.transport = SecureTransport(
                *(self._identity, self._role, self._fingerprints, self.ssrc, now), any_make=True
            )
        if (first or nominates) and not self._paths.proven(source):
            self._check(source, now, anew=True)
        self._flush(now)
        return events + self._settle(now)

    def receive_answer(self, message: StunMessage, source: Address, now: float) -> list[SessionEvent] | None:
        """An answer to a check of ours; None if it is none."""
        if message.kind != BINDING_RESPONSE or not message.authentic(self._remote.pwd.encode()):
            return None
        if not self._paths.answered(source, message.transaction):
            return None
        events: list[SessionEvent] = []
        if self._paths.elect(source) and source != self.address:
            self.address = source
            events.append(Moved(source))
        self._fresh.note_answer(now, in_use=source == self.address)
        self._flush(now)
        return events + self._settle(now)

    def receive(self, datagram: bytes, now: float, source: Address | None = None) -> list[SessionEvent]:
        """A datagram that is no STUN, from one of :attr:`addresses` (None: the one in use)."""
        transport, source = self.transport, source or self.address
        if transport is None or source is None:
            return []
        if is_sound(datagram):
            packet = self.receive_sound(datagram, now)
            return [RtpReceived(packet)] if packet else []
        self._paths.receive(source, len(datagram))
        shakes = 20 <= datagram[0] <= 63 if datagram else False
        connecting = shakes and not self.connected
        if connecting and self._held:
            self._flush(now, source)
        events = transport.receive(datagram, now)
        if shakes:
            self._held = [] if transport.outbox else self._held
            self._flush(now, source)
        if connecting and self.connected:
            if len(self._flights) == 1:  # whoever has finished the handshake has received it where it was sent to
                self._paths.prove(*self._flights)
                self._fresh.note_check(now, in_use=self.address in self._flights)
            if not self.talks:
                transport.release_handshake()
        self._note(events, now)
        self._flush(now)
        return events + self._settle(now)

    def receive_sound(self, datagram: bytes, now: float) -> RtpPacket | None:
        """:meth:`receive` for what :func:`media.rtc.rtp.is_sound` says is RTP, which is most of what comes.

        None if it is not to be heard: the reason is counted among what the transport dropped.
        """
        transport = self.transport
        packet = transport.receive_rtp(datagram) if transport else None
        if transport is None or packet is None:
            return None
        self._fresh.note_media(now)
        negotiated = self.talks and packet.payload_type == self.payload_type
        heard = (negotiated or packet.ssrc == self.uplink.ssrc) and self.uplink.note(packet, now)
        if not (negotiated and heard):
            transport.dropped["another stream" if negotiated else "not negotiated"] += 1
            return None
        transport.kept["sound"] = packet.ssrc
        self._report_at = min(self._report_at, now + REPORT_INTERVAL)
        return packet

    def receive_report(self, compound: bytes, now: float) -> list[SessionEvent]:
        """A compound of reports that was decrypted elsewhere (:class:`media.rtc.door.Door`)."""
        events = self.transport.receive_report(compound) if self.transport else []
        self._note(events, now)
        return events

    def note_check(self, when: float) -> None:
        """An authentic check from the address in use was answered elsewhere at that time."""
        self._fresh.note_check(when, in_use=True)

    def note_media(self, when: float) -> None:
        """Authentic sound or reports came elsewhere at that time."""
        self._fresh.note_media(when)

    def handle_timer(self, now: float) -> list[SessionEvent]:
        """Whatever time alone brings: a flight or a check sent again, leave to send lapsed, the peer given up."""
        if now >= self._fresh.alive_until:
            heard = "no check arrived" if self.address is None else "nothing authentic arrived any more"
            return [Closed("consent lost", heard)]
        if self.transport is None:
            return []
        for address in self._paths.due(now):
            self._check(address, now)
        if self.sends and self.address and now >= self._fresh.probe_at:
            self._fresh.note_probe(now)
            self._check(self.address, now)
        events = self.transport.handle_timer(now)
        if self._held:
            self.transport.outbox.clear()  # the flight before has not even been sent
        if now >= self._report_at:
            self._report(now)
        self._flush(now)
        return events + self._settle(now)

    def close(self) -> None:
        """Say goodbye to the peer (in the outbox) and free the C state."""
        if self.transport:
            self.transport.say_goodbye()
            if self.address is not None and (self.sends or not self.connected):
                for datagram in self.transport.outbox:
                    self._send(datagram, self.address)
            self.transport.outbox.clear()
            self.transport.close()

    def _check(self, address: Address, now: float, anew: bool = False) -> None:
        """Send a check of our own (RFC 8445 §7.2): its answer proves the path, and gives leave to send."""
        transaction = self._paths.challenge(address)
        attributes = [
            (USERNAME, f"{self._remote.ufrag}:{self._credentials[-1][0]}".encode()),
            (PRIORITY, _PRIORITY),
            (ICE_CONTROLLED, self._tie_breaker),
        ]
        self._send(build_stun(BINDING_REQUEST, transaction, attributes, self._remote.pwd.encode()), address)
        self._paths.expect(address, now, anew)

    def _settle(self, now: float) -> list[SessionEvent]:
        """Say so if the peer may be sent to from now on, or no longer."""
        sends = self.connected and self._paths.proven(self.address) and self._fresh.may_send(now)
        if sends == self.sends:
            return []
        self.sends = sends
        return [Sends(sends)]

    def _send(self, datagram: bytes, address: Address) -> bool:
        """Send something, unless the address has brought and proven too little."""
        admitted = self._paths.admit(address, len(datagram))
        if admitted:
            self.outbox.append((datagram, address))
        return admitted

    def _note(self, events: list[SessionEvent], now: float) -> None:
        """Take from the peer's reports what they say of its own sound."""
        for event in events:
            if isinstance(event, RtcpReceived):
                self._fresh.note_media(now)
                if self.transport:
                    self.transport.kept["reports"] = event.ssrc
                if event.compound.sender and event.compound.sender.ssrc == self.uplink.ssrc:
                    self.uplink.note_sender(event.compound.sender, now)
                self.uplink.end(event.compound.bye)

    def _report(self, now: float) -> None:
        """Tell a speaker how they arrive; the next report is due with the next packet."""
        self._report_at = float("inf")
        block = self.uplink.block(now)
        if block and self.transport and self.transport.sender:
            report = build_receiver_report(self.ssrc, (block,), "spaces")
            self.transport.outbox.append(self.transport.sender.protect_rtcp(report))

    def _flush(self, now: float, source: Address | None = None) -> None:
        """Send what the transport has: the handshake to ``source``, all else to the address in use."""
        transport = self.transport
        assert transport is not None
        where = source or self.address
        made, transport.outbox[:] = [*self._held, *transport.outbox], []
        if where is None or not made:
            return
        self._held = []
        if source is None and transport.sender is not None and not self.sends:
            return
        for number, datagram in enumerate(made):
            if not self._send(datagram, where):
                self._held = made[number:]
                break
            if transport.sender is None:
                self._flights.add(where)


def _new_credentials() -> tuple[str, str]:
    return secrets.token_hex(4), secrets.token_hex(16)
