"""What happened in a Space, as it is told to the outside.

Every method of :class:`~media.space.space.Space` returns these, in the order in which they happened. Joins and
leaves of the crowd are no events: listeners are a number, and whoever wants it reads ``participant_count``.
"""

from dataclasses import dataclass
from typing import Literal

from media.space.policy import SpeakPolicy

EndReason = Literal["host", "enforcement", "host gone", "empty"]
CancelReason = Literal["host", "not started", "enforcement"]
LeaveReason = Literal["left", "connection lost"]
RevokeReason = Literal["stepped down", "revoked", "left", "connection lost", "removed"]
InvitedAs = Literal["listener", "speaker", "cohost"]
InvitedBy = Literal["message", "link", "room"]
"""The way of an invitation: a direct message, a link in a post or copied, or face to face in the room."""


@dataclass(frozen=True, slots=True)
class SpaceEvent:
    """Base of all events; ``at`` is the ``now`` of the input that caused it, in seconds."""

    at: float


Events = list[SpaceEvent]
"""What one input caused, in the order in which it happened."""


@dataclass(frozen=True, slots=True)
class SpaceScheduled(SpaceEvent):
    """The Space has a time to start, or another one."""

    start: float


@dataclass(frozen=True, slots=True)
class SubscribersChanged(SpaceEvent):
    """Another number of people want to be reminded."""

    count: int


@dataclass(frozen=True, slots=True)
class TicketsOffered(SpaceEvent):
    """Whoever wants to listen needs a ticket from now on; the price is in cents."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TicketsWithdrawn(SpaceEvent):
    """Nobody needs a ticket any more."""


@dataclass(frozen=True, slots=True)
class SpaceStarted(SpaceEvent):
    """The Space is live."""


@dataclass(frozen=True, slots=True)
class SpaceEnded(SpaceEvent):
    """The Space is over, for everyone."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class SpaceCanceled(SpaceEvent):
    """The Space will not take place."""

    reason: CancelReason = "host"


@dataclass(frozen=True, slots=True)
class SpeakPolicyChanged(SpaceEvent):
    """Who gets a seat without being approved is different from now on."""

    speak_policy: SpeakPolicy


@dataclass(frozen=True, slots=True)
class SpaceEdited(SpaceEvent):
    """Attributes of the Space are different from now on."""

    fields: tuple[str, ...]
    """Their names, as of :class:`~media.space.meeting.Meeting`."""


@dataclass(frozen=True, slots=True)
class PersonEvent(SpaceEvent):
    """Base of events about one person."""

    person: str


@dataclass(frozen=True, slots=True)
class Connected(PersonEvent):
    """Someone who is known by name is here now, or back."""


@dataclass(frozen=True, slots=True)
class Disconnected(PersonEvent):
    """Someone who is known by name lost the connection; the role waits for them."""


@dataclass(frozen=True, slots=True)
class PersonLeft(PersonEvent):
    """Someone who was known by name is out, and any role of theirs is gone."""

    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class Asked(PersonEvent):
    """A request to speak is in the queue."""


@dataclass(frozen=True, slots=True)
class RequestWithdrawn(PersonEvent):
    """The person no longer wants to speak."""


@dataclass(frozen=True, slots=True)
class RequestDenied(PersonEvent):
    """The request is answered with no; the person may ask again at ``until`` (seconds)."""

    by: str
    until: float


@dataclass(frozen=True, slots=True)
class Invited(PersonEvent):
    """The person may take a seat by accepting; to listen, simply by coming."""

    by: str
    role: InvitedAs
    via: InvitedBy


@dataclass(frozen=True, slots=True)
class InvitationRevoked(PersonEvent):
    """The seat is offered no more."""

    by: str


@dataclass(frozen=True, slots=True)
class InvitationDeclined(PersonEvent):
    """The person does not want the seat."""


@dataclass(frozen=True, slots=True)
class RightGranted(PersonEvent):
    """The person may be heard from now on, and starts muted."""


@dataclass(frozen=True, slots=True)
class RightRevoked(PersonEvent):
    """The person may not be heard any more, from this moment."""

    reason: RevokeReason


@dataclass(frozen=True, slots=True)
class CohostNamed(PersonEvent):
    """A speaker is a co-host now."""


@dataclass(frozen=True, slots=True)
class CohostDropped(PersonEvent):
    """A co-host is a speaker again."""


@dataclass(frozen=True, slots=True)
class MuteChanged(PersonEvent):
    """One of the two flags changed; the person is silent while either is set."""

    by_self: bool
    by_admin: bool


@dataclass(frozen=True, slots=True)
class PersonRemoved(PersonEvent):
    """The person is out of this Space for good."""


@dataclass(frozen=True, slots=True)
class HandRaised(PersonEvent):
    """Someone on the stage raised a hand, which stays up until lowered or the person unmutes."""


@dataclass(frozen=True, slots=True)
class HandLowered(PersonEvent):
    """A hand is down again."""


@dataclass(frozen=True, slots=True)
class LinkMade(PersonEvent):
    """The person made an invitation link; its code is a secret and no part of this."""

    role: InvitedAs


@dataclass(frozen=True, slots=True)
class LinkRevoked(PersonEvent):
    """An invitation link lets nobody in any more; the person is who revoked it."""

    role: InvitedAs


@dataclass(frozen=True, slots=True)
class LinkAccepted(PersonEvent):
    """The person came by an invitation link, which ``by`` had made."""

    by: str
    role: InvitedAs


@dataclass(frozen=True, slots=True)
class PostEvent(PersonEvent):
    """Base of events about a post; the person is who did it."""

    post_id: str


@dataclass(frozen=True, slots=True)
class PostPinned(PostEvent):
    """A post stands above the Space now, before those that were pinned earlier."""


@dataclass(frozen=True, slots=True)
class PostUnpinned(PostEvent):
    """A post does not stand above the Space any more."""


@dataclass(frozen=True, slots=True)
class PostShared(PostEvent):
    """A post was shown to everyone in the Space."""


@dataclass(frozen=True, slots=True)
class MessageSent(PersonEvent):
    """The person wrote to everyone in the Space."""

    number: int
    """Of all messages in this Space, from 1."""
    text: str
