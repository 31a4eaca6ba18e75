"""The clock of a Space's evidence: when it must be erased, and what keeps it until then.

Kept 30 days after the Space ended; 90 more if a violation was found in it; never erased while a case or a
complaint about it is undecided. Users can complain for six months, so evidence can be gone before: whoever plans
is told the dates.
"""

from dataclasses import dataclass, field

from media.moderation.errors import TooLateError
from media.moderation.policy import DEFAULT, ReviewPolicy


@dataclass(frozen=True, slots=True)
class Erased:
    """Evidence was erased: the receipt says when, and by which rule."""

    at: float
    space_id: str
    due_at: float
    """When it could first have been."""
    violation: bool


@dataclass(slots=True)
class Evidence:
    """What was kept of one Space.  Times in seconds."""

    space_id: str
    ended_at: float
    policy: ReviewPolicy = DEFAULT
    violation: bool = False
    erased_at: float | None = None
    holds: set[str] = field(default_factory=set[str])
    """Cases that are undecided."""

    @property
    def due_at(self) -> float:
        """When it is to be erased, unless something holds it."""
        more = self.policy.retention_on_violation if self.violation else 0.0
        return self.ended_at + self.policy.retention + more

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timer` is due; never while it is held, or once it is erased."""
        return float("inf") if self.holds or self.erased_at is not None else self.due_at

    def hold(self, case_id: str) -> None:
        """Keep it while a case is undecided.

        :raises TooLateError: it has been erased
        """
        if self.erased_at is not None:
            raise TooLateError("The evidence of this Space has been erased; the case goes on without it.")
        self.holds.add(case_id)

    def release(self, case_id: str, *, violation: bool) -> None:
        """Let the clock decide again; a violation that was found keeps it longer."""
        self.holds.discard(case_id)
        self.violation = self.violation or violation

    def handle_timer(self, now: float) -> list[Erased]:
        """Erase what is due; the caller destroys the key, and writes the receipt down."""
        if now < self.next_timer:
            return []
        self.erased_at = now
        return [Erased(now, self.space_id, self.due_at, self.violation)]

    def outlived_by_complaints(self, decided_at: float) -> tuple[float, float] | None:
        """Return until when a decision can be complained about without evidence, and from when; None if never."""
        until = decided_at + self.policy.appeal_window
        return (self.due_at, until) if self.due_at < until else None
