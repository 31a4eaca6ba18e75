"""The narrow interface between control plane and data plane.

The control plane (``media.server``) knows people, rights and HTTP; the data plane (``media.relay``) knows
sessions, sound and UDP. They say to each other what stands here and nothing more, so that they can live in
one process, in two, or on two machines.

A *room* is the media side of a live Space. A *participant* is a person in a room as the control plane names
them; one participant may hold several *sessions* (a WHIP session to speak and a WHEP session to listen), and
hears the room without their own voice on every one of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from media.relay.stats import RelayStats

DownReason = Literal[
    "deleted",  # the client sent DELETE
    "removed",  # a right was taken away
    "room closed",
    "consent lost",  # no authenticated STUN for 15 s (RFC 7675)
    "handshake failed",  # DTLS failed or did not finish in time
    "closed by peer",  # DTLS close_notify
    "shutdown",
    "relay lost",  # the relay's process ended under it; its peer heard no goodbye
]

RELAY_LOST: DownReason = "relay lost"


class OfferError(ValueError):
    """An SDP offer that cannot be answered; the message is one sentence for the client."""


class PlaneError(RuntimeError):
    """A command that names a room or session the data plane does not have."""


class RelayLostError(PlaneError):
    """The relay's process ended before it had answered."""


class RelayFullError(RuntimeError):
    """The relay has no place for one more session."""


@dataclass(frozen=True, slots=True)
class SessionUp:
    """ICE and DTLS are done; media flows from now on."""

    room: str
    participant: str
    session: str
    setup_seconds: float
    """From the answer being made to the end of the DTLS handshake."""


@dataclass(frozen=True, slots=True)
class SessionDown:
    """The session is gone and its resources are free."""

    room: str
    participant: str
    session: str
    reason: DownReason


@dataclass(frozen=True, slots=True)
class Levels:
    """Who is audible in a room, at most 5 times a second and only when it changed."""

    room: str
    dbov: dict[str, float]
    """Participant to level in dBov (0 loudest, -127 silence; RFC 6464); active talkers only."""


PlaneEvent = SessionUp | SessionDown | Levels


@dataclass(frozen=True, slots=True)
class Link:
    """The way of a room's encoded mix from its home to another relay (see :mod:`media.relay.link`)."""

    room: str
    participant: str
    """Whose mix, without their own voice while they talk; empty for everyone's."""
    home: tuple[str, int]
    """Address and UDP port of the relay that mixes, and of the one that takes the mix:"""
    other: tuple[str, int]
    ssrc: int
    key: bytes
    """SRTP key and salt for AEAD_AES_128_GCM, 28 bytes."""


class DataPlane(Protocol):
    """What a control plane may ask of a relay. Every call is safe from the control plane's event loop."""

    async def open_room(self, room: str) -> None:
        """Make a room; opening an open room changes nothing."""
        ...

    async def close_room(self, room: str) -> None:
        """End every session of the room and forget it; closing an unknown room changes nothing."""
        ...

    async def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        """Answer an SDP offer.

        :raises OfferError: the offer is malformed or asks for what a room has not
        :raises PlaneError: the room is not open
        :raises RelayFullError: no free place
        """
        ...

    async def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an SDP fragment (RFC 8840) with the relay's own, for an ICE restart; "" if it asks for none.

        :raises OfferError: the fragment is malformed
        :raises PlaneError: there is no such session
        """
        ...

    async def rename_session(self, session: str, participant: str) -> None:
        """Let a session be that of another participant from now on; an unknown one is no error."""
        ...

    async def drop_session(self, session: str) -> None:
        """End one session; an unknown one is no error (it may have just ended by itself)."""
        ...

    async def drop_participant(self, room: str, participant: str) -> None:
        """End all sessions of a participant, for the reason "removed"."""
        ...

    async def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard, for present and later sessions; nobody has it at first."""
        ...

    async def mute(self, room: str, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        ...

    async def record(self, room: str) -> None:
        """Give the recorder what is heard in a room from now on, and say who everybody in it is; may be repeated.

        :raises PlaneError: the room is not open
        """
        ...

    def subscribe(self, listener: Callable[[PlaneEvent], None]) -> None:
        """Have every event delivered to ``listener`` on the control plane's event loop."""
        ...


class RelayPlane(DataPlane, Protocol):
    """One relay among several: a data plane that can hand a room's mix to others, or take it from one."""

    @property
    def address(self) -> tuple[str, int]:
        """Where its UDP port is bound."""
        ...

    async def feed(self, link: Link) -> None:
        """Send the mix of an open room along a link from now on.

        :raises PlaneError: the room is not open
        """
        ...

    async def follow(self, link: Link) -> None:
        """Take the mix of an open room from a link, instead of mixing.

        :raises PlaneError: the room is not open
        """
        ...

    async def cut(self, link: Link) -> None:
        """Use a link no more, at either end; a room that follows nobody mixes. An unknown one is no error."""
        ...

    async def read_stats(self) -> RelayStats:
        """A copy of the counters."""
        ...
