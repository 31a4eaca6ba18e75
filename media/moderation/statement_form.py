"""The form of the DSA Transparency Database: which fields it takes, and which values they can have.

The database refuses a whole batch for one wrong statement, and what has been published cannot be called back. So a
statement is checked here by the rules that the database itself applies (``StatementStoreRequest`` of its public
source, version of June 2026), before anybody sees it.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from typing import Any, Final

Fields = Mapping[str, Any]

VISIBILITY: Final = frozenset(
    f"DECISION_VISIBILITY_{name}"
    for name in (
        *("CONTENT_REMOVED", "CONTENT_DISABLED", "CONTENT_DEMOTED", "CONTENT_AGE_RESTRICTED"),
        *("CONTENT_INTERACTION_RESTRICTED", "CONTENT_LABELLED", "OTHER"),
    )
)
MONETARY: Final = frozenset(f"DECISION_MONETARY_{name}" for name in ("SUSPENSION", "TERMINATION", "OTHER"))
PROVISION: Final = frozenset(
    f"DECISION_PROVISION_{name}"
    for name in ("PARTIAL_SUSPENSION", "TOTAL_SUSPENSION", "PARTIAL_TERMINATION", "TOTAL_TERMINATION")
)
ACCOUNT: Final = frozenset({"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"})
ACCOUNT_TYPES: Final = frozenset({"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"})
GROUNDS: Final = frozenset({"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"})
CONTENT_TYPES: Final = frozenset(
    f"CONTENT_TYPE_{name}"
    for name in ("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")
)
SOURCES: Final = frozenset(
    {"SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"}
)
AUTOMATION: Final = frozenset(f"AUTOMATED_DECISION_{name}" for name in ("FULLY", "PARTIALLY", "NOT_AUTOMATED"))
TERRITORIES: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
        *("IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""Countries of the European Economic Area, by their codes (ISO 3166)."""

KEYWORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ANIMAL_WELFARE": ("ANIMAL_HARM", "UNLAWFUL_SALE_ANIMALS"),
    "CONSUMER_INFORMATION": (
        *("HIDDEN_ADVERTISEMENT", "INSUFFICIENT_INFORMATION_ON_TRADERS", "MISLEADING_INFO_GOODS_SERVICES"),
        *("MISLEADING_INFO_CONSUMER_RIGHTS", "NONCOMPLIANCE_PRICING"),
    ),
    "CYBER_VIOLENCE": (
        *("CYBER_BULLYING_INTIMIDATION", "CYBER_HARASSMENT", "CYBER_INCITEMENT", "CYBER_STALKING"),
        *("NON_CONSENSUAL_IMAGE_SHARING", "NON_CONSENSUAL_MATERIAL_DEEPFAKE"),
    ),
    "CYBER_VIOLENCE_AGAINST_WOMEN": (
        *("BULLYING_AGAINST_GIRLS", "CYBER_HARASSMENT_AGAINST_WOMEN", "CYBER_STALKING_AGAINST_WOMEN"),
        *("FEMALE_GENDERED_DISINFORMATION", "INCITEMENT_AGAINST_WOMEN"),
        *("NON_CONSENSUAL_IMAGE_SHARING_AGAINST_WOMEN", "NON_CONSENSUAL_MATERIAL_DEEPFAKE_AGAINST_WOMEN"),
    ),
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS": (
        *("BIOMETRIC_DATA_BREACH", "DATA_FALSIFICATION", "MISSING_PROCESSING_GROUND", "RIGHT_TO_BE_FORGOTTEN"),
    ),
    "ILLEGAL_OR_HARMFUL_SPEECH": ("DEFAMATION", "DISCRIMINATION", "HATE_SPEECH"),
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS": (
        *("COPYRIGHT_INFRINGEMENT", "DESIGN_INFRINGEMENT", "GEOGRAPHIC_INDICATIONS_INFRINGEMENT"),
        *("PATENT_INFRINGEMENT", "TRADE_SECRET_INFRINGEMENT", "TRADEMARK_INFRINGEMENT"),
    ),
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS": (
        *("MISINFORMATION_DISINFORMATION", "VIOLATION_EU_LAW", "VIOLATION_NATIONAL_LAW"),
    ),
    "PROTECTION_OF_MINORS": (
        *("AGE_SPECIFIC_RESTRICTIONS_MINORS", "CHILD_SEXUAL_ABUSE_MATERIAL"),
        *("CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE", "GROOMING_SEXUAL_ENTICEMENT_MINORS", "UNSAFE_CHALLENGES"),
    ),
    "RISK_FOR_PUBLIC_SECURITY": (
        *("ILLEGAL_ORGANIZATIONS", "RISK_ENVIRONMENTAL_DAMAGE", "RISK_PUBLIC_HEALTH", "TERRORIST_CONTENT"),
    ),
    "SCAMS_AND_FRAUD": (
        *("IMPERSONATION_ACCOUNT_HIJACKING", "INAUTHENTIC_ACCOUNTS", "INAUTHENTIC_LISTINGS"),
        *("INAUTHENTIC_USER_REVIEWS", "PHISHING", "PYRAMID_SCHEMES"),
    ),
    "SELF_HARM": ("CONTENT_PROMOTING_EATING_DISORDERS", "SELF_MUTILATION", "SUICIDE"),
    "UNSAFE_AND_PROHIBITED_PRODUCTS": ("PROHIBITED_PRODUCTS", "UNSAFE_PRODUCTS"),
    "VIOLENCE": (
        *("COORDINATED_HARM", "INCITEMENT_VIOLENCE_HATRED", "HUMAN_EXPLOITATION", "HUMAN_TRAFFICKING"),
        "TRAFFICKING_WOMEN_GIRLS",
    ),
    "OTHER_VIOLATION_TC": (
        *("ADULT_SEXUAL_MATERIAL", "AGE_SPECIFIC_RESTRICTIONS", "GEOGRAPHICAL_REQUIREMENTS"),
        *("GOODS_SERVICES_NOT_PERMITTED", "LANGUAGE_REQUIREMENTS", "NUDITY"),
    ),
}
"""Keywords of each category, in the order of the Union's templates, all without their prefixes; each category has
``KEYWORD_OTHER`` beside them."""
CATEGORIES: Final = frozenset({f"STATEMENT_CATEGORY_{name}" for name in (*KEYWORDS, "NOT_SPECIFIED_NOTICE")})
ALL_KEYWORDS: Final = frozenset({f"KEYWORD_{name}" for names in KEYWORDS.values() for name in (*names, "OTHER")})

_PUID: Final = re.compile(r"[a-zA-Z0-9_-]{1,500}")
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LANGUAGE: Final = re.compile(r"[A-Z]{2}")
_URL: Final = re.compile(r"https?://[^\s/]+\.[^\s]+")
_LAST_DAY: Final = "2038-01-01"


def is_day(text: str, first: str = "0001-01-01") -> bool:
    """Whether a text is a day that exists, YYYY-MM-DD, from ``first`` to the last that the database takes."""
    match = _DAY.fullmatch(text) if text.isascii() else None
    if match is None:
        return False
    year, month, day = (int(part) for part in match.groups())
    exists = year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return exists and first <= text <= _LAST_DAY


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and 0 < len(value) <= most


def _one_of(values: frozenset[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _some_of(values: frozenset[str]) -> Callable[[Any], bool]:
    def taken(value: Any) -> bool:
        return isinstance(value, list) and len(value) > 0 and all(each in values for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

    return taken


def _day(first: str = "0001-01-01") -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and is_day(value, first)


def _matches(shape: re.Pattern[str], most: int = 500) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and shape.fullmatch(value) is not None


_YES_NO: Final = _one_of(frozenset({"Yes", "No"}))
_FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "decision_visibility": _some_of(VISIBILITY),
    "decision_visibility_other": _text(500),
    "decision_monetary": _one_of(MONETARY),
    "decision_monetary_other": _text(500),
    "decision_provision": _one_of(PROVISION),
    "decision_account": _one_of(ACCOUNT),
    "account_type": _one_of(ACCOUNT_TYPES),
    "decision_ground": _one_of(GROUNDS),
    "decision_ground_reference_url": _matches(_URL),
    "illegal_content_legal_ground": _text(500),
    "illegal_content_explanation": _text(2_000),
    "incompatible_content_ground": _text(500),
    "incompatible_content_explanation": _text(2_000),
    "incompatible_content_illegal": _YES_NO,
    "category": _one_of(CATEGORIES),
    "category_addition": _some_of(CATEGORIES),
    "category_specification": _some_of(ALL_KEYWORDS),
    "category_specification_other": _text(500),
    "content_type": _some_of(CONTENT_TYPES),
    "content_type_other": _text(500),
    "content_language": _matches(_LANGUAGE),
    "content_date": _day("2000-01-01"),
    "application_date": _day("2020-01-01"),
    "end_date_visibility_restriction": _day(),
    "end_date_monetary_restriction": _day(),
    "end_date_service_restriction": _day(),
    "end_date_account_restriction": _day(),
    "territorial_scope": _some_of(TERRITORIES),
    "decision_facts": _text(5_000),
    "source_type": _one_of(SOURCES),
    "source_identity": _text(500),
    "automated_detection": _YES_NO,
    "automated_decision": _one_of(AUTOMATION),
    "puid": _matches(_PUID),
}
_ALWAYS: Final = (
    *("decision_ground", "category", "content_type", "content_date", "application_date", "decision_facts"),
    *("source_type", "automated_detection", "automated_decision", "puid"),
)
_DECISIONS: Final = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")


def faults_of(fields: Fields) -> list[str]:
    """Return the names of the fields for which the database would refuse a statement; empty if it takes it.

    A field that belongs to another answer, such as the legal ground of content that is merely against the rules,
    is a fault, too: the database drops it, and what is published should be what was written.
    """
    faults = [name for name, value in fields.items() if name not in _FIELDS or not _FIELDS[name](value)]
    needed = set(_ALWAYS)
    if not any(name in fields for name in _DECISIONS):
        needed.add("decision_visibility")
    illegal = fields.get("decision_ground") == "DECISION_GROUND_ILLEGAL_CONTENT"
    mine, other = ("illegal", "incompatible") if illegal else ("incompatible", "illegal")
    needed |= {f"{mine}_content_{'legal_ground' if illegal else 'ground'}", f"{mine}_content_explanation"}
    faults += [name for name in fields if name.startswith(f"{other}_content_")]
    for name, value in (
        ("decision_visibility", "DECISION_VISIBILITY_OTHER"),
        ("decision_monetary", "DECISION_MONETARY_OTHER"),
        ("content_type", "CONTENT_TYPE_OTHER"),
    ):
        if value in (fields.get(name) or ()):
            needed.add(f"{name}_other")
    if fields.get("source_type") == "SOURCE_VOLUNTARY" and "source_identity" in fields:
        faults.append("source_identity")
    return sorted({*faults, *(name for name in needed if name not in fields)})
