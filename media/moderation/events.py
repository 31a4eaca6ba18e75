"""What happened to a case, as it is told to the outside, in the order in which it happened."""

from dataclasses import dataclass

from media.moderation.decision import Decision, Outcome
from media.moderation.report import Clip, Report


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """Base of all events; ``at`` is the ``now`` of the input that caused it, in seconds."""

    at: float
    case: str


Events = list[CaseEvent]


@dataclass(frozen=True, slots=True)
class CaseOpened(CaseEvent):
    """Somebody is to look at it."""

    report: Report


@dataclass(frozen=True, slots=True)
class ReportAdded(CaseEvent):
    """One more report on the same matter."""

    report: Report


@dataclass(frozen=True, slots=True)
class EvidenceHeld(CaseEvent):
    """A range of the evidence copy is not to be erased while the case is open."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class CaseClaimed(CaseEvent):
    """A reviewer has it until then (seconds), unless the lease is extended."""

    reviewer: str
    until: float


@dataclass(frozen=True, slots=True)
class CaseReleased(CaseEvent):
    """It is back in its queue."""

    reviewer: str
    expired: bool


@dataclass(frozen=True, slots=True)
class CaseHeld(CaseEvent):
    """Its reviewer keeps it without a lease."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class CaseEscalated(CaseEvent):
    """It waits for a senior reviewer."""

    reviewer: str
    note: str


@dataclass(frozen=True, slots=True)
class CaseDecided(CaseEvent):
    """To be carried out at once."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class DecisionUndone(CaseEvent):
    """What was carried out is to be taken back."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class CaseClosed(CaseEvent):
    """Reporters and the user affected are to be told what came of it."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class AppealMade(CaseEvent):
    """The user affected complains; another reviewer is to look."""

    by: str
    text: str


@dataclass(frozen=True, slots=True)
class AppealAnswered(CaseEvent):
    """The complaint is decided for good; overturned means that what can be restored is."""

    outcome: Outcome
    reviewer: str
    decision: Decision
    """The one complained about."""
    reasons: str = ""
    """What the user who complained is told."""
