"""The queue under random reports and reviewers, beside a reference that looks through everything each time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from media.moderation.case import Case
from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Outcome
from media.moderation.errors import ModerationError, TooManyReportsError
from media.moderation.policy import ReviewPolicy
from media.moderation.queue import ReviewQueue
from media.moderation.report import Report, Subject
from media.moderation.reporters import Reporter
from media.moderation.states import CaseState

POLICY = ReviewPolicy(lease=600, undo=10, crowd=2, reports_an_hour=6)
USERS = ["ana", "ben", "cem"]
REVIEWERS = ["rea", "rob", "cem"]
CATEGORIES = [Category.HATE, Category.DISTURBANCE, Category.SPAM]
user, reviewer = st.sampled_from(USERS), st.sampled_from(REVIEWERS)
pick = st.integers(0, 7)


@dataclass
class Expected:
    """A case as the reference knows it."""

    subject: Subject
    category: Category
    due: float
    reporters: set[str] = field(default_factory=set[str])
    holder: str | None = None
    until: float = 0.0
    decided_by: str | None = None
    decided_at: float = 0.0
    decided: bool = False
    violation: bool = False
    appealed: bool = False
    final: bool = False
    closed: bool = False
    overturned: bool = False

    def waits(self) -> bool:
        return self.holder is None and not self.decided and not self.final

    def order(self, key: str) -> tuple[float, int, str]:
        return self.due, -(URGENCY[self.category].severity + (len(self.reporters) >= POLICY.crowd)), key


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.queue = ReviewQueue(POLICY)
        self.expected: dict[str, Expected] = {}
        self.reports: list[tuple[str, float]] = []

    def settle(self) -> None:
        """What time brought, by the reference."""
        for each in self.expected.values():
            if each.holder is not None and not each.decided and self.now >= each.until:
                each.holder = None
            if each.decided and each.holder is not None and self.now >= each.decided_at + POLICY.undo:
                each.holder, each.closed = None, True

    @rule(seconds=st.sampled_from([1, 5, 10, 300, 600, 3_600]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.settle()
        self.queue.handle_timers(self.now)

    @rule(by=user, about=user, category=st.sampled_from(CATEGORIES))
    def report(self, by: str, about: str, category: Category) -> None:
        subject = Subject("s", None if by == about else about)
        key = next(
            (
                key
                for key, c in self.expected.items()
                if (c.subject, c.category) == (subject, category) and not c.decided and not c.appealed
            ),
            None,
        )
        fresh = key is None or by not in self.expected[key].reporters
        lately = sum(who == by and at > self.now - 3_600 for who, at in self.reports)
        report = Report(by, subject, category, self.now, self.now)
        if fresh and lately >= POLICY.reports_an_hour:
            with pytest.raises(TooManyReportsError):
                self.queue.report(report, self.now)
            return
        case, _ = self.queue.report(report, self.now)
        assert case is not None and (key is None or case.id == key)
        if fresh:
            self.reports.append((by, self.now))
        due = self.now + URGENCY[category].due
        self.expected.setdefault(case.id, Expected(subject, category, due)).reporters.add(by)

    def may(self, each: Expected, by: str) -> bool:
        return (
            by != each.subject.user_id
            and by not in each.reporters
            and not (each.appealed and by == each.decided_by)
        )

    @rule(by=reviewer)
    def claim(self, by: str) -> None:
        case, _ = self.queue.claim(by, self.now)
        free = [k for k, c in self.expected.items() if c.waits() and self.may(c, by)]
        best = min(free, key=lambda key: self.expected[key].order(key), default=None)
        assert (case and case.id) == best
        if case is not None:
            self.expected[case.id].holder, self.expected[case.id].until = by, self.now + POLICY.lease

    def held(self, by: str, n: int) -> tuple[Case, Expected] | None:
        mine = [k for k, c in self.expected.items() if c.holder == by and not c.decided]
        return (self.queue.cases[mine[n % len(mine)]], self.expected[mine[n % len(mine)]]) if mine else None

    @rule(by=reviewer, n=pick)
    def extend(self, by: str, n: int) -> None:
        if mine := self.held(by, n):
            self.queue.note(mine[0], mine[0].extend(by, self.now))
            mine[1].until = self.now + POLICY.lease

    @rule(by=reviewer, n=pick)
    def release(self, by: str, n: int) -> None:
        if mine := self.held(by, n):
            self.queue.note(mine[0], mine[0].release(by, self.now))
            mine[1].holder = None

    @rule(by=reviewer, n=pick, violation=st.booleans(), overturned=st.booleans())
    def decide(self, by: str, n: int, violation: bool, overturned: bool) -> None:
        mine = self.held(by, n)
        if mine is None:
            return
        case, expected = mine
        if expected.appealed:
            outcome = Outcome.OVERTURNED if overturned else Outcome.UPHELD
            self.queue.note(case, case.answer(by, outcome, self.now))
            expected.holder, expected.final, expected.overturned = None, True, overturned
        else:
            actions = {Action.WARN if violation else Action.NO_VIOLATION}
            self.queue.note(case, case.decide(by, actions, self.now))
            expected.decided, expected.decided_by, expected.violation = True, by, violation
            expected.decided_at = self.now

    @rule(by=reviewer, n=pick)
    def undo(self, by: str, n: int) -> None:
        mine = [k for k, c in self.expected.items() if c.holder == by and c.decided]
        if mine:
            case, expected = self.queue.cases[mine[n % len(mine)]], self.expected[mine[n % len(mine)]]
            self.queue.note(case, case.undo(by, self.now))
            expected.decided, expected.decided_by, expected.until = False, None, self.now + POLICY.lease

    @rule(n=pick)
    def complain(self, n: int) -> None:
        against = [
            key
            for key, c in self.expected.items()
            if c.decided and c.violation and c.holder is None and c.subject.user_id and not c.appealed
        ]
        if against:
            key = against[n % len(against)]
            case, expected = self.queue.cases[key], self.expected[key]
            self.queue.note(case, case.complain(str(case.subject.user_id), "no", self.now))
            expected.appealed, expected.decided, expected.due = True, False, self.now + POLICY.appeal_due

    @rule(by=reviewer, n=pick)
    def meddle(self, by: str, n: int) -> None:
        """Decide what is not one's own: refused, and nothing changed."""
        others = [case for key, case in self.queue.cases.items() if self.expected[key].holder != by]
        if others:
            case = others[n % len(others)]
            before = vars(case).copy()
            with pytest.raises(ModerationError):
                case.decide(by, {Action.WARN}, self.now)
            assert vars(case) == before

    @invariant()
    def agree(self) -> None:
        assert len(self.queue) == sum(each.waits() for each in self.expected.values())
        for key, each in self.expected.items():
            case = self.queue.cases[key]
            assert (case.reviewer, set(case.reporters)) == (each.holder, each.reporters)
            assert (case.state is CaseState.FINAL) == each.final
            assert case.next_timer >= self.now
            stands = each.decided or each.appealed
            assert case.violation == (stands and each.violation and not each.overturned)
        for name, reporter in self.queue.reporters.items():
            known = [c for c in self.expected.values() if c.closed and name in c.reporters]
            right = sum(c.violation and not c.overturned for c in known)
            assert reporter.accuracy == (right + 1) / (len(known) + 2)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_muted_reporter_opens_nothing_and_is_not_told() -> None:
    queue = ReviewQueue()
    queue.reporters["ana"] = Reporter("ana", muted=True)
    assert queue.report(Report("ana", Subject("s", "ben"), Category.HATE, 1.0, 1.0), 1.0) == (None, [])


def test_accuracy_is_of_the_last_hundred_and_decides_who_counts() -> None:
    reporter = Reporter("ana")
    assert reporter.accuracy == 0.5 and reporter.credible
    for n in range(100):
        reporter.note_outcome(f"a{n}", False)
    assert reporter.accuracy < 0.01 and not reporter.credible
    for n in range(100):
        reporter.note_outcome(f"b{n}", True)
    assert reporter.accuracy > 0.99
    reporter.correct_outcome("b7", False)
    assert reporter.accuracy == 100 / 102
    reporter.correct_outcome("a7", True)
    assert reporter.accuracy == 100 / 102, "too long ago"


def test_who_has_no_access_to_a_queue_gets_nothing_of_it() -> None:
    queue = ReviewQueue()
    queue.report(Report("ana", Subject("s", "ben"), Category.HATE, 1.0, 1.0), 1.0)
    queue.report(Report("ana", Subject("s", "ben"), Category.SPAM, 1.0, 1.0), 1.0)
    case, _ = queue.claim("rea", 2.0, fits=lambda case: case.category is Category.SPAM)
    assert case is not None and case.category is Category.SPAM
    assert queue.claim("rea", 2.0, fits=lambda case: case.category is Category.SPAM) == (None, [])
    assert queue.claim("rea", 2.0)[0] is not None, "what was passed over is still there"
