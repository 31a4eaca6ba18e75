"""The relay's end of a WebRTC session: ICE-lite (RFC 8445 §2.5) around DTLS-SRTP.

An ICE-lite agent only answers: it learns where its peer is from checks that carry the password it gave out in the
answer, and takes their absence for the end of consent (RFC 7675).
"""

import secrets
from typing import Literal

from media.rtc.description import Description, Direction, Setup
from media.rtc.dtls import Identity
from media.rtc.endpoint import Endpoint, write_sdp
from media.rtc.events import Closed, Forgotten, Moved, Restarted, RtcpReceived, RtpReceived, SessionEvent
from media.rtc.rtcp import build_receiver_report
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI, RtpPacket, is_sound
from media.rtc.sdpfrag import Fragment, write_fragment
from media.rtc.stun import BINDING_REQUEST, USE_CANDIDATE, Address, StunMessage, build_success
from media.rtc.transport import SecureTransport
from media.rtc.uplink import Uplink

LIFE_TIMEOUT = 15.0
"""Seconds without an authentic check, report or packet of sound until the session ends."""
FIRST_CHECK_TIMEOUT = 30.0
"""Seconds a client has from the answer to its first check."""
REPORT_INTERVAL = 5.0
"""Seconds between two receiver reports to a speaker (RFC 3550 §6.2)."""
ADDRESSES_MAX = 8
"""Paths remembered for one session: someone who walks from network to network uses two or three at a time."""
CHECKS_KEPT = 32
"""Transactions remembered for one session, so that an overheard check is worth nothing from elsewhere."""

_EXTENSIONS = (AUDIO_LEVEL_URI, CAPTURE_TIME_URI)
_ANSWER: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


class Session:
    """One peer of the relay.

    Feed it with :meth:`receive_check` (STUN that names :attr:`ufrag`), :meth:`receive` (everything else from one
    of :attr:`addresses`) and :meth:`handle_timer` when :attr:`next_timer` has passed. Each returns events; what
    is to be sent stands in :attr:`outbox`.
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
        self.addresses: list[Address] = []
        self._checks: dict[bytes, Address] = {}
        self.address: Address | None = None
        """Where to send: the nominated path, before nomination the first that worked."""
        self._alive_until = now + FIRST_CHECK_TIMEOUT
        self.uplink = Uplink()
        self._report_at = float("inf")
        self.outbox: list[tuple[bytes, Address]] = []

    @property
    def credentials(self) -> tuple[str, str]:
        """Fragment and password that the peer's checks are made with."""
        return self._credentials[0]

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
        self.note_life(now)  # the network has just changed: it may take a while
        return write_fragment(
            *(*self._credentials[1], self._mid, self.payload_type, self._candidates),
            lite=True,
        )

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timer` is due, in the caller's time."""
        due = min(self._alive_until, self._report_at)
        handshake = self.transport.next_timer if self.transport else None
        return due if handshake is None else min(due, handshake)

    @property
    def reporting(self) -> bool:
        """A report to the peer on its sound is due at some time: packets until then need not be told here."""
        return self._report_at < float("inf")

    def receive_check(self, message: StunMessage, source: Address, now: float) -> list[SessionEvent] | None:
        """Answer a connectivity check; None if it is not authentic, and then nothing is answered."""
        named = message.username.partition(":")[0]
        ufrag, pwd = next((pair for pair in self._credentials if pair[0] == named), self._credentials[0])
        if message.kind != BINDING_REQUEST or not message.authentic(pwd.encode()):
            return None
        if self._checks.get(message.transaction, source) != source:
            return None  # overheard on the way and sent again by somebody else
        self._checks[message.transaction] = source
        if len(self._checks) > CHECKS_KEPT:
            del self._checks[next(iter(self._checks))]
        events = self._learn(source)
        self.outbox.append((build_success(message, source, pwd.encode()), source))
        if self.address is None:
            self._alive_until = now
        self.note_life(now)
        nominates = USE_CANDIDATE in message.attributes
        if self.address is None or (nominates and source != self.address):
            moved = self.address is not None
            self.address = source
            if moved:
                events.append(Moved(source))
        if nominates and ufrag != self._credentials[0][0]:
            events.append(Restarted(self._credentials.pop(0)[0]))
        if self.transport is None:
            self.transport = SecureTransport(
                *(self._identity, self._role, self._fingerprints, self.ssrc, now), any_make=True
            )
            self._flush()
        return events

    def receive(self, datagram: bytes, now: float) -> list[SessionEvent]:
        """A datagram that is no STUN, from one of the addresses that checks have shown to be the peer's."""
        if self.transport is None:
            return []
        had_keys = self.transport.sender is not None
        if is_sound(datagram):
            packet = self.receive_sound(datagram, now)
            return [RtpReceived(packet)] if packet else []
        events = self.transport.receive(datagram, now)
        if self.transport.sender is not None and not had_keys and not self.talks:
            self.transport.release_handshake()
        self._note(events, now)
        self._flush()
        return events

    def receive_sound(self, datagram: bytes, now: float) -> RtpPacket | None:
        """:meth:`receive` for what :func:`media.rtc.rtp.is_sound` says is RTP, which is most of what comes.

        None if it is not to be heard: the reason is counted among what the transport dropped.
        """
        transport = self.transport
        packet = transport.receive_rtp(datagram) if transport else None
        if transport is None or packet is None:
            return None
        self.note_life(now)
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

    def note_life(self, when: float) -> None:
        """Something authentic came from the peer at that time."""
        self._alive_until = max(self._alive_until, when + LIFE_TIMEOUT)

    def handle_timer(self, now: float) -> list[SessionEvent]:
        """Whatever time alone brings: a flight sent again, consent lost."""
        if now >= self._alive_until:
            heard = "no check arrived" if self.address is None else "nothing authentic arrived any more"
            return [Closed("consent lost", heard)]
        if self.transport is None:
            return []
        events = self.transport.handle_timer(now)
        if now >= self._report_at:
            self._report(now)
        self._flush()
        return events

    def close(self) -> None:
        """Say goodbye to the peer (in the outbox) and free the C state."""
        if self.transport:
            self.transport.say_goodbye()
            self._flush()
            self.transport.close()

    def _learn(self, source: Address) -> list[SessionEvent]:
        """Put a path last in the list of those in use; the one unused for longest makes room if need be."""
        known = source in self.addresses
        if known:
            self.addresses.remove(source)
        self.addresses.append(source)
        if known or len(self.addresses) <= ADDRESSES_MAX:
            return []
        oldest = next(address for address in self.addresses if address != self.address)
        self.addresses.remove(oldest)
        return [Forgotten(oldest)]

    def _note(self, events: list[SessionEvent], now: float) -> None:
        """Take from the peer's reports what they say of its own sound."""
        for event in events:
            if isinstance(event, RtcpReceived):
                self.note_life(now)
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

    def _flush(self) -> None:
        assert self.transport is not None
        if self.address is not None:
            self.outbox += [(datagram, self.address) for datagram in self.transport.outbox]
        self.transport.outbox.clear()


def _new_credentials() -> tuple[str, str]:
    return secrets.token_hex(4), secrets.token_hex(16)
