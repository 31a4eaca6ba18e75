"""All cases of a service: reports become cases, and reviewers get the next one.

In memory, for simulations and as the reference of the server's store, which does the same in its database. The
order is by due time, then by severity: who only takes the oldest first is late where it matters.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import count

from media.moderation.case import Case
from media.moderation.decision import Outcome
from media.moderation.errors import NotThisReviewerError
from media.moderation.events import AppealAnswered, CaseClosed, Events
from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.report import Report, Subject
from media.moderation.reporters import Reporter
from media.moderation.states import UNDECIDED

Matter = tuple[Subject, str]
"""What makes reports one case: the subject and the category."""


class ReviewQueue:
    """Driven by reports and reviewers, and by :meth:`handle_timers` when :attr:`next_timer` has passed."""

    def __init__(self, policy: ReviewPolicy = DEFAULT) -> None:
        self._policy = policy
        self._numbers = count(1)
        self.cases: dict[str, Case] = {}
        self.reporters: dict[str, Reporter] = {}
        self._undecided: dict[Matter, Case] = {}
        self._waiting: list[tuple[tuple[float, int, str], Case]] = []
        """Heap of places; one that is no longer the case's own is passed over."""
        self._open: set[str] = set()
        self._timers: list[tuple[float, str]] = []

    def __len__(self) -> int:
        """Cases that wait for a reviewer."""
        return len(self._open)

    @property
    def next_timer(self) -> float:
        """When :meth:`handle_timers` is due (seconds); never later than the first case's timer."""
        return self._timers[0][0] if self._timers else float("inf")

    def report(self, report: Report, now: float) -> tuple[Case | None, Events]:
        """Take a report; returns its case, None for a reporter who is muted.

        :raises TooManyReportsError: the reporter made too many on different matters
        """
        self.handle_timers(now)
        reporter = self.reporters.setdefault(report.reporter, Reporter(report.reporter, trusted=report.trusted))
        matter = report.subject, report.category
        case = self._undecided.get(matter)
        if case is None or report.reporter not in case.reporters:
            reporter.note_report(now, self._policy)
        if reporter.muted:
            return None, []
        if case is not None:
            return case, self._noted(case, case.report(report, now, credible=reporter.credible))
        case = Case(f"{next(self._numbers):08d}", report, now, self._policy)
        self.cases[case.id] = self._undecided[matter] = case
        return case, self._noted(case, case.open(now, credible=reporter.credible))

    def claim(
        self, reviewer: str, now: float, *, senior: bool = False, fits: Callable[[Case], bool] = lambda case: True
    ) -> tuple[Case | None, Events]:
        """Give a reviewer the first case that they may decide; None if there is none.

        :param fits: which cases are in the queues that they have access to
        """
        events = self.handle_timers(now)
        passed: list[tuple[tuple[float, int, str], Case]] = []
        claimed: Case | None = None
        while self._waiting and claimed is None:
            place, case = heapq.heappop(self._waiting)
            if not case.waiting or place != case.place:
                continue
            if fits(case) and self._may(case, reviewer, senior):
                claimed = case
            else:
                passed.append((place, case))
        for each in passed:
            heapq.heappush(self._waiting, each)
        if claimed is None:
            return None, events
        return claimed, [*events, *self._noted(claimed, claimed.claim(reviewer, now, senior=senior))]

    def note(self, case: Case, events: Events) -> Events:
        """Take what an input to a case returned; to be called for each."""
        return self._noted(case, events)

    def handle_timers(self, now: float) -> Events:
        """Whatever time alone brings to cases."""
        events: Events = []
        while self._timers and self._timers[0][0] <= now:
            due, case_id = heapq.heappop(self._timers)
            case = self.cases[case_id]
            if case.next_timer == due:
                events += self._noted(case, case.handle_timer(now))
        return events

    def undecided(self) -> Iterator[Case]:
        """Yield the cases that somebody is still to decide."""
        return (case for case in self.cases.values() if case.state in UNDECIDED)

    def _may(self, case: Case, reviewer: str, senior: bool) -> bool:
        try:
            case.check_reviewer(reviewer, senior=senior)
        except NotThisReviewerError:
            return False
        return True

    def _noted(self, case: Case, events: Events) -> Events:
        if case.waiting:
            self._open.add(case.id)
            heapq.heappush(self._waiting, (case.place, case))
        else:
            self._open.discard(case.id)
        if case.next_timer < float("inf"):
            heapq.heappush(self._timers, (case.next_timer, case.id))
        matter = case.subject, case.category
        if case.state not in UNDECIDED and self._undecided.get(matter) is case:
            del self._undecided[matter]
        elif case.state in UNDECIDED and case.appeal is None:
            self._undecided[matter] = case
        for event in events:
            if isinstance(event, CaseClosed):
                for user_id in case.reporters:
                    self.reporters[user_id].note_outcome(case.id, event.decision.violation)
            elif isinstance(event, AppealAnswered) and event.outcome is Outcome.OVERTURNED:
                for user_id in case.reporters:
                    self.reporters[user_id].correct_outcome(case.id, case.violation)
        return events
