"""A statement of reasons before a reviewer has changed anything in it: nobody is restricted without one.

What is said of the case is in its records, and what is forbidden in the rules, so that a whole statement can be
made of them. A reviewer who decides in seconds need not write one, and one who knows more can.
"""

from dataclasses import dataclass
from typing import Final

from media.moderation.categories import Category
from media.moderation.decision import Decision
from media.moderation.rules import RULES
from media.moderation.statement import Ground, Source, Statement

_TITLE_MAX: Final = 100
"""Characters of a Space's title that are quoted."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the records say of a case.  Days as YYYY-MM-DD."""

    category: Category
    said_on: str
    title: str
    """Of the Space; for the user alone, for it can have names in it."""
    language: str = ""
    about_space: bool = False
    """Whether the decision is about the Space itself, and affects its host."""
    reports: int = 0
    """Made by users."""
    found_by_rule: bool = False
    """Whether a rule pointed at it before any user did."""
    trusted: bool = False
    """Whether a trusted flagger reported it."""

    @property
    def source(self) -> Source:
        """What made somebody look."""
        if self.trusted:
            return Source.TRUSTED_FLAGGER
        return Source.REPORT if self.reports else Source.OWN_INITIATIVE


def draft(puid: str, decision: Decision, found: Circumstances, decided_on: str) -> Statement:
    """Write a statement for a decision of which nothing but the records is known."""
    rule = RULES[found.category]
    what = "What was said in your Space" if found.about_space else "What you said in the Space"
    title = f" «{found.title[:_TITLE_MAX]}»" if found.title else ""
    how = _how(found)
    return Statement(
        puid=puid,
        decision=decision,
        category=found.category,
        ground=Ground.INCOMPATIBLE,
        rule=rule.name,
        explanation=rule.text,
        facts=f"{what}{title} on {found.said_on} {how} as {found.category}. A reviewer looked at it and found "
        "that "
        f"it breaks the rule «{rule.name}».",
        public_facts=f"Live speech in an audio conversation {how} as {found.category}. A human reviewer looked "
        "at it "
        "and found that it breaks the rule.",
        source=found.source,
        language=found.language,
        content_date=found.said_on,
        application_date=decided_on,
        detected_automatically=found.found_by_rule,
    )


def _how(found: Circumstances) -> str:
    """Return how it came up; automated means have to be told (art. 17(3)(c))."""
    if found.source is Source.OWN_INITIATIVE:
        return "was found by an automated rule" if found.found_by_rule else "was found by us"
    who = " by a trusted flagger" if found.trusted else ""
    return f"was reported{who}{', after an automated rule had pointed at it,' if found.found_by_rule else ''}"
