"""A statement that nobody wrote a word of is whole, and says nothing about anybody in its public part."""

from typing import Any

import pytest

from media.moderation.categories import Category
from media.moderation.decision import Action, Decision
from media.moderation.draft import Circumstances, draft
from media.moderation.rules import RULES
from media.moderation.statement import RESTRICTIONS, Source
from media.moderation.statement_form import faults_of

TITLE = "Ana and ben on Friday"


def circumstances(**more: Any) -> Circumstances:
    fields: dict[str, Any] = {"category": Category.HATE, "said_on": "2026-11-30", "title": TITLE, "reports": 1}
    return Circumstances(**(fields | more))


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("action", RESTRICTIONS)
def test_every_decision_has_a_statement_that_would_be_taken(category: Category, action: Action) -> None:
    decision = Decision(1.0, "rea", frozenset({action}))
    statement = draft("p-1", decision, circumstances(category=category), "2026-12-01")
    statement.check(["ana", "ben", "rea", TITLE])
    assert faults_of(statement.for_database()) == []
    assert RULES[category].name in statement.facts and TITLE in statement.facts


@pytest.mark.parametrize(
    ("more", "source", "words"),
    [
        (
            {},
            Source.REPORT,
            "What you said in the Space «Ana and ben on Friday» on 2026-11-30 was reported as hate",
        ),
        ({"reports": 0, "found_by_rule": True}, Source.OWN_INITIATIVE, "was found by an automated rule as hate"),
        (
            {"found_by_rule": True},
            Source.REPORT,
            "was reported, after an automated rule had pointed at it, as hate",
        ),
        (
            {"trusted": True, "title": ""},
            Source.TRUSTED_FLAGGER,
            "in the Space on 2026-11-30 was reported by a trust",
        ),
        (
            {"reports": 0, "about_space": True},
            Source.OWN_INITIATIVE,
            "What was said in your Space «Ana and ben on F",
        ),
    ],
)
def test_the_user_is_told_where_and_how_it_came_up(more: dict[str, Any], source: Source, words: str) -> None:
    decision = Decision(1.0, "rea", frozenset({Action.SUSPEND}))
    statement = draft("p-1", decision, circumstances(**more), "2026-12-01")
    assert statement.source is source and words in statement.facts
    assert statement.detected_automatically == bool(more.get("found_by_rule"))


def test_a_language_that_is_not_known_is_left_out() -> None:
    decision = Decision(1.0, "rea", frozenset({Action.MUTE}))
    assert "content_language" not in draft("p", decision, circumstances(), "2026-12-01").for_database()
    told = draft("p", decision, circumstances(language="de"), "2026-12-01").for_database()
    assert told["content_language"] == "DE"
