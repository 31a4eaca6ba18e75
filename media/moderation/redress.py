"""What a user can do about a decision, until when, and what will be left of the evidence by then.

A statement of reasons has to say so (Regulation (EU) 2022/2065, art. 17(3)(f)). The right to complain lasts six
months and the evidence 30 or 120 days, so the dates of both are told, and the gap between them is not left to be
found out.
"""

from dataclasses import dataclass, replace
from typing import Final

from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.retention import Evidence

MEANS: Final = (
    "You can complain about this decision here, free of charge; another reviewer than the one who took it "
    "answers, with reasons (Regulation (EU) 2022/2065, art. 20). You can also turn to a certified out-of-court "
    "dispute settlement body (art. 21), and to a court."
)


@dataclass(frozen=True, slots=True)
class Redress:
    """The dates that are told with a decision.  Times in seconds, on the clock of ``decided_at``."""

    complain_until: float
    evidence_until: float | None
    """When the evidence is erased unless a complaint holds it; None where there is none any more."""

    @property
    def gap(self) -> tuple[float, float] | None:
        """From when until when one can complain without evidence; None if never."""
        begins = self.evidence_until
        if begins is None:
            return (float("-inf"), self.complain_until)
        return (begins, self.complain_until) if begins < self.complain_until else None

    def has_evidence(self, now: float) -> bool:
        """Whether a complaint made at that time would still find the evidence."""
        return self.evidence_until is not None and now < self.evidence_until


def redress_of(decided_at: float, evidence: Evidence | None, policy: ReviewPolicy = DEFAULT) -> Redress:
    """Return the dates for a decision that found a violation.

    :param evidence: the clock of its Space's evidence, None where nothing was recorded
    """
    until = decided_at + policy.appeal_window
    if evidence is None or evidence.erased_at is not None:
        return Redress(until, None)
    return Redress(until, replace(evidence, violation=True).due_at)


def warning(redress: Redress, day_of_gap: str, day_until: str) -> str:
    """Return the sentence about the gap, empty where there is none; the days are written by the caller."""
    if redress.gap is None:
        return ""
    if redress.evidence_until is None:
        return f"You can complain until {day_until}; there is no recording of what this decision is about."
    return (
        f"You can complain until {day_until}, but the recording is erased on {day_of_gap}: a complaint made "
        "before that day keeps it until it is answered, a later one is decided without it."
    )
