"""The figures of moderation as one value, so that a plan can compare other ones."""

from dataclasses import dataclass
from typing import Final

from media.moderation.categories import DAY, HOUR


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """How long what lasts.  Times in seconds."""

    lease: float = 600.0
    """How long a claim holds a case without a sign of its reviewer."""
    undo: float = 10.0
    """How long a decision can be taken back by who took it."""
    clip: float = 60.0
    """Length of the evidence around the moment of a report."""
    appeal_window: float = 183 * DAY
    """How long the user affected can complain: six months at least (Regulation (EU) 2022/2065, art. 20(1))."""
    appeal_due: float = 7 * DAY
    """Until when a complaint is to be decided."""
    retention: float = 30 * DAY
    """How long evidence is kept after its Space has ended."""
    retention_on_violation: float = 90 * DAY
    """How much longer, if a violation was found."""
    reports_an_hour: int = 30
    """Reports on different matters that one user can make."""
    crowd: int = 5
    """Credible reporters from which on a case counts as more severe."""


DEFAULT: Final = ReviewPolicy()
REPORT_WINDOW: Final = HOUR
"""Seconds over which reports of one user are counted."""
