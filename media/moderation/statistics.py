"""How moderation does: how long reports wait, what is overdue, and whether reviewers agree.

The figures that a team looks at each day, of the same records as the yearly report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media.moderation.agreement import Agreement, agreement
from media.moderation.categories import Category
from media.moderation.decision import Action, Outcome
from media.moderation.durations import Durations, summary


@dataclass(frozen=True, slots=True)
class Handled:
    """One case as far as it has come.  Times in seconds."""

    category: Category
    opened_at: float
    due_at: float
    first_look_at: float | None = None
    """When it was first claimed."""
    decided_at: float | None = None
    reviewer: str = ""
    """Who decided."""
    outcome: Outcome | None = None
    """What came of a complaint."""

    def overdue(self, now: float) -> bool:
        """Whether it was decided too late, or is late now."""
        return (now if self.decided_at is None else self.decided_at) > self.due_at


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader said of a case beside what it is compared with: a decision, or the answer of a golden case."""

    reader: str
    said: Action
    compared: Action
    golden: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some cases.  Durations in seconds."""

    cases: int
    undecided: int
    first_look: Durations
    """From the first report to the first claim."""
    decision: Durations
    """From the first report to the decision."""
    overdue: int
    """Late now, or decided too late."""
    complaints: int
    overturned: int


@dataclass(frozen=True, slots=True)
class ReviewerFigures:
    """Of one reviewer."""

    decided: int
    overdue: int
    overturned: int
    second_readings: Agreement
    """With the decisions of others that they read a second time."""
    golden: Agreement
    """With the answers of golden cases."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What :func:`statistics` makes of the records of a period."""

    total: Figures
    categories: Mapping[Category, Figures]
    """Of those that occurred."""
    reviewers: Mapping[str, ReviewerFigures]
    agreement: Agreement
    """Of all second readings."""


def statistics(cases: Sequence[Handled], readings: Sequence[Reading], now: float) -> Statistics:
    """Work the figures out of the cases that were opened in a period, and of the readings made in it.

    :param now: at which a case that is undecided is late or not (seconds)
    """
    reviewers = sorted({case.reviewer for case in cases if case.reviewer} | {each.reader for each in readings})
    return Statistics(
        total=_figures(cases, now),
        categories={
            category: _figures(some, now)
            for category in Category
            if (some := [case for case in cases if case.category is category])
        },
        reviewers={name: _reviewer(name, cases, readings, now) for name in reviewers},
        agreement=_agreement(readings, golden=False),
    )


def _figures(cases: Sequence[Handled], now: float) -> Figures:
    return Figures(
        cases=len(cases),
        undecided=sum(case.decided_at is None for case in cases),
        first_look=summary([c.first_look_at - c.opened_at for c in cases if c.first_look_at is not None]),
        decision=summary([c.decided_at - c.opened_at for c in cases if c.decided_at is not None]),
        overdue=sum(case.overdue(now) for case in cases),
        complaints=sum(case.outcome is not None for case in cases),
        overturned=sum(case.outcome is Outcome.OVERTURNED for case in cases),
    )


def _reviewer(name: str, cases: Sequence[Handled], readings: Sequence[Reading], now: float) -> ReviewerFigures:
    decided = [case for case in cases if case.reviewer == name]
    read = [each for each in readings if each.reader == name]
    return ReviewerFigures(
        decided=len(decided),
        overdue=sum(case.overdue(now) for case in decided),
        overturned=sum(case.outcome is Outcome.OVERTURNED for case in decided),
        second_readings=_agreement(read, golden=False),
        golden=_agreement(read, golden=True),
    )


def _agreement(readings: Sequence[Reading], *, golden: bool) -> Agreement:
    return agreement([(each.compared, each.said) for each in readings if each.golden is golden])
