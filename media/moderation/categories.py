"""What can be reported, how bad it is, and how soon somebody must have looked.

The names of the Union's categories are those of the DSA Transparency Database (second version, July 2025); due
times are a choice, for which the regulation names no figure: "in a timely manner" (Regulation (EU) 2022/2065,
art. 16(6)).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 3_600.0
DAY: Final = 86_400.0


class Category(StrEnum):
    """What a report says is wrong."""

    THREAT_TO_LIFE = "threat to life"
    CHILD_SAFETY = "child safety"
    VIOLENCE = "violence"
    HATE = "hate"
    HARASSMENT = "harassment"
    SELF_HARM = "self-harm"
    ILLEGAL_GOODS = "illegal goods"
    PRIVACY = "privacy"
    IMPERSONATION = "impersonation"
    INTELLECTUAL_PROPERTY = "intellectual property"
    MISINFORMATION = "misinformation"
    DISTURBANCE = "disturbance"
    SPAM = "spam"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Urgency:
    """How a category is queued, and what the Union calls it."""

    severity: int
    """0 to 3; among cases that are due at the same time the more severe come first."""
    due: float
    """Seconds from the first report until a case is to be decided."""
    statement_category: str
    """In a statement of reasons."""


URGENCY: Final[Mapping[Category, Urgency]] = MappingProxyType(
    {
        Category.THREAT_TO_LIFE: Urgency(3, 15 * MINUTE, "STATEMENT_CATEGORY_VIOLENCE"),
        Category.CHILD_SAFETY: Urgency(3, 15 * MINUTE, "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"),
        Category.SELF_HARM: Urgency(3, 30 * MINUTE, "STATEMENT_CATEGORY_SELF_HARM"),
        Category.VIOLENCE: Urgency(2, HOUR, "STATEMENT_CATEGORY_VIOLENCE"),
        Category.HATE: Urgency(2, HOUR, "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"),
        Category.HARASSMENT: Urgency(2, HOUR, "STATEMENT_CATEGORY_CYBER_VIOLENCE"),
        Category.DISTURBANCE: Urgency(1, 15 * MINUTE, "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"),
        Category.PRIVACY: Urgency(2, DAY, "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"),
        Category.ILLEGAL_GOODS: Urgency(1, DAY, "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"),
        Category.IMPERSONATION: Urgency(1, DAY, "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"),
        Category.INTELLECTUAL_PROPERTY: Urgency(1, DAY, "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS"),
        Category.MISINFORMATION: Urgency(
            1, DAY, "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS"
        ),
        Category.SPAM: Urgency(0, DAY, "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"),
        Category.OTHER: Urgency(0, DAY, "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"),
    }
)
