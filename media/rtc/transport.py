"""What both ends of a session share once a path is known: the DTLS handshake, SRTP, and what goes through it.

:mod:`media.rtc.session` (the relay's end) and :mod:`media.rtc.client` put ICE around it.
"""

from collections import Counter

from pylibsrtp import Error as SrtpLibraryError

from media.rtc.dtls import Fingerprint, Handshake, Identity, Role
from media.rtc.events import Closed, Connected, RtcpReceived, RtpReceived, SessionEvent
from media.rtc.gnutls import dtls_client
from media.rtc.rtcp import RtcpError, build_bye, build_description, parse_rtcp
from media.rtc.rtp import RtpError, RtpPacket, is_sound, parse_rtp
from media.rtc.srtp import SrtpContext

SSRCS_MAX = 8
"""Streams of a peer whose keys and replay window are kept, reports included; each costs some kilobytes."""
RETIRED_MAX = 4096
"""Streams before those, of which the number alone is kept: what was sent of them must not be heard again."""


class SecureTransport:
    """DTLS and SRTP of one session: datagrams in, events and datagrams out.

    ``any_make``: the peer is not known to be one of ours (see :mod:`media.rtc.gnutls`).
    ``outbox`` collects what is to be sent to the peer; the owner empties it. ``dropped`` counts by reason.
    """

    def __init__(
        self,
        identity: Identity,
        role: Role,
        expected: tuple[Fingerprint, ...],
        ssrc: int,
        now: float,
        any_make: bool = False,
    ) -> None:
        self._handshake = (
            dtls_client(identity, expected, now)
            if any_make and role == "client"
            else Handshake(identity, role, expected, now)
        )
        self._ssrc = ssrc
        self._ssrcs: dict[int, None] = {}
        """Streams that are kept, the one used last at the end."""
        self._retired: set[int] = set()
        self.kept: dict[str, int] = {}
        """SSRCs that stay, however many others come: of the sound that is heard, and of who reports on ours."""
        self.sender: SrtpContext | None = None
        self.receiver: SrtpContext | None = None
        self.outbox: list[bytes] = []
        self.dropped: Counter[str] = Counter()
        if role == "client":
            self.outbox += self._handshake.start(now)

    @property
    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due; None if nothing is waited for."""
        return self._handshake.next_timer

    def handle_timer(self, now: float) -> list[SessionEvent]:
        """Send a lost flight of the handshake again, or give it up."""
        self.outbox += self._handshake.handle_timer(now)
        return self._failed()

    def receive(self, datagram: bytes, now: float) -> list[SessionEvent]:
        """A datagram from the peer's address that is no STUN (RFC 7983 tells them apart by the first byte)."""
        first = datagram[0]
        if is_sound(datagram):
            packet = self.receive_rtp(datagram)
            return [RtpReceived(packet)] if packet else []
        if 128 <= first <= 191:
            return self._receive_rtcp(datagram)
        if 20 <= first <= 63:
            return self._receive_dtls(datagram, now)
        self.dropped["unknown"] += 1
        return []

    def release_handshake(self) -> None:
        """Free what the handshake holds; the peer's close_notify is understood all the same."""
        self._handshake.release()

    def say_goodbye(self) -> None:
        """Put an RTCP BYE and a DTLS close_notify into the outbox."""
        if self.sender:
            self.outbox.append(self.sender.protect_rtcp(_empty_report(self._ssrc) + build_bye(self._ssrc)))
        self.outbox += self._handshake.close()

    def close(self) -> None:
        """Free the C state; may be called again."""
        self._handshake.release()
        for context in (self.sender, self.receiver):
            if context:
                context.close()
        self.sender = self.receiver = None

    def _receive_dtls(self, datagram: bytes, now: float) -> list[SessionEvent]:
        was_done = self._handshake.keys is not None
        self.outbox += self._handshake.receive(datagram, now)
        if self._handshake.closed:
            return [Closed("closed by peer")]
        keys = self._handshake.keys
        if keys and not was_done:
            self.sender = SrtpContext(keys.profile, keys.send, self._ssrc)
            self.receiver = SrtpContext(keys.profile, keys.receive)
            return [Connected()]
        return self._failed()

    def _failed(self) -> list[SessionEvent]:
        return [Closed("handshake failed", self._handshake.failure)] if self._handshake.failure else []

    def receive_rtp(self, datagram: bytes) -> RtpPacket | None:
        """The packet in a protected one; None, and counted, if it is not authentic, not new or malformed."""
        if self.receiver is None or len(datagram) < 12:
            self.dropped["early"] += 1
            return None
        ssrc = int.from_bytes(datagram[8:12], "big")
        if self._one_too_many(ssrc):
            return None
        try:
            plain = self.receiver.unprotect(datagram)
        except SrtpLibraryError:
            self.dropped["forged or replayed"] += 1
            return None
        self._keep(self.receiver, ssrc)
        try:
            return parse_rtp(plain)
        except RtpError:
            self.dropped["malformed"] += 1
        return None

    def _receive_rtcp(self, datagram: bytes) -> list[SessionEvent]:
        if self.receiver is None or len(datagram) < 8:
            self.dropped["early"] += 1
            return []
        ssrc = int.from_bytes(datagram[4:8], "big")
        if self._one_too_many(ssrc):
            return []
        try:
            compound = self.receiver.unprotect_rtcp(datagram)
        except SrtpLibraryError:
            self.dropped["forged or replayed"] += 1
            return []
        self._keep(self.receiver, ssrc)
        return self.receive_report(compound)

    def receive_report(self, compound: bytes) -> list[SessionEvent]:
        """A compound that has been decrypted and proved to be the peer's."""
        try:
            return [RtcpReceived(parse_rtcp(compound), int.from_bytes(compound[4:8], "big"))]
        except RtcpError:
            self.dropped["malformed"] += 1
            return []

    def _one_too_many(self, ssrc: int) -> bool:
        """A stream that has been retired, or would retire one more than can be remembered."""
        if ssrc in self._ssrcs or len(self._ssrcs) < SSRCS_MAX:
            return False
        if ssrc not in self._retired and len(self._retired) < RETIRED_MAX:
            return False
        self.dropped["too many streams"] += 1
        return True

    def _keep(self, receiver: SrtpContext, ssrc: int) -> None:
        """Note the use of a stream; the one unused for longest makes room for one too many, and is retired."""
        self._ssrcs.pop(ssrc, None)
        self._ssrcs[ssrc] = None
        if len(self._ssrcs) > SSRCS_MAX:
            kept = {*self.kept.values(), ssrc}
            oldest = next(each for each in self._ssrcs if each not in kept)
            del self._ssrcs[oldest]
            self._retired.add(oldest)
            receiver.forget(oldest)


def _empty_report(ssrc: int) -> bytes:
    """What a compound must start with (RFC 3550 §6.1) when there is nothing to report."""
    return bytes.fromhex("80c90001") + ssrc.to_bytes(4, "big") + build_description(ssrc, "spaces")
