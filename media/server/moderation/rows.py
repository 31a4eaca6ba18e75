"""Cases as rows: the objects of the rules are made of the store for one input, and written back after it."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import sqlalchemy as sa

from media.moderation.case import Appeal, Case
from media.moderation.categories import Category
from media.moderation.decision import Action, Decision, Outcome
from media.moderation.policy import ReviewPolicy
from media.moderation.report import Clip, Report, Subject
from media.moderation.states import UNDECIDED, CaseState

Row = sa.Row[Any]
Values = dict[str, Any]


def name_of(number: int) -> str:
    """Return the id of a case as the rules and the API have it."""
    return f"{number:08d}"


def subject_of(row: Row) -> Subject:
    """Read what a case is about."""
    return Subject(row.space_id, row.user_id or None, row.host_id or None)


def case_of(
    row: Row, policy: ReviewPolicy, reporters: Mapping[str, bool], decisions: Sequence[Decision] = ()
) -> Case:
    """Make a case of its row.

    :param reporters: those that the input is about, and who make the case more severe
    :param decisions: those that stand
    """
    category = Category(row.category)
    first = Report("", subject_of(row), category, row.opened_at, row.opened_at)
    case = Case(name_of(row.id), first, row.opened_at, policy)
    case.state = CaseState(row.state)
    case.due_at = row.due_at
    case.reporters = dict(reporters)
    case.trusted = row.trusted
    case.clips = tuple(Clip(*clip) for clip in row.clips)
    case.reviewer, case.lease_until = row.reviewer, row.lease_until
    case.escalated = row.escalated
    case.decisions = list(decisions)
    case.appeal = None if row.appeal is None else Appeal(**row.appeal)
    case.outcome = None if row.outcome is None else Outcome(row.outcome)
    return case


def values_of(case: Case) -> Values:
    """Return what an input of a reviewer, or time, can have changed in a case's row."""
    decided = case.decisions[-1] if case.decisions else None
    appeal = case.appeal
    return {
        "state": case.state.value,
        "due_at": case.due_at,
        "gathers": case.state in UNDECIDED and appeal is None,
        "escalated": case.escalated,
        "reviewer": case.reviewer,
        "lease_until": case.lease_until,
        "timer_at": timer_of(case),
        "decided_at": None if decided is None else decided.at,
        "violation": None if decided is None else case.violation,
        "appeal": None if appeal is None else {"at": appeal.at, "by": appeal.by, "text": appeal.text},
        "outcome": None if case.outcome is None else case.outcome.value,
    }


def taken_of(case: Case, rank: int) -> Values:
    """Return what a report can have changed in a case's row; ``rank`` as it was, for severity never falls."""
    return {
        "rank": min(rank, -case.severity),
        "trusted": case.trusted,
        "clips": [[clip.begin, clip.end] for clip in case.clips],
    }


def new_row(case: Case, language: str) -> Values:
    """Return the row of a case that was just opened."""
    subject = case.subject
    return {
        "id": int(case.id),
        "space_id": subject.space_id,
        "user_id": subject.user_id or "",
        "host_id": subject.host_id or "",
        "category": case.category.value,
        "language": language,
        "opened_at": case.opened_at,
        "reporters": len(case.reporters),
        "claimed_at": None,
        **values_of(case),
        **taken_of(case, 0),
    }


def timer_of(case: Case) -> float | None:
    """Return when time does something to a case (Unix seconds); None for never."""
    return None if case.next_timer == inf else case.next_timer


def decision_of(row: Row) -> Decision:
    """Make a decision of its row."""
    return Decision(row.at, row.reviewer, frozenset(map(Action, row.actions)), row.note)
