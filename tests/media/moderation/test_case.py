"""A case goes from a report to a decision that stands, and refuses everything else in one sentence."""

from collections.abc import Callable
from typing import Any

import pytest

from media.moderation import events as e
from media.moderation.case import APPEAL_TEXT_MAX, Case
from media.moderation.categories import DAY, URGENCY, Category
from media.moderation.decision import Action, Outcome
from media.moderation.errors import (
    LeaseLostError,
    ModerationError,
    NotThisReviewerError,
    TooLateError,
    WrongCaseStateError,
)
from media.moderation.policy import DEFAULT
from media.moderation.report import TEXT_MAX, Clip, Report, Subject, clip_around, with_clip
from media.moderation.states import CASE, CaseInput, CaseState

BEN = Subject("space", "ben")
NOW = 1_000_000.0


def a_report(reporter: str = "ana", at: float = NOW, **more: Any) -> Report:
    fields: dict[str, Any] = {"subject": BEN, "category": Category.HARASSMENT, "moment": at - 5}
    return Report(reporter, at=at, **(fields | more))


def a_case(**more: Any) -> Case:
    case = Case("c1", a_report(**more), NOW)
    case.open(NOW)
    return case


def claimed(reviewer: str = "rea") -> Case:
    case = a_case()
    case.claim(reviewer, NOW + 1)
    return case


def closed(*actions: Action) -> Case:
    case = claimed()
    case.decide("rea", actions or (Action.REMOVE,), NOW + 2)
    case.handle_timer(NOW + 2 + DEFAULT.undo)
    return case


def test_a_report_opens_a_case_and_holds_a_minute_of_evidence() -> None:
    report = a_report()
    case = Case("c1", report, NOW)
    clip = Clip(NOW - 35, NOW + 25)
    assert case.open(NOW) == [e.CaseOpened(NOW, "c1", report), e.EvidenceHeld(NOW, "c1", clip)]
    assert case.clips == (clip,) and case.holds_evidence and case.waiting
    assert case.due_at == NOW + URGENCY[Category.HARASSMENT].due


def test_more_reports_are_one_case_and_many_who_agree_make_it_severe() -> None:
    case = a_case()
    before = case.severity
    for n in range(DEFAULT.crowd - 1):
        happened = case.report(a_report(f"u{n}", NOW + n), NOW + n)
        assert isinstance(happened[0], e.ReportAdded)
    assert case.severity == before + 1 and len(case.reporters) == DEFAULT.crowd
    assert case.report(a_report("u0", NOW + 1), NOW + 9) == [], "the same user, of the same moment"
    assert case.clips == (Clip(NOW - 35, NOW + DEFAULT.crowd - 2 + 25),), "ranges that touch are one"
    assert a_case(trusted=True).severity == before + 1


def test_a_case_is_one_reviewers_until_the_lease_runs_out() -> None:
    case = claimed()
    with pytest.raises(WrongCaseStateError, match="claim a case that is claimed"):
        case.claim("rob", NOW + 2)
    case.extend("rea", NOW + 500)
    assert case.handle_timer(NOW + 1_099) == []
    with pytest.raises(LeaseLostError, match="ran out"):
        case.decide("rea", {Action.WARN}, NOW + 1_100)
    assert case.handle_timer(NOW + 1_100) == [e.CaseReleased(NOW + 1_100, "c1", "rea", expired=True)]
    assert case.claim("rob", NOW + 1_101) == [e.CaseClaimed(NOW + 1_101, "c1", "rob", NOW + 1_701)]
    with pytest.raises(LeaseLostError, match="another reviewer's"):
        case.decide("rea", {Action.WARN}, NOW + 1_102)


def test_a_decision_can_be_taken_back_for_ten_seconds() -> None:
    case = claimed()
    decided = case.decide("rea", {Action.MUTE, Action.WARN}, NOW + 2)[0]
    assert isinstance(decided, e.CaseDecided) and decided.decision.violation
    with pytest.raises(LeaseLostError, match="Somebody else"):
        case.undo("rob", NOW + 3)
    assert [type(each) for each in case.undo("rea", NOW + 11.9)] == [e.DecisionUndone, e.CaseClaimed]
    assert case.decisions == []
    case.decide("rea", {Action.NO_VIOLATION}, NOW + 20)
    with pytest.raises(TooLateError, match="10 s"):
        case.undo("rea", NOW + 30)
    assert [type(each) for each in case.handle_timer(NOW + 30)] == [e.CaseClosed]
    assert not case.holds_evidence and case.next_timer == float("inf")


@pytest.mark.parametrize("actions", [set[Action](), {Action.NO_VIOLATION, Action.WARN}])
def test_a_decision_does_not_contradict_itself(actions: set[Action]) -> None:
    case = claimed()
    with pytest.raises(ModerationError, match=r"action"):
        case.decide("rea", actions, NOW + 2)
    assert case.state is CaseState.CLAIMED and case.decisions == []


def test_who_is_part_of_the_matter_does_not_decide_it() -> None:
    case = a_case()
    for reviewer in ("ana", "ben"):
        with pytest.raises(NotThisReviewerError, match="part of this matter"):
            case.claim(reviewer, NOW)
    case.claim("rea", NOW)
    with pytest.raises(NotThisReviewerError, match="part of this matter"):
        case.hand_over("rea", "ana", NOW)
    assert case.reviewer == "rea"


def test_holding_needs_no_lease_and_escalating_needs_a_senior() -> None:
    case = claimed()
    case.hold("rea", NOW + 2)
    assert case.next_timer == float("inf") and not case.waiting
    case.hand_over("rea", "rob", NOW + 9_000)
    case.escalate("rob", NOW + 9_001, "is this irony?")
    with pytest.raises(NotThisReviewerError, match="senior"):
        case.claim("rea", NOW + 9_002)
    case.claim("sam", NOW + 9_003, senior=True)
    with pytest.raises(NotThisReviewerError, match="senior"):
        case.hand_over("sam", "rea", NOW + 9_004)
    case.release("sam", NOW + 9_005)
    assert case.state is CaseState.ESCALATED, "back in the queue it came from"


def test_a_complaint_goes_to_another_reviewer_and_is_answered_once() -> None:
    case = closed()
    with pytest.raises(NotThisReviewerError, match="taken against"):
        case.complain("ana", "no", NOW + 20)
    case.complain("ben", "it was a quotation", NOW + 20)
    assert case.waiting and case.holds_evidence and case.due_at == NOW + 20 + DEFAULT.appeal_due
    with pytest.raises(NotThisReviewerError, match="another has to look"):
        case.claim("rea", NOW + 21)
    case.claim("rob", NOW + 21)
    with pytest.raises(WrongCaseStateError, match="answer it"):
        case.decide("rob", {Action.WARN}, NOW + 22)
    answered = case.answer("rob", Outcome.OVERTURNED, NOW + 22)[0]
    assert isinstance(answered, e.AppealAnswered) and answered.decision.actions == {Action.REMOVE}
    with pytest.raises(WrongCaseStateError, match="final"):
        case.complain("ben", "again", NOW + 30)


def test_complaints_end_after_six_months_and_need_a_decision_against_one() -> None:
    with pytest.raises(TooLateError, match="six months"):
        closed().complain("ben", "late", NOW + 184 * DAY)
    closed().complain("ben", "in time", NOW + 183 * DAY)
    with pytest.raises(NotThisReviewerError):
        closed(Action.NO_VIOLATION).complain("ben", "why", NOW + 20)
    with pytest.raises(ModerationError, match="5000 characters"):
        closed().complain("ben", "x" * (APPEAL_TEXT_MAX + 1), NOW + 20)
    with pytest.raises(WrongCaseStateError, match="Nobody has complained"):
        claimed().answer("rea", Outcome.UPHELD, NOW + 2)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: a_report("ben"), "report themselves"),
        (lambda: a_report(moment=NOW + 1), "has not come"),
        (lambda: a_report(text="x" * (TEXT_MAX + 1)), "2000 characters"),
    ],
)
def test_what_no_report_can_be(make: Callable[[], Report], sentence: str) -> None:
    with pytest.raises(ModerationError, match=sentence):
        make()


def test_ranges_of_evidence_join() -> None:
    clips = with_clip((), clip_around(100, 60))
    clips = with_clip(clips, clip_around(300, 60))
    assert clips == (Clip(70, 130), Clip(270, 330))
    assert with_clip(clips, Clip(130, 270)) == (Clip(70, 330),)


def test_every_state_is_reached_and_every_input_is_in_the_table() -> None:
    reached, new = {CaseState.OPEN}, True
    while new:
        new = {to for (state, _), to in CASE.items() if state in reached} - reached
        reached |= new
    assert reached == set(CaseState) and {happening for _, happening in CASE} == set(CaseInput)
    assert not any(state is CaseState.FINAL for state, _ in CASE)
