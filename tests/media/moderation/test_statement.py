"""A statement of reasons has what art. 17 asks for, and tells the database nobody's name."""

from typing import Any

import pytest

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Decision
from media.moderation.errors import BadStatementError
from media.moderation.statement import RESTRICTIONS, Ground, Source, Statement

NAMES = ["ana", "u123", "Ben Brown"]


def a_statement(*actions: Action, **more: Any) -> Statement:
    fields: dict[str, Any] = {
        "puid": "case-00000001",
        "decision": Decision(1.0, "rea", frozenset(actions or {Action.REMOVE})),
        "category": Category.HATE,
        "ground": Ground.INCOMPATIBLE,
        "rule": "Rule 3: no hate.",
        "explanation": "Calls for violence against a group.",
        "facts": "At 00:41 Ana said …",
        "public_facts": "A speaker called for violence against a group.",
        "source": Source.REPORT,
        "language": "en",
        "content_date": "2026-11-29",
        "application_date": "2026-11-30",
    }
    return Statement(**(fields | more))


def test_what_the_database_is_told() -> None:
    statement = a_statement(Action.REMOVE, Action.SUSPEND, Action.MUTE, ends={"decision_account": "2027-01-01"})
    statement.check(NAMES)
    told = statement.for_database()
    assert told["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED"]
    assert told["decision_provision"] == "DECISION_PROVISION_PARTIAL_SUSPENSION"
    assert told["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert told["end_date_account_restriction"] == "2027-01-01"
    assert told["incompatible_content_ground"] == "Rule 3: no hate." and "illegal_content_legal_ground" not in told
    assert told["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert "Ana" not in str(told), "the facts for the user stay with the user"
    assert "illegal_content_legal_ground" in a_statement(ground=Ground.ILLEGAL).for_database()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"rule": " "}, "no rule"),
        ({"facts": "x" * 5_001}, "5000 characters"),
        ({"explanation": "x" * 2_001}, "2000 characters"),
        ({"puid": "a b"}, "letters, digits"),
        ({"language": "english"}, "two letters"),
        ({"public_facts": "ANA called for violence."}, "names 'ana'"),
        ({"explanation": "Because ben brown said so."}, "names 'Ben Brown'"),
        ({"decision": Decision(1.0, "rea", frozenset({Action.WARN}))}, "restricts nothing"),
    ],
)
def test_what_cannot_be_sent(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadStatementError, match=sentence):
        a_statement(**more).check(NAMES)


def test_a_name_within_a_word_is_no_name() -> None:
    a_statement(public_facts="A banana was mentioned.").check(NAMES)


def test_all_that_restricts_is_said_and_each_category_has_a_name_there() -> None:
    assert set(Action) - set(RESTRICTIONS) == {Action.NO_VIOLATION, Action.WARN}
    assert set(URGENCY) == set(Category)
    assert all(each.statement_category.startswith("STATEMENT_CATEGORY_") for each in URGENCY.values())
