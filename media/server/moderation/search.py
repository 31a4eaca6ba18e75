"""Which cases a reviewer wants: the search behind lists, and behind queues, which are searches with a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from media.moderation.categories import Category
from media.moderation.states import CaseState
from media.server.moderation.tables import CASES, DECISIONS, REPORTS

_C: Final = CASES.c
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Search:
    """What a case must be; nothing said is everything."""

    categories: tuple[Category, ...] = ()
    languages: tuple[str, ...] = ()
    severity: int = 0
    """At least."""
    space_id: str = ""
    user_id: str = ""
    """Whom the case is about."""
    appeals: bool | None = None
    """Whether it is about a complaint."""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return what the rows have in common, but for the category."""
        found: list[sa.ColumnElement[bool]] = []
        if self.languages:
            found.append(_C.language.in_(self.languages))
        if self.severity:
            found.append(_C.rank <= -self.severity)
        if self.space_id:
            found.append(_C.space_id == self.space_id)
        if self.user_id:
            found.append(_C.user_id == self.user_id)
        if self.appeals is not None:
            found.append(_C.appeal.is_not(None) if self.appeals else _C.appeal.is_(None))
        return found

    def of_category(self) -> list[sa.ColumnElement[bool]]:
        """Return the condition on the category."""
        return [_C.category.in_([each.value for each in self.categories])] if self.categories else []


def narrowed(queue: Search, asked: Search) -> Search | None:
    """Return what is in a queue and in a search; None if nothing can be in both."""
    for ours, theirs in ((queue.space_id, asked.space_id), (queue.user_id, asked.user_id)):
        if ours and theirs and ours != theirs:
            return None
    if queue.appeals is not None and asked.appeals is not None and queue.appeals != asked.appeals:
        return None
    categories = _both(queue.categories, asked.categories)
    languages = _both(queue.languages, asked.languages)
    if categories is None or languages is None:
        return None
    return Search(
        categories,
        languages,
        max(queue.severity, asked.severity),
        queue.space_id or asked.space_id,
        queue.user_id or asked.user_id,
        asked.appeals if queue.appeals is None else queue.appeals,
    )


def _both(ours: tuple[T, ...], theirs: tuple[T, ...]) -> tuple[T, ...] | None:
    """Return what is in both, of which nothing said is everything; None if nothing is."""
    if not ours or not theirs:
        return ours or theirs
    return tuple(each for each in ours if each in theirs) or None


def involved(reviewer: Any) -> sa.ColumnElement[bool]:
    """Return whether a reviewer is part of a matter: it is about them, or they have reported it."""
    reported = sa.exists().where(REPORTS.c.case_id == _C.id, REPORTS.c.reporter == reviewer)
    return sa.or_(sa.case((_C.user_id != "", _C.user_id), else_=_C.host_id) == reviewer, reported)


def may_decide(reviewer: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of :meth:`media.moderation.case.Case.check_reviewer` on a row.

    That escalated cases are for senior reviewers is not among them: those are in a state of their own.
    """
    decided = sa.exists().where(
        DECISIONS.c.case_id == _C.id, DECISIONS.c.reviewer == reviewer, DECISIONS.c.undone_at.is_(None)
    )
    return [sa.not_(involved(reviewer)), sa.or_(_C.appeal.is_(None), sa.not_(decided))]


def firsts_waiting(reviewer: Any, search: Search, *, senior: bool) -> list[sa.Select[Any, Any, Any]]:
    """Return the queries for the places of the cases of which a reviewer gets the first.

    :param reviewer: a name, or what stands for one

    One look at an index for each state and category: a search for a few of many categories does not pass all the
    others by.
    """
    states: Sequence[CaseState] = (CaseState.OPEN, CaseState.ESCALATED) if senior else (CaseState.OPEN,)
    place = (_C.due_at, _C.rank, _C.id)
    firsts: list[sa.Select[Any, Any, Any]] = []
    for state in states:
        for category in search.categories or (None,):
            query = sa.select(*place).where(_C.state == state.value, *search.conditions(), *may_decide(reviewer))
            if category is not None:
                query = query.where(_C.category == category.value)
            firsts.append(query.order_by(*place).limit(1))
    return firsts
