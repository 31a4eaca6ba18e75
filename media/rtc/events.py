"""What a session tells its driver."""

from dataclasses import dataclass
from typing import Literal

from media.rtc.rtcp import Compound
from media.rtc.rtp import RtpPacket
from media.rtc.stun import Address

CloseReason = Literal["consent lost", "handshake failed", "closed by peer"]


@dataclass(frozen=True, slots=True)
class Connected:
    """The handshake is done: media can be sent, and what arrives can be read."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The peer nominated another path, which has proven itself; send there from now on."""

    address: Address


@dataclass(frozen=True, slots=True)
class Sends:
    """Leave to send has been given, or has lapsed (RFC 7675)."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class Restarted:
    """The peer nominated a path with the credentials of an ICE restart; the fragment before is no longer its."""

    ufrag: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A path that the peer has not used for longest made room for a new one; datagrams from there are not its."""

    address: Address


@dataclass(frozen=True, slots=True)
class RtpReceived:
    """An authentic packet of the peer's stream."""

    packet: RtpPacket


@dataclass(frozen=True, slots=True)
class RtcpReceived:
    """An authentic report of the peer."""

    compound: Compound
    ssrc: int
    """Of who made it."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; nothing more will come of it."""

    reason: CloseReason
    detail: str = ""


SessionEvent = Connected | Sends | Moved | Restarted | Forgotten | RtpReceived | RtcpReceived | Closed
