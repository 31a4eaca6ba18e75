"""Statement of reasons: what the user affected is told, and what the Union's database is told, from one form.

Fields and limits are those of the DSA Transparency Database (Regulation (EU) 2022/2065, art. 17 and 24(5); second
version of its API, July 2025). The database must be told nothing by which somebody can be recognised, so the facts
are two fields, and the one for the database is refused if a name of the case is in it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Decision
from media.moderation.errors import BadStatementError
from media.moderation.statement_form import KEYWORDS, TERRITORIES, faults_of

FACTS_MAX: Final = 5_000
"""Characters of the facts."""
GROUND_MAX: Final = 500
"""Characters of the law or the rule that was broken."""
EXPLANATION_MAX: Final = 2_000
"""Characters of why it was."""
PUID: Final = re.compile(r"[a-zA-Z0-9_-]{1,500}")
"""Shape of a statement's own number."""
_LANGUAGE: Final = re.compile(r"[a-z]{2}")


class Ground(StrEnum):
    """Whether the law was broken, or the rules of this service."""

    ILLEGAL = "DECISION_GROUND_ILLEGAL_CONTENT"
    INCOMPATIBLE = "DECISION_GROUND_INCOMPATIBLE_CONTENT"


class Source(StrEnum):
    """What made somebody look."""

    REPORT = "SOURCE_ARTICLE_16"
    TRUSTED_FLAGGER = "SOURCE_TRUSTED_FLAGGER"
    OWN_INITIATIVE = "SOURCE_VOLUNTARY"
    OTHER = "SOURCE_TYPE_OTHER_NOTIFICATION"


RESTRICTIONS: Final[Mapping[Action, tuple[str, str]]] = MappingProxyType(
    {
        Action.MUTE: ("decision_visibility", "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED"),
        Action.REVOKE_SPEECH: ("decision_visibility", "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED"),
        Action.REMOVE: ("decision_provision", "DECISION_PROVISION_PARTIAL_SUSPENSION"),
        Action.END_SPACE: ("decision_visibility", "DECISION_VISIBILITY_CONTENT_DISABLED"),
        Action.SUSPEND: ("decision_account", "DECISION_ACCOUNT_SUSPENDED"),
    }
)
"""Field and value of each action; a warning restricts nothing, and needs no statement."""
_END_DATES: Final = {
    "decision_visibility": "end_date_visibility_restriction",
    "decision_provision": "end_date_service_restriction",
    "decision_account": "end_date_account_restriction",
}


def keywords_of(category: Category) -> tuple[str, ...]:
    """Return the keywords of the Union's category to which a category of ours belongs."""
    name = URGENCY[category].statement_category.removeprefix("STATEMENT_CATEGORY_")
    return tuple(f"KEYWORD_{keyword}" for keyword in (*KEYWORDS[name], "OTHER"))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a reviewer filled in beside the decision."""

    puid: str
    decision: Decision
    category: Category
    ground: Ground
    rule: str
    """The law, or the rule of this service."""
    explanation: str
    """Why what was said breaks it."""
    facts: str
    """For the user affected."""
    public_facts: str
    """For the database, by which nobody can be recognised."""
    source: Source
    language: str
    """Of what was said: two letters (ISO 639-1); empty if it is not known."""
    content_date: str
    """Day on which it was said, YYYY-MM-DD."""
    application_date: str
    """Day from which on the decision holds."""
    detected_automatically: bool = False
    """Whether a rule, and no human, found it; people decide in any case."""
    ends: Mapping[str, str] = field(default_factory=dict[str, str])
    """Day on which a restriction ends, by the field that it is in; without one it lasts."""
    keyword: str = ""
    """What it was more exactly: one of :func:`keywords_of` its category; empty for none."""
    also_illegal: bool = False
    """Whether what broke the rules of this service broke the law, too."""
    reference_url: str = ""
    """Where the law or the rule can be read."""
    territories: tuple[str, ...] = ()
    """Countries of the EEA in which the decision holds; none for all."""
    source_identity: str = ""
    """The trusted flagger who reported it: a public body. Nobody else is named."""

    def check(self, names: Collection[str]) -> None:
        """Pass if it can be sent; ``names``: ids, handles and names that the database must not be told.

        :raises BadStatementError: what is missing, too long, or too much
        """
        for what, text, most in (
            ("rule", self.rule, GROUND_MAX),
            ("explanation", self.explanation, EXPLANATION_MAX),
            ("facts", self.facts, FACTS_MAX),
            ("public facts", self.public_facts, FACTS_MAX),
        ):
            if not text.strip():
                raise BadStatementError(f"The statement has no {what}; say it in a sentence.")
            if len(text) > most:
                raise BadStatementError(
                    f"The {what} of a statement has at most {most} characters, not {len(text)}."
                )
        if not PUID.fullmatch(self.puid) or (self.language and not _LANGUAGE.fullmatch(self.language)):
            raise BadStatementError("A statement's number has letters, digits, - and _; its language two letters.")
        if not self.restrictions:
            raise BadStatementError("A decision that restricts nothing needs no statement of reasons.")
        if self.keyword and self.keyword not in keywords_of(self.category):
            raise BadStatementError(f"{self.keyword!r} is no keyword of {self.category}; choose one of its own.")
        if not set(self.territories) <= TERRITORIES:
            raise BadStatementError("A statement names countries of the EEA by their codes, such as DE and FR.")
        if self.source_identity and self.source is not Source.TRUSTED_FLAGGER:
            raise BadStatementError("Only a trusted flagger is named to the database; leave other sources out.")
        if not self.ends.keys() <= self.restrictions.keys():
            raise BadStatementError(
                "An end date belongs to a restriction that the decision has; leave the other out."
            )
        public = " ".join((self.public_facts, self.explanation, self.rule)).casefold()
        named = [
            name for name in names if name and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", public)
        ]
        if named:
            raise BadStatementError(
                f"The part for the database names {named[0]!r}; write it so that nobody can be recognised."
            )
        faults = faults_of(self.for_database())
        if faults:
            raise BadStatementError(f"The Transparency Database would not take {faults[0]}; correct it.")

    @property
    def restrictions(self) -> dict[str, Any]:
        """The fields that say what is restricted."""
        fields: dict[str, Any] = {}
        for action in sorted(self.decision.actions & RESTRICTIONS.keys()):
            name, value = RESTRICTIONS[action]
            if name == "decision_visibility":
                fields.setdefault(name, [])
                fields[name] = sorted({*fields[name], value})
            else:
                fields[name] = value
        return fields

    def for_database(self) -> dict[str, Any]:
        """Return the statement as the Transparency Database takes it; nothing here sends it."""
        illegal = self.ground is Ground.ILLEGAL
        kind = "illegal_content" if illegal else "incompatible_content"
        fields: dict[str, Any] = {
            **self.restrictions,
            "decision_ground": self.ground.value,
            f"{kind}_legal_ground" if illegal else f"{kind}_ground": self.rule,
            f"{kind}_explanation": self.explanation,
            "category": URGENCY[self.category].statement_category,
            "content_type": ["CONTENT_TYPE_AUDIO"],
            "content_date": self.content_date,
            "application_date": self.application_date,
            "decision_facts": self.public_facts,
            "source_type": self.source.value,
            "automated_detection": "Yes" if self.detected_automatically else "No",
            "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
            "puid": self.puid,
        }
        if not illegal:
            fields["incompatible_content_illegal"] = "Yes" if self.also_illegal else "No"
        if Action.SUSPEND in self.decision.actions:
            fields["account_type"] = "ACCOUNT_TYPE_PRIVATE"
        fields |= {_END_DATES[name]: day for name, day in self.ends.items()}
        for name, value in (
            ("category_specification", [self.keyword] if self.keyword else []),
            ("decision_ground_reference_url", self.reference_url),
            ("territorial_scope", sorted(self.territories)),
            ("content_language", self.language.upper()),
            ("source_identity", self.source_identity),
        ):
            if value:
                fields[name] = value
        return fields
