"""A statement of reasons has what art. 17 asks for, and tells the database nobody's name."""

from typing import Any

import pytest

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Decision
from media.moderation.errors import BadStatementError
from media.moderation.statement import RESTRICTIONS, Ground, Source, Statement, keywords_of
from media.moderation.statement_form import ALL_KEYWORDS, CATEGORIES, KEYWORDS, faults_of, is_day

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
        ({"keyword": "KEYWORD_PHISHING"}, "no keyword of hate"),
        ({"territories": ("DE", "US")}, "countries of the EEA"),
        ({"source_identity": "Somebody"}, "Only a trusted flagger"),
        ({"ends": {"decision_account": "2027-01-01"}}, "a restriction that the decision has"),
        ({"content_date": "2026-02-30"}, "content_date"),
        ({"reference_url": "rules.html"}, "decision_ground_reference_url"),
        ({"ends": {"decision_provision": "2039-01-01"}}, "end_date_service_restriction"),
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


def test_an_end_date_is_in_the_field_of_the_database() -> None:
    """What restricts the provision of the service ends by ``end_date_service_restriction``."""
    told = a_statement(Action.REMOVE, ends={"decision_provision": "2027-01-01"}).for_database()
    assert told["end_date_service_restriction"] == "2027-01-01" and "end_date_provision_restriction" not in told
    assert faults_of(told) == []


def test_all_that_a_statement_can_have_is_taken() -> None:
    statement = a_statement(
        *(Action.REMOVE, Action.SUSPEND, Action.END_SPACE),
        keyword="KEYWORD_HATE_SPEECH",
        territories=("FR", "DE"),
        reference_url="https://example.org/rules",
        source=Source.TRUSTED_FLAGGER,
        source_identity="Point de Contact",
        also_illegal=True,
        ends={"decision_account": "2027-01-01", "decision_visibility": "2027-01-01"},
    )
    statement.check(NAMES)
    told = statement.for_database()
    assert told["territorial_scope"] == ["DE", "FR"] and told["incompatible_content_illegal"] == "Yes"
    assert told["category_specification"] == ["KEYWORD_HATE_SPEECH"]


@pytest.mark.parametrize("category", Category)
def test_every_category_and_its_keywords_are_the_unions(category: Category) -> None:
    assert URGENCY[category].statement_category in CATEGORIES
    for keyword in keywords_of(category):
        a_statement(category=category, keyword=keyword).check(NAMES)


def test_the_unions_lists_are_whole() -> None:
    assert len(CATEGORIES) == 16 and len(ALL_KEYWORDS) == 68
    assert sum(len(names) for names in KEYWORDS.values()) == len(ALL_KEYWORDS) - 1, "no keyword is in two"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"decision_provision": None}, "decision_provision"),
        ({"category": "HATE"}, "category"),
        ({"content_type": []}, "content_type"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "content_type_other"),
        ({"illegal_content_legal_ground": "§ 130 StGB"}, "illegal_content_legal_ground"),
        ({"source_type": "SOURCE_VOLUNTARY", "source_identity": "Somebody"}, "source_identity"),
        ({"automated_detection": True}, "automated_detection"),
        ({"content_language": "en"}, "content_language"),
        ({"decision_facts": "x" * 5_001}, "decision_facts"),
        ({"puid": "a" * 501}, "puid"),
        ({"puid": "a\n"}, "puid"),
        ({"user": "ana"}, "user"),
    ],
)
def test_what_the_database_would_refuse(change: dict[str, Any], fault: str) -> None:
    told = a_statement(Action.REMOVE).for_database()
    assert faults_of(told) == [] and fault in faults_of(told | change)


def test_nothing_at_all_lacks_everything() -> None:
    lacking = faults_of({})
    assert {"decision_visibility", "puid", "category", "incompatible_content_ground"} <= set(lacking)


@pytest.mark.parametrize("day", ["2024-02-29", "2026-12-31"])
def test_days_that_exist(day: str) -> None:
    assert is_day(day)


@pytest.mark.parametrize(
    "day", ["2023-02-29", "2026-13-01", "2026-1-1", "0000-01-01", "２026-01-01", "2039-01-01", ""]
)
def test_days_that_do_not(day: str) -> None:
    assert not is_day(day)
