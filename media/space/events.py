"""What happened in a Space, as it is told to the outside.

Every method of :class:`~media.space.space.Space` returns these, in the order in which they happened. Joins and
leaves of the crowd are no events: listeners are a number, and whoever wants it reads ``participant_count``.
"""

from dataclasses import dataclass
from typing import Literal

from media.space.policy import SpeakPolicy

EndReason = Literal["host", "enforcement", "host gone"]
LeaveReason = Literal["left", "connection lost"]
RevokeReason = Literal["stepped down", "revoked", "left", "connection lost", "removed"]


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
class SpaceStarted(SpaceEvent):
    """The Space is live."""


@dataclass(frozen=True, slots=True)
class SpaceEnded(SpaceEvent):
    """The Space is over, for everyone."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class SpaceCanceled(SpaceEvent):
    """The Space will not take place."""


@dataclass(frozen=True, slots=True)
class SpeakPolicyChanged(SpaceEvent):
    """Who gets a seat without being approved is different from now on."""

    speak_policy: SpeakPolicy


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
    """The person may take a seat by accepting."""

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
class MuteChanged(PersonEvent):
    """One of the two flags changed; the person is silent while either is set."""

    by_self: bool
    by_admin: bool


@dataclass(frozen=True, slots=True)
class PersonRemoved(PersonEvent):
    """The person is out of this Space for good."""
