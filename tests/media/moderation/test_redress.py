"""Six months to complain beside 30 or 120 days of evidence: what is promised with a decision is what happens."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media.moderation.case import Case
from media.moderation.categories import DAY, HOUR, Category
from media.moderation.decision import Action, Outcome
from media.moderation.errors import ModerationError, TooLateError
from media.moderation.policy import DEFAULT
from media.moderation.redress import MEANS, Redress, redress_of, warning
from media.moderation.report import Report, Subject
from media.moderation.retention import Evidence
from media.moderation.states import CaseState

ENDED = 1_000.0


def test_dates_of_a_decision_taken_when_the_space_had_ended() -> None:
    redress = redress_of(ENDED + DAY, Evidence("s", ENDED))
    assert redress.complain_until == ENDED + 184 * DAY
    assert redress.evidence_until == ENDED + 120 * DAY, "a violation keeps it, though it is not released yet"
    assert redress.gap == (ENDED + 120 * DAY, ENDED + 184 * DAY)
    assert redress.has_evidence(ENDED + 119 * DAY) and not redress.has_evidence(ENDED + 121 * DAY)


def test_the_warning_says_both_days_or_that_there_is_no_recording() -> None:
    with_gap = warning(redress_of(ENDED, Evidence("s", ENDED)), "2027-03-31", "2027-06-02")
    assert "until 2027-06-02" in with_gap and "erased on 2027-03-31" in with_gap
    assert "no recording" in warning(redress_of(ENDED, None), "", "2027-06-02")
    gone = Evidence("s", ENDED, erased_at=ENDED + 31 * DAY)
    assert redress_of(ENDED + 40 * DAY, gone).evidence_until is None
    assert warning(Redress(ENDED, ENDED + DAY), "x", "y") == "", (
        "evidence that outlives the right needs no warning"
    )
    assert "free of charge" in MEANS and "art. 21" in MEANS


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_gap_is_there_exactly_when_evidence_goes_first(decided: int, asked: int) -> None:
    redress = redress_of(ENDED + decided * DAY, Evidence("s", ENDED))
    now = ENDED + asked * DAY
    in_gap = redress.gap is not None and redress.gap[0] <= now < redress.gap[1]
    assert in_gap == (not redress.has_evidence(now) and now < redress.complain_until)


class Clocks(RuleBasedStateMachine):
    """One case and the evidence of its Space, swept as often as time passes."""

    @initialize(live=st.booleans())
    def begin(self, live: bool) -> None:
        self.now = ENDED - HOUR if live else ENDED + HOUR
        self.case = Case("c", Report("ana", Subject("s", "ben"), Category.HATE, self.now, self.now), self.now)
        self.evidence = Evidence("s", ENDED)
        self.promise: Redress | None = None
        self.case.open(self.now)
        self.follow()

    def follow(self) -> None:
        """What a server does after each input: hold or release, and sweep what has become due by that."""
        if self.case.holds_evidence and self.evidence.erased_at is None:
            self.evidence.hold("c")
        elif not self.case.holds_evidence:
            self.evidence.release("c", violation=self.case.violation)
        self.evidence.handle_timer(self.now)

    @rule(hours=st.sampled_from([1, 24, 24 * 7, 24 * 30, 24 * 61]))
    def wait(self, hours: int) -> None:
        for _ in range(24):
            self.now += hours * HOUR / 24
            if self.case.handle_timer(self.now):
                self.follow()
            self.evidence.handle_timer(self.now)

    @precondition(lambda self: self.case.waiting)
    @rule(by=st.sampled_from(["rea", "rob"]))
    def claim(self, by: str) -> None:
        try:
            self.case.claim(by, self.now)
        except ModerationError:
            assert self.case.appeal is not None and self.case.decisions[-1].reviewer == by

    @precondition(lambda self: self.case.state is CaseState.CLAIMED)
    @rule(violation=st.booleans(), outcome=st.sampled_from(Outcome))
    def decide(self, violation: bool, outcome: Outcome) -> None:
        by = str(self.case.reviewer)
        if self.case.appeal is None:
            self.case.decide(by, {Action.WARN if violation else Action.NO_VIOLATION}, self.now)
            self.promise = redress_of(self.now, self.evidence) if violation else None
        else:
            self.case.answer(by, outcome, self.now)
        self.follow()

    @precondition(lambda self: self.case.state is CaseState.CLOSED)
    @rule()
    def complain(self) -> None:
        try:
            self.case.complain("ben", "It was a quotation.", self.now)
        except TooLateError:
            assert self.promise is not None and self.now > self.promise.complain_until
        except ModerationError:
            assert self.promise is None, "nobody was found to have broken a rule"
        else:
            assert self.promise is not None and self.now <= self.promise.complain_until
            assert (self.evidence.erased_at is None) == self.promise.has_evidence(self.now)
            self.follow()

    @invariant()
    def keeps(self) -> None:
        if not hasattr(self, "case"):
            return
        if self.case.holds_evidence and self.evidence.erased_at is None:
            assert self.evidence.next_timer == float("inf")
        if self.evidence.erased_at is not None:
            assert self.evidence.erased_at >= ENDED + DEFAULT.retention
        elif not self.case.holds_evidence:
            assert self.now < self.evidence.due_at, "nothing is kept longer than somebody needs it"


TestClocks = Clocks.TestCase
TestClocks.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
