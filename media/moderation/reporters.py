"""How much a reporter's word counts: by what came of their last reports."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

from media.moderation.errors import TooManyReportsError
from media.moderation.policy import REPORT_WINDOW, ReviewPolicy

REMEMBERED: Final = 100
"""Decided reports that a reporter's accuracy is of."""
CREDIBLE: Final = 0.5
"""Accuracy from which on a report counts as one of many that agree."""


RULE_MARK: Final = "~"
"""How the name of a rule begins that reports by itself; no user's name does."""


def is_rule(reporter: str) -> bool:
    """Whether a rule reported, and no user."""
    return reporter.startswith(RULE_MARK)


@dataclass(slots=True)
class Reporter:
    """One user who reports."""

    user_id: str
    trusted: bool = False
    """Trusted flagger: named by an authority, not by accuracy."""
    muted: bool = False
    """Whether reports are taken and answered, and open no case."""
    outcomes: OrderedDict[str, bool] = field(default_factory=OrderedDict[str, bool])
    """What came of the last cases reported, by case, the oldest first."""
    made: deque[float] = field(default_factory=deque[float])
    """When reports were made within the last hour (seconds), the oldest first."""

    @property
    def accuracy(self) -> float:
        """Share of the last reports that were found right, 0 to 1; a half where there are none."""
        return (sum(self.outcomes.values()) + 1) / (len(self.outcomes) + 2)  # rule of succession (Laplace)

    @property
    def credible(self) -> bool:
        """Whether a report of theirs counts as one more voice."""
        return not self.muted and (self.trusted or self.accuracy >= CREDIBLE)

    def note_report(self, now: float, policy: ReviewPolicy) -> None:
        """Count a report on a matter not reported by them before.

        :raises TooManyReportsError: they made too many within an hour
        """
        while self.made and self.made[0] <= now - REPORT_WINDOW:
            self.made.popleft()
        if len(self.made) >= policy.reports_an_hour and not self.trusted:
            again = self.made[0] + REPORT_WINDOW
            raise TooManyReportsError(
                f"You have made {len(self.made)} reports within an hour; make the next one in "
                f"{max(1, round(again - now))} s.",
                retry_at=again,
            )
        self.made.append(now)

    def note_outcome(self, case_id: str, right: bool) -> None:
        """Remember what came of a report."""
        self.outcomes[case_id] = right
        self.outcomes.move_to_end(case_id)
        if len(self.outcomes) > REMEMBERED:
            self.outcomes.popitem(last=False)

    def correct_outcome(self, case_id: str, right: bool) -> None:
        """Remember what a complaint has changed; nothing if the case is older than what is remembered."""
        if case_id in self.outcomes:
            self.outcomes[case_id] = right
