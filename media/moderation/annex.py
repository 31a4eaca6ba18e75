"""The templates of a transparency report: Annex I of Implementing Regulation (EU) 2024/2835.

Who compares reports compares them by machine, so that every heading and every row stands as the Annex has it,
its blanks included. The figures are filled in by :mod:`media.moderation.transparency`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from media.moderation.statement_form import KEYWORDS

Row = Sequence[str]

ALL: Final = "All"
HOSTING: Final = "Only for providers of hosting services, including online platforms"
PLATFORMS: Final = "Only for providers of online platforms"
VERY_LARGE: Final = "Only for VLOPs"
VERY_LARGE_OR_SEARCH: Final = "Only for VLOPs and VLOSEs"

NOT_SPECIFIED_ORDER: Final = "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER"
NOT_SPECIFIED_NOTICE: Final = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"
TERMS_ONLY: Final = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
"""The category that no law knows: for the rules of a service alone."""

_SUB: Final = 'Description of the sub-category "Other"'
ORDER_FIGURES: Final = (
    "Number of orders to act against illegal content received",
    "Number of specific items of information included in the total number of orders to act against illegal "
    "content",
    "Median time to inform the authority of the receipt of the order to act against illegal content",
    "Median time to give effect to the order to act against illegal content",
    "Number of orders to provide information",
    "Median time to inform the authority of the receipt of the order to provide information",
    "Median time to give effect to the order to provide information",
)
NOTICE_FIGURES: Final = (
    "Number of notices received ",
    "Number of notices received from Trusted flaggers",
    "Number of specific items of information included in the total number of notices",
    "Number of specific items of information included in the total number of notices by Trusted Flaggers "
    "(Trusted Flagger notices)",
    "Median time to take action",
    "Median time to take action (Trusted Flagger notices)",
    "Number of actions taken on the basis of the law",
    "Number of actions taken on the basis of the law (Trusted Flagger notices)",
    "Number of actions taken on the basis of the terms and conditions of the service",
    "Number of actions taken on the basis of the terms and conditions of the service (Trusted Flagger notices)",
)
RESTRICTION_FIGURES: Final = {
    "DECISION_VISIBILITY_CONTENT_REMOVED": "Visibility restriction Removal",
    "DECISION_VISIBILITY_CONTENT_DISABLED": "Visibility restriction Disable",
    "DECISION_VISIBILITY_CONTENT_DEMOTED": "Visibility restriction Demoted",
    "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED": "Visibility restriction Age restricted",
    "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED": "Visibility restriction Interaction restricted",
    "DECISION_VISIBILITY_CONTENT_LABELLED": "Visibility restriction Labelled ",
    "DECISION_VISIBILITY_OTHER": "Visibility restriction Other",
    "DECISION_MONETARY_SUSPENSION": "Monetary restriction Suspension",
    "DECISION_MONETARY_TERMINATION": "Monetary restriction Termination",
    "DECISION_MONETARY_OTHER": "Monetary restriction Other",
    "DECISION_PROVISION_PARTIAL_SUSPENSION": "Provision of the service Suspension",
    "DECISION_PROVISION_PARTIAL_TERMINATION": "Provision of the service Termination",
    "DECISION_ACCOUNT_SUSPENDED": "Account restriction Suspension",
    "DECISION_ACCOUNT_TERMINATED": "Account restriction Termination",
}
"""Column of each restriction, in the order of the columns."""
MEASURE_FIGURES: Final = (
    "Number of measures taken at the provider's own initiative ",
    "Number of measures taken after detection with solely automated means ",
    *RESTRICTION_FIGURES.values(),
)

_START: Final = ("Applicability", "Service", "Reporting period")
_INDICATORS: Final = (*_START, "Section", "Indicator", "Scope", "Value")
_ORDER_CONTEXT: Final = (
    *(figure.replace("Number", "number", 1) for figure in ORDER_FIGURES[:2]),
    *ORDER_FIGURES[2:],
)
HEADINGS: Final[dict[str, Row]] = {
    "1_report_identification": ("Applicability", "Service", "Indicator", "Value"),
    "2_categories_names": (
        *("Category label", "Category description"),
        *("Category of illegal content / incompatible with the terms and conditions", "Contextual information"),
    ),
    "3_member_states_orders": (
        *(*_START, "Category of illegal content", _SUB, "Scope", *ORDER_FIGURES),
        *(f"Contextual information on {figure}" for figure in _ORDER_CONTEXT),
    ),
    "4_notices": (
        *(*_START, "Category of illegal content", _SUB, *NOTICE_FIGURES),
        *(f"Contextual information on {figure}" for figure in NOTICE_FIGURES),
    ),
    "5_own_initiative_illegal": (
        *(*_START, "Category of illegal content", _SUB, *MEASURE_FIGURES),
        *(f"Contextual Information on {figure}" for figure in MEASURE_FIGURES),
    ),
    "6_own_initiative_TC": (
        *(*_START, "Category of incompatibility with the provider's terms and conditions", _SUB, *MEASURE_FIGURES),
        *(f"Contextual Information on {figure}" for figure in MEASURE_FIGURES),
    ),
    "7_appeals_and_recidivism": (*_INDICATORS, "Contextual Information"),
    "8_automated_means": (*_INDICATORS, "Contextual Information"),
    "9_human_resources": (*_INDICATORS, "Contextual information"),
    "10_AMAR": _INDICATORS,
    "11_qualitative": (*_START, "Indicator", "Value"),
}
"""Columns of each part, by the name of its file."""

COMPLAINTS: Final = "Number of complaints submitted to the internal-complaints mechanism"
NEW_RESTRICTIONS: Final = "Number of restrictions newly imposed as a result of an internal complaint"
COMPLAINTS_BY_KIND: Final = {
    "visibility": (
        "Complaint regarding a decision to remove or disable access to or restrict visibility of information"
    ),
    "provision": "Complaint regarding a decision to suspend or terminate the provision of the service",
    "account": "Complaint regarding a decision to suspend or terminate an account ",
    "monetary": "Complaint regarding a decision to restrict the ability to monetise information",
    "notice": (
        "Complaint regarding a decision not to take action on a notice submitted in accordance with Article 16"
    ),
    "flagger": (
        "Complaint regarding a decision not to take action on a notice submitted by a Trusted Flagger in "
        "accordance with Article 16"
    ),
}
DISPUTES: Final = "Number of disputes submitted to out-of-court dispute settlement bodies"
MISUSE: Final = {
    "illegal content": "Number of suspensions enacted for the provision of manifestly illegal content ",
    "unfounded notices": "Number of suspensions enacted for the provision of manifestly unfounded notices",
    "unfounded complaints": "Number of suspensions enacted for the provision of manifestly unfounded complaints",
}
_INTERNAL: Final = "Internal complaints mechanism"
_OUTSIDE: Final = "Out-of-court dispute settlement bodies"
_RECIDIVISM: Final = "Suspensions imposed on repeated offenders"
_OUTCOMES: Final = (
    *("Total number", "Decisions upheld", "Decisions partially reversed", "Decisions reversed", "Median time"),
)
_AUTOMATED: Final = "Use of automated means for content moderation"
MEASURES_AUTOMATED: Final = "Number of measures solely taken by automated means "
MEASURES_BY_PEOPLE: Final = "Number of measures not taken by automated means"
NOTICES_AUTOMATED: Final = "Number of notices solely processed by automated means "
NOTICES_BY_PEOPLE: Final = "Number of notices not processed by automated means"
ACCURACY: Final = tuple(
    f"Accuracy of the automated means - {name}" for name in ("Accuracy", "Precision", "Recall")
)
_STAFF: Final = "Human resources dedicated to content moderation "
_EXPERTS: Final = "Number of total moderators with sufficient linguistic expertise "
_RECIPIENTS: Final = "Number of average monthly active recipients during the reporting period\xa0"
QUALITATIVE: Final = (
    "Summary of the content moderation engaged in at the providers’ own initiative",
    "Meaningful and comprehensible information regarding content moderation engaged in at the providers' own "
    "initiative",
    "Qualitative description of the automated means",
    "Qualitative description of indicators of accuracy and possible rate of error of automated means",
    "Specification of the precise purposes to apply automated means",
    "Safeguards applied to the use of automated means",
)
_QUALITATIVE_VERY_LARGE: Final = (
    "High-level description of the content moderation governance structure",
    "Qualifications of the human resources dedicated to content moderation",
    "Training given to human resources dedicated to content moderation",
    "Support given to human resources dedicated to content moderation ",
    "Methodology used to compute the number of human resources dedicated to content moderation\xa0\xa0",
)


def category_rows(*, law: bool, last: str = "") -> Iterator[tuple[str, str]]:
    """Yield category and sub-category of each row, the latter empty for a whole category, after "TOTAL".

    :param law: leave out the category that only the rules of a service know
    :param last: one more category at the end
    """
    yield "TOTAL", ""
    for name, keywords in KEYWORDS.items():
        category = f"STATEMENT_CATEGORY_{name}"
        if law and category == TERMS_ONLY:
            continue
        yield category, ""
        for keyword in (*keywords, "OTHER"):
            yield category, f"KEYWORD_{keyword}"
    if last:
        yield last, ""


def appeal_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield applicability, section, indicator and scope of each row of part 7."""
    yield ALL, _INTERNAL, COMPLAINTS, _OUTCOMES[0]
    for scope in (*_OUTCOMES[1:], "Decision omitted"):
        yield PLATFORMS, _INTERNAL, COMPLAINTS, scope
    yield PLATFORMS, _INTERNAL, NEW_RESTRICTIONS, _OUTCOMES[0]
    for indicator in COMPLAINTS_BY_KIND.values():
        for scope in _OUTCOMES:
            yield PLATFORMS, _INTERNAL, indicator, scope
    for scope in (*_OUTCOMES, "Decision omitted", "Percentage of outcomes implemented"):
        yield PLATFORMS, _OUTSIDE, DISPUTES, scope
    for indicator in MISUSE.values():
        yield PLATFORMS, _RECIDIVISM, indicator, _OUTCOMES[0]


def automation_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield applicability, section, indicator and scope of each row of part 8."""
    measures = (MEASURES_AUTOMATED, MEASURES_BY_PEOPLE, *ACCURACY)
    notices = (NOTICES_AUTOMATED, NOTICES_BY_PEOPLE, *ACCURACY)
    for applicability, scope, indicators in (
        (ALL, "Total number", measures),
        (ALL, "Own-initiative ", measures),
        (HOSTING, "NAM Total", notices),
        (PLATFORMS, "NAM Trusted Flagger", notices),
    ):
        for indicator in indicators:
            yield applicability, _AUTOMATED, indicator, scope
    languages = ("bg", "[...]", "sv")
    for indicator in measures[:2]:
        for language in languages:
            yield VERY_LARGE, _AUTOMATED, indicator, language
    for _ in ACCURACY:  # as the Annex has it: three times one row for each of the three
        for indicator, language in zip(ACCURACY, languages, strict=True):
            yield VERY_LARGE, _AUTOMATED, indicator, language


def staff_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield applicability, section, indicator and scope of each row of part 9."""
    for who in ("internal moderators employed by the provider", "external moderators contracted by the provider"):
        yield VERY_LARGE, _STAFF, f"Number of {who}", "Total number"
    for scope in ("Total number", "bg", "[...]", "sv"):
        yield VERY_LARGE, _STAFF, _EXPERTS, scope


def recipient_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield applicability, section, indicator and scope of each row of part 10."""
    for scope in ("TOTAL", "AT", "[...]", "SE"):
        yield VERY_LARGE_OR_SEARCH, "AMAR", _RECIPIENTS, scope


def qualitative_rows() -> Iterator[tuple[str, str]]:
    """Yield applicability and indicator of each row of part 11."""
    yield from ((ALL, indicator) for indicator in QUALITATIVE)
    yield from ((VERY_LARGE, indicator) for indicator in _QUALITATIVE_VERY_LARGE)


def text_of(part: str, rows: Iterable[Row]) -> str:
    """Return a part as CSV (RFC 4180), its headings first; to be written in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS[part])
    writer.writerows(rows)
    return text.getvalue()
