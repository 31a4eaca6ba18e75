"""What waits, what is late and who agrees, counted by hand."""

import pytest

from media.moderation.categories import Category
from media.moderation.decision import Action, Outcome
from media.moderation.statistics import Handled, Reading, statistics

CASES = [
    Handled(Category.HATE, 0, 100, first_look_at=10, decided_at=50, reviewer="rea"),
    Handled(Category.HATE, 0, 100, 30, 150, "rea", Outcome.OVERTURNED),
    Handled(Category.SPAM, 0, 100, 90, 100, "rob", Outcome.UPHELD),
    Handled(Category.SPAM, 60, 160, first_look_at=70),
    Handled(Category.SPAM, 300, 400),
]
READINGS = [
    Reading("rob", Action.REMOVE, Action.REMOVE),
    Reading("rob", Action.WARN, Action.REMOVE),
    Reading("rea", Action.SUSPEND, Action.SUSPEND, golden=True),
]


def test_durations_are_from_the_first_report_and_only_of_what_came_to_pass() -> None:
    total = statistics(CASES, READINGS, now=200).total
    assert (total.cases, total.undecided, total.complaints, total.overturned) == (5, 2, 2, 1)
    assert (total.first_look.count, total.first_look.median, total.first_look.p95) == (4, 20, 90)
    assert (total.decision.median, total.decision.p95, total.decision.longest) == (100, 150, 150)


@pytest.mark.parametrize(("now", "late"), [(160, 1), (200, 2), (400, 2), (401, 3)])
def test_late_is_what_is_late_now_or_was_when_it_was_decided(now: float, late: int) -> None:
    assert statistics(CASES, [], now).total.overdue == late


def test_each_category_and_each_reviewer_by_themselves() -> None:
    figures = statistics(CASES, READINGS, now=200)
    assert {name: each.cases for name, each in figures.categories.items()} == {Category.HATE: 2, Category.SPAM: 3}
    rea, rob = figures.reviewers["rea"], figures.reviewers["rob"]
    assert (rea.decided, rea.overdue, rea.overturned) == (2, 1, 1)
    assert (rob.decided, rob.overdue, rob.overturned) == (1, 0, 0)
    assert (rob.second_readings.share, rob.golden.share) == (0.5, None)
    assert (rea.second_readings.readings, rea.golden.share) == (0, 1.0)
    assert (figures.agreement.readings, figures.agreement.same) == (2, 1), "golden cases are counted apart"


def test_nothing_happened() -> None:
    figures = statistics([], [], now=0)
    assert figures.total.first_look.median is None and not figures.reviewers and figures.agreement.share is None
