"""Relay links: how a room reaches listeners on relays that do not mix it.

The relay where a room is mixed (its *home*) sends each tick's encoded mix to every other relay that has
listeners of the room: one SRTP datagram per relay and tick, which the other end puts into its own crowd's row
without decoding. For the home a link is one more listener, so the fan-out kernel serves it; for the other end it
stands in the place of a mixer. Key and SSRC come from the control plane, so what a link takes is found by its
source address and proven by SRTP.

Someone who talks and listens on another relay has a link of their own beside that of everyone: it carries the mix
without their voice.
"""

from collections import deque

from media.relay.plane import Link
from media.relay.stats import RelayStats
from media.rtc.crowd import Crowd
from media.rtc.inbox import key_of
from media.rtc.rtcp import is_rtcp
from media.rtc.rtp import HEADER_SIZE, RtpError, RtpPacket, parse_rtp
from media.rtc.srtp import AES_128_GCM, SrtpContext, SrtpError

PAYLOAD_TYPE = 96
CAPTURE_ID = 1
"""Header extension of the capture time on a link; both ends are ours, so nothing is negotiated."""
WAITING_MAX = 2
"""Frames that wait for their tick: 40 ms. The ticks of two relays are out of step by up to one frame, and a
datagram may be late by a little; what is beyond that would be delay for ever."""
KEYING_LENGTH = AES_128_GCM.key_length + AES_128_GCM.salt_length
"""Bytes of :attr:`media.relay.plane.Link.key`."""


class Feed:
    """The home's end: holds a place in the crowd, as a listener does."""

    frames = 1
    """Ticks in a packet: the other end makes longer ones for those who want them."""
    __slots__ = ("context", "link", "participant", "place")

    def __init__(self, link: Link) -> None:
        self.link = link
        self.participant = link.participant
        self.place = -1
        self.context = SrtpContext(AES_128_GCM, link.key, link.ssrc)

    def join(self, crowd: Crowd, row: int) -> None:
        """Be sent ``row`` from the next tick on."""
        crowd.add(
            *(self, self.context, self.link.other),
            ssrc=self.link.ssrc,
            payload_type=PAYLOAD_TYPE,
            capture_id=CAPTURE_ID,
            row=row,
        )

    def close(self, crowd: Crowd) -> None:
        """Leave the crowd and free the keys."""
        crowd.remove(self)
        self.context.close()


class Follow:
    """The other end: takes datagrams of the home and gives one frame a tick to a row of its own relay."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.participant = link.participant
        self.row = -1
        self.source = key_of(link.home)
        self._context = SrtpContext(AES_128_GCM, link.key)
        self._waiting: deque[tuple[RtpPacket, float]] = deque()
        self._expected: int | None = None

    def put(self, datagram: bytes, now: float, stats: RelayStats) -> str | None:
        """Take a datagram that claims to be of this link; returns why it was dropped, None if it was not."""
        try:
            packet = parse_rtp(self._context.unprotect(datagram))
        except SrtpError:
            return "link: forged or replayed"
        except RtpError:
            return "link: malformed"
        stats.link_packets += 1
        ahead = 0 if self._expected is None else _difference(packet.sequence, self._expected)
        if ahead < 0:
            return "link: out of order"
        stats.link_lost += ahead
        self._expected = packet.sequence + 1 & 0xFFFF
        self._waiting.append((packet, now))
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            return "link: too many"
        return None

    def play(
        self, crowd: Crowd, timestamp: int, now: float, stats: RelayStats
    ) -> tuple[bytes, int | None, bool] | None:
        """Fill the row with the next frame, or with silence if none is there; returns payload, capture, marker."""
        if not self._waiting:
            crowd.silence(self.row)
            return None
        packet, arrival = self._waiting.popleft()
        stats.stages["link"].observe(max(0.0, now - arrival))
        extension = (packet.extensions or {}).get(CAPTURE_ID)
        capture = int.from_bytes(extension, "big") if extension else None
        crowd.fill(self.row, packet.payload, timestamp, capture, packet.marker)
        return packet.payload, capture, packet.marker

    def close(self) -> None:
        """Free the keys."""
        self._context.close()


class Followed:
    """Every link that a relay takes, by where it comes from."""

    def __init__(self) -> None:
        self._by_source: dict[int, dict[int, Follow]] = {}

    def __contains__(self, source: int) -> bool:
        return source in self._by_source

    def __len__(self) -> int:
        return sum(map(len, self._by_source.values()))

    def add(self, follow: Follow) -> None:
        """Let datagrams of this link find it."""
        self._by_source.setdefault(follow.source, {})[follow.link.ssrc] = follow

    def remove(self, follow: Follow) -> None:
        """Know it no more."""
        links = self._by_source[follow.source]
        del links[follow.link.ssrc]
        if not links:
            del self._by_source[follow.source]

    def receive(self, datagram: bytes, source: int, now: float, stats: RelayStats) -> None:
        """A datagram from the address of a home; nothing that a stranger sends in its name is heard."""
        reason: str | None = "link: malformed"
        if len(datagram) >= HEADER_SIZE and datagram[0] >> 6 == 2:
            if is_rtcp(datagram):
                return  # reports are for listeners; the packets say all a link needs
            follow = self._by_source[source].get(int.from_bytes(datagram[8:12], "big"))
            reason = follow.put(datagram, now, stats) if follow else "link: unknown"
        if reason:
            stats.dropped[reason] += 1


def _difference(sequence: int, other: int) -> int:
    """How far a 16-bit number is ahead of another, negative if it is behind."""
    return (sequence - other + 0x8000 & 0xFFFF) - 0x8000
