"""The yearly transparency report, filled in from what was reported, decided and complained about.

Regulation (EU) 2022/2065, art. 15 and 24, by the templates and the instructions (Annex II) of Implementing
Regulation (EU) 2024/2835: counts are whole numbers, medians are hours, shares are between 0 and 1. What happened
never is 0; what this service never does is blank, as monetary restrictions are, and so is what it does not know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from media.moderation import annex
from media.moderation.annex_names import categories
from media.moderation.categories import HOUR, URGENCY, Category
from media.moderation.decision import Outcome
from media.moderation.durations import median
from media.moderation.statement import RESTRICTIONS, Ground, Source
from media.moderation.transparency_records import Head, Judged, Measure, Notice, Order, Records

T = TypeVar("T")

_NOTICE_KEYWORDS: Final[Mapping[Category, str]] = MappingProxyType(
    {
        Category.VIOLENCE: "KEYWORD_INCITEMENT_VIOLENCE_HATRED",
        Category.HATE: "KEYWORD_HATE_SPEECH",
        Category.HARASSMENT: "KEYWORD_CYBER_HARASSMENT",
        Category.ILLEGAL_GOODS: "KEYWORD_PROHIBITED_PRODUCTS",
        Category.IMPERSONATION: "KEYWORD_IMPERSONATION_ACCOUNT_HIJACKING",
        Category.MISINFORMATION: "KEYWORD_MISINFORMATION_DISINFORMATION",
    }
)
"""Sub-category of reports of a category; all other ones are described by our own name under "Other"."""
_NOTICED: Final = (Source.REPORT, Source.TRUSTED_FLAGGER, Source.OTHER)
_IMPOSED: Final = frozenset(value for _, value in RESTRICTIONS.values())
"""What this service can impose; the other columns are blank."""
_KINDS: Final = ("account", "provision", "visibility")
"""Of a decision complained about, the harshest first: a complaint counts once."""


def report(head: Head, records: Records) -> dict[str, str]:
    """Return the CSV files of a report by their names, in the order of the Annex; to be written in UTF-8."""
    start = (head.service, head.period)
    rows: dict[str, Iterator[annex.Row]] = {
        "1_report_identification": _identification(head),
        "2_categories_names": ((*each, "") for each in categories()),
        "3_member_states_orders": _orders(start, records.orders),
        "4_notices": _notices(start, records),
        "5_own_initiative_illegal": _own_initiative(start, records, Ground.ILLEGAL),
        "6_own_initiative_TC": _own_initiative(start, records, Ground.INCOMPATIBLE),
        "7_appeals_and_recidivism": _indicators(start, annex.appeal_rows(), _appeals(records)),
        "8_automated_means": _indicators(start, annex.automation_rows(), _automation(records)),
        "9_human_resources": _indicators(start, annex.staff_rows(), {}),
        "10_AMAR": _indicators(start, annex.recipient_rows(), {}, context=False),
        "11_qualitative": (
            (who, *start, indicator, records.texts.get(indicator, ""))
            for who, indicator in annex.qualitative_rows()
        ),
    }
    return {f"{part}.csv": annex.text_of(part, each) for part, each in rows.items()}


def accuracy(judged: Sequence[Judged]) -> tuple[float | None, float | None, float | None]:
    """Return accuracy, precision and recall of a rule against people's decisions; None where nothing says so."""
    total = sum(each.count for each in judged)
    right = sum(each.count for each in judged if each.flagged == each.violation)
    hits = sum(each.count for each in judged if each.flagged and each.violation)
    flagged = sum(each.count for each in judged if each.flagged)
    violations = sum(each.count for each in judged if each.violation)
    whole_picture = flagged < total  # without anything that was let pass nobody knows what was missed
    return (
        right / total if whole_picture else None,
        hits / flagged if flagged else None,
        hits / violations if violations and whole_picture else None,
    )


def _identification(head: Head) -> Iterator[annex.Row]:
    for indicator, value in (
        ("Name of the service provider", head.provider),
        ("Date of the publication of the report", head.published),
        ("Date of the publication of the latest previous report", head.previous),
        ("Starting date of reporting period", head.begins),
        ("Ending date of reporting period", head.ends),
    ):
        yield annex.ALL, head.service, indicator, value


@dataclass(frozen=True, slots=True)
class _Placed(Generic[T]):
    """A record and the row that it belongs to."""

    record: T
    category: str
    keyword: str
    description: str = ""


def _place(record: T, category: str, keyword: str, words: str) -> _Placed[T]:
    other = keyword in ("", "KEYWORD_OTHER")
    return _Placed(record, category, "KEYWORD_OTHER" if other else keyword, words if other else "")


def _by_category(
    who: str,
    start: annex.Row,
    layout: Iterator[tuple[str, str]],
    placed: Sequence[_Placed[T]],
    cells: Callable[[Sequence[T]], Sequence[str]],
    scope: annex.Row = (),
) -> Iterator[annex.Row]:
    """Fill the rows of a part; under "Other" there is one for each description."""
    for category, keyword in layout:
        mine = [each for each in placed if category in ("TOTAL", each.category)]
        if keyword:
            mine = [each for each in mine if each.keyword == keyword]
        for words in sorted({each.description for each in mine}) if keyword and mine else [""]:
            some = [each.record for each in mine if not keyword or each.description == words]
            figures = cells(some)
            yield who, *start, keyword or category, words, *scope, *figures, *([""] * len(figures))


def _orders(start: annex.Row, orders: Sequence[Order] | None) -> Iterator[annex.Row]:
    """Rows of all orders together and then of each Member State that gave one; blank if nobody notes them."""
    known = orders or ()
    for scope in ("TOTAL", *sorted({each.country for each in known})):
        placed = [
            _place(each, each.category, each.keyword, each.legal_ground)
            for each in known
            if scope in ("TOTAL", each.country)
        ]
        layout = annex.category_rows(law=True, last=annex.NOT_SPECIFIED_ORDER)
        cells = _blank_cells if orders is None else _order_cells
        yield from _by_category(annex.ALL, start, layout, placed, cells, (scope,))


def _blank_cells(orders: Sequence[Order]) -> Sequence[str]:
    return [""] * len(annex.ORDER_FIGURES)


def _order_cells(orders: Sequence[Order]) -> Sequence[str]:
    act = [each for each in orders if not each.informs]
    inform = [each for each in orders if each.informs]
    return [
        *(str(len(act)), str(sum(each.items for each in act)), *_order_medians(act)),
        *(str(len(inform)), *_order_medians(inform)),
    ]


def _order_medians(orders: Sequence[Order]) -> tuple[str, str]:
    """Return the medians until the authority was told of the receipt, and until the order was carried out."""
    return (
        _hours([each.acknowledged_at - each.at for each in orders if each.acknowledged_at is not None]),
        _hours([each.effected_at - each.at for each in orders if each.effected_at is not None]),
    )


def _notices(start: annex.Row, records: Records) -> Iterator[annex.Row]:
    placed: list[_Placed[Notice | Measure]] = []
    for each in (*records.notices, *(m for m in records.measures if m.source in _NOTICED)):
        category = URGENCY[each.category].statement_category
        if category == annex.TERMS_ONLY:
            category = annex.NOT_SPECIFIED_NOTICE
        keyword = _NOTICE_KEYWORDS.get(each.category, "")
        if isinstance(each, Measure) and each.keyword:
            keyword = each.keyword
        placed.append(_place(each, category, keyword, str(each.category)))
    layout = annex.category_rows(law=True, last=annex.NOT_SPECIFIED_NOTICE)
    yield from _by_category(annex.HOSTING, start, layout, placed, _notice_cells)


def _notice_cells(records: Sequence[Notice | Measure]) -> Sequence[str]:
    notices = [each for each in records if isinstance(each, Notice)]
    measures = [each for each in records if isinstance(each, Measure)]
    trusted = [each for each in measures if each.source is Source.TRUSTED_FLAGGER]
    received = _received(notices)
    taken = [
        sum(len(each.restrictions) for each in some if each.ground is ground)
        for ground in (Ground.ILLEGAL, Ground.INCOMPATIBLE)
        for some in (measures, trusted)
    ]
    medians = [
        _hours([m.at - m.noticed_at for m in some if m.noticed_at is not None]) for some in (measures, trusted)
    ]
    return [*map(str, received), *map(str, received), *medians, *map(str, taken)]  # a report is on one matter


def _own_initiative(start: annex.Row, records: Records, ground: Ground) -> Iterator[annex.Row]:
    law = ground is Ground.ILLEGAL
    placed = [
        _place(each, URGENCY[each.category].statement_category, each.keyword, str(each.category))
        for each in records.measures
        if each.source is Source.OWN_INITIATIVE and each.ground is ground
    ]
    yield from _by_category(annex.ALL, start, annex.category_rows(law=law), placed, _measure_cells)


def _measure_cells(measures: Sequence[Measure]) -> Sequence[str]:
    """Figures of a row: people decide, so that none is taken by automated means alone."""
    detected = sum(len(each.restrictions) for each in measures if each.detected_automatically)
    return [
        str(sum(len(each.restrictions) for each in measures)),
        str(detected),
        *(
            str(sum(value in each.restrictions for each in measures)) if value in _IMPOSED else ""
            for value in annex.RESTRICTION_FIGURES
        ),
    ]


Figures = Mapping[tuple[str, str], str]
"""Value of a row by its indicator and scope; one without is blank."""


def _indicators(
    start: annex.Row, layout: Iterator[tuple[str, str, str, str]], figures: Figures, *, context: bool = True
) -> Iterator[annex.Row]:
    for who, section, indicator, scope in layout:
        value = figures.get((indicator, scope), "")
        yield (who, *start, section, indicator, scope, value, *([""] if context else []))


def _appeals(records: Records) -> Figures:
    by_kind = {kind: [c for c in records.complaints if _kind(c.restrictions) == kind] for kind in _KINDS}
    figures: dict[tuple[str, str], str] = {(annex.COMPLAINTS, "Decision omitted"): "0"}
    for indicator, some in (
        (annex.COMPLAINTS, records.complaints),
        *((annex.COMPLAINTS_BY_KIND[kind], some) for kind, some in by_kind.items()),
    ):
        outcomes = [each.outcome for each in some]
        waited = [each.answered_at - each.at for each in some if each.answered_at is not None]
        figures |= {
            (indicator, "Total number"): str(len(some)),
            (indicator, "Decisions upheld"): str(outcomes.count(Outcome.UPHELD)),
            (indicator, "Decisions reversed"): str(outcomes.count(Outcome.OVERTURNED)),
            (indicator, "Median time"): _hours(waited),
        }
    offenders = sum(
        "DECISION_ACCOUNT_SUSPENDED" in each.restrictions and each.ground is Ground.ILLEGAL and each.repeated
        for each in records.measures
    )
    figures |= {
        (annex.NEW_RESTRICTIONS, "Total number"): "0",  # a complaint can only lift what was decided
        (annex.MISUSE["illegal content"], "Total number"): str(offenders),
        (annex.MISUSE["unfounded notices"], "Total number"): str(records.reporters_muted),
    }
    return figures


def _automation(records: Records) -> Figures:
    own = [each for each in records.measures if each.source is Source.OWN_INITIATIVE]
    figures: dict[tuple[str, str], str] = {}
    for scope, some in (("Total number", records.measures), ("Own-initiative ", own)):
        figures[annex.MEASURES_AUTOMATED, scope] = "0"
        figures[annex.MEASURES_BY_PEOPLE, scope] = str(sum(len(each.restrictions) for each in some))
        for indicator, value in zip(annex.ACCURACY, accuracy(records.judged), strict=True):
            figures[indicator, scope] = "" if value is None else _number(value)
    for scope, count in zip(("NAM Total", "NAM Trusted Flagger"), _received(records.notices), strict=True):
        figures[annex.NOTICES_AUTOMATED, scope] = "0"
        figures[annex.NOTICES_BY_PEOPLE, scope] = str(count)
    return figures


def _received(notices: Sequence[Notice]) -> tuple[int, int]:
    """Return how many there were, and of trusted flaggers."""
    return sum(each.count for each in notices), sum(each.count for each in notices if each.trusted)


def _kind(restrictions: frozenset[str]) -> str:
    """Return what a decision restricted most; a warning restricts nothing."""
    for kind in _KINDS:
        if any(value.startswith(f"DECISION_{kind.upper()}_") for value in restrictions):
            return kind
    return ""


def _hours(seconds: Sequence[float]) -> str:
    middle = median(seconds)
    return "" if middle is None else _number(middle / HOUR)


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
