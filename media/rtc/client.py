"""The client's end of a WebRTC session: a controlling ICE agent with one path, around DTLS-SRTP.

For peers that know a relay's address from its answer: synthetic listeners and speakers, and tests. It is WebRTC on
the wire in every respect. It need not offer candidates of its own to an ICE-lite relay, which learns its address
from its checks; a full ICE agent wants one, and answers to checks of its own.
"""

import secrets

from media.rtc.description import Direction, MediaSection, SdpError
from media.rtc.dtls import Identity
from media.rtc.endpoint import Endpoint, write_sdp
from media.rtc.events import Closed, SessionEvent
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI
from media.rtc.sdp import parse_sdp
from media.rtc.sdpfrag import parse_fragment, write_fragment
from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    ICE_CONTROLLING,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    StunError,
    build_stun,
    build_success,
    is_stun,
    parse_stun,
)
from media.rtc.transport import SecureTransport

PAYLOAD_TYPE = 111
EXTENSION_IDS = {AUDIO_LEVEL_URI: 1, CAPTURE_TIME_URI: 2}
FIRST_RETRY = 0.1
"""Seconds until an unanswered check is sent again; doubled each time up to :data:`RETRY_MAX`."""
RETRY_MAX = 1.6
CONSENT_INTERVAL = 5.0
"""Seconds between consent checks (RFC 7675 §5.1)."""
CONSENT_TIMEOUT = 15.0
CONNECT_TIMEOUT = 15.0
"""Seconds for the first check to be answered."""
_PRIORITY = (110 << 24) | (65535 << 8) | 255
"""A peer-reflexive candidate's (RFC 8445 §5.1.2.2)."""


class Client:
    """One synthetic peer.

    :attr:`offer` is what to POST; :meth:`accept` takes the answer. Then feed :meth:`receive` and
    :meth:`handle_timer`; datagrams for :attr:`remote` stand in :attr:`outbox`. ``ptime`` is how many milliseconds
    of sound it asks for in each packet; None leaves that to the relay.
    """

    def __init__(
        self,
        identity: Identity,
        direction: Direction,
        candidates: tuple[Address, ...] = (),
        ptime: int | None = None,
    ) -> None:
        self._identity = identity
        self.ssrc = secrets.randbits(32)
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(16)
        self._tie_breaker = secrets.token_bytes(8)
        own = Endpoint(
            ufrag=self._ufrag,
            pwd=self._pwd,
            fingerprint=identity.fingerprint,
            setup="actpass",
            direction=direction,
            payload_type=PAYLOAD_TYPE,
            ssrc=self.ssrc,
            extensions=tuple(EXTENSION_IDS.items()),
            candidates=candidates,
            ptime=ptime,
        )
        self.offer = write_sdp(own)
        self.remote: Address | None = None
        self._answer: MediaSection | None = None
        self.transport: SecureTransport | None = None
        self.outbox: list[bytes] = []
        self._transaction = b""
        self._check_at: float | None = None
        self._retry = FIRST_RETRY
        self._deadline = 0.0

    @property
    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due; None before the answer is there."""
        times = [self._check_at, self.transport.next_timer if self.transport else None]
        due = [time for time in times if time is not None]
        return min(due) if due else None

    def accept(self, answer: str, now: float) -> None:
        """Take the answer and start; :raises SdpError: it cannot be used."""
        audio = parse_sdp(answer).audio
        if not audio.candidates:
            raise SdpError("The answer names no UDP candidate to connect to.")
        self._answer, self.remote = audio, audio.candidates[0]
        self._deadline = now + CONNECT_TIMEOUT
        self._check(now)

    def restart(self) -> str:
        """Take new credentials and return the fragment that tells the relay; :meth:`accept_restart` its answer."""
        assert self._answer is not None
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(16)
        return write_fragment(self._ufrag, self._pwd, self._answer.mid, PAYLOAD_TYPE)

    def accept_restart(self, fragment: str, now: float) -> None:
        """Take the relay's new credentials and check the path with them; :raises SdpError: they cannot be read."""
        assert self._answer is not None
        new = parse_fragment(fragment)
        self._answer.ufrag, self._answer.pwd = new.ufrag, new.pwd
        self._retry, self._deadline = FIRST_RETRY, now + CONSENT_TIMEOUT
        self._check(now)

    def receive(self, datagram: bytes, now: float) -> list[SessionEvent]:
        """A datagram from :attr:`remote`."""
        if is_stun(datagram):
            self._receive_stun(datagram, now)
            return []
        if self.transport is None or not datagram:
            return []
        events = self.transport.receive(datagram, now)
        self._flush()
        return events

    def handle_timer(self, now: float) -> list[SessionEvent]:
        """Check the path again, send a lost flight again, or give up."""
        if self._answer is None:
            return []
        if now >= self._deadline:
            return [Closed("consent lost", "the relay does not answer checks")]
        if self._check_at is not None and now >= self._check_at:
            self._check(now)
        if self.transport is None:
            return []
        events = self.transport.handle_timer(now)
        self._flush()
        return events

    def close(self) -> None:
        """Say goodbye (in the outbox) and free the C state."""
        if self.transport:
            self.transport.say_goodbye()
            self._flush()
            self.transport.close()

    def _check(self, now: float) -> None:
        assert self._answer is not None
        self._transaction = secrets.token_bytes(12)
        attributes = [
            (USERNAME, f"{self._answer.ufrag}:{self._ufrag}".encode()),
            (PRIORITY, _PRIORITY.to_bytes(4, "big")),
            (ICE_CONTROLLING, self._tie_breaker),
            (USE_CANDIDATE, b""),
        ]
        self.outbox.append(build_stun(BINDING_REQUEST, self._transaction, attributes, self._answer.pwd.encode()))
        self._check_at = now + self._retry
        self._retry = min(2 * self._retry, RETRY_MAX)

    def _receive_stun(self, datagram: bytes, now: float) -> None:
        assert self._answer is not None
        try:
            message = parse_stun(datagram)
        except StunError:
            return
        if message.kind == BINDING_REQUEST and message.authentic(self._pwd.encode()):
            assert self.remote is not None
            self.outbox.append(build_success(message, self.remote, self._pwd.encode()))
        if message.kind != BINDING_RESPONSE or message.transaction != self._transaction:
            return
        if not message.authentic(self._answer.pwd.encode()):
            return
        self._deadline = now + CONSENT_TIMEOUT
        self._check_at = now + CONSENT_INTERVAL * (0.8 + 0.4 * secrets.randbelow(1000) / 1000)
        self._retry = FIRST_RETRY
        if self.transport is None:
            role = "server" if self._answer.setup == "active" else "client"
            expected = tuple(self._answer.fingerprints)
            self.transport = SecureTransport(self._identity, role, expected, self.ssrc, now)
            self._flush()

    def _flush(self) -> None:
        assert self.transport is not None
        self.outbox += self.transport.outbox
        self.transport.outbox.clear()
