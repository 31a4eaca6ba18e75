"""The yearly report: the templates of the Union to the letter, and figures that can be counted by hand."""

import csv
import hashlib
import io
from collections.abc import Sequence

import pytest

from media.moderation.categories import HOUR, Category
from media.moderation.decision import Outcome
from media.moderation.statement import Ground, Source
from media.moderation.transparency import accuracy, report
from media.moderation.transparency_records import Complaint, Head, Judged, Measure, Notice, Order, Records

HEAD = Head("Spaces Ltd", "Spaces", "2026-01-01", "2026-12-31", "2027-02-01")
MUTED = "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED"
REMOVED = "DECISION_PROVISION_PARTIAL_SUSPENSION"
SUSPENDED = "DECISION_ACCOUNT_SUSPENDED"

ANNEX = {
    "1_report_identification": (3, "773b95ca67e28d6c"),
    "2_categories_names": (3, "9bec79d321536933"),
    "3_member_states_orders": (4, "8bcce3439ccefd27"),
    "4_notices": (4, "0773c71da35db4eb"),
    "5_own_initiative_illegal": (4, "57ed3f9cf231bdfb"),
    "6_own_initiative_TC": (4, "3a47fe8465580844"),
    "7_appeals_and_recidivism": (6, "3dcc2d23fc1400bf"),
    "8_automated_means": (6, "d41df66852938aec"),
    "9_human_resources": (6, "2c2ec638916368e8"),
    "10_AMAR": (6, "1bd3492ba2c5bd84"),
    "11_qualitative": (4, "0bd0501bf86a4631"),
}
"""Columns that the templates fix, and the beginning of the SHA-256 of headings and fixed columns.

Worked out from the CSV files that the Commission publishes with Annex I: cells without blanks around them, "|"
between cells, a new line between rows; of part 3 the rows that are not of single Member States.
"""


def table(part: str, records: Records) -> list[dict[str, str]]:
    rows = list(csv.reader(io.StringIO(report(HEAD, records)[f"{part}.csv"])))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def row_of(part: str, records: Records, name: str, words: str = "") -> dict[str, str]:
    """Return the row of a category or a sub-category."""
    found = [r for r in table(part, records) if name in r.values() and r.get(SUB, "") == words]
    assert len(found) == 1
    return found[0]


SUB = 'Description of the sub-category "Other"'


def figures(row: dict[str, str], beginnings: Sequence[str]) -> list[str]:
    """Return the values under the headings that begin so."""
    return [value for name, value in row.items() if any(name.startswith(beginning) for beginning in beginnings)]


@pytest.mark.parametrize("part", ANNEX)
def test_headings_and_rows_are_those_of_the_annex(part: str) -> None:
    columns, digest = ANNEX[part]
    head = Head("", "", "YYYY-MM-DD", "YYYY-MM-DD", "")
    rows = list(csv.reader(io.StringIO(report(head, Records())[f"{part}.csv"])))
    fixed = [rows[0], *(row[:columns] for row in rows[1:])]
    text = "\n".join("|".join(cell.strip() for cell in row) for row in fixed)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest


def test_files_are_in_order_and_lines_end_as_rfc_4180_has_it() -> None:
    files = report(HEAD, Records())
    assert [name.partition("_")[0] for name in files] == [str(n) for n in range(1, 12)]
    for text in files.values():
        assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n")


def test_notices_are_counted_by_what_they_allege_and_the_rest_by_our_own_name() -> None:
    records = Records(
        notices=[
            Notice(Category.HATE),
            Notice(Category.HATE, trusted=True),
            Notice(Category.SPAM, count=3),
            Notice(Category.IMPERSONATION),
            Notice(Category.DISTURBANCE),
        ],
        measures=[
            _measure(Source.REPORT, REMOVED, SUSPENDED, at=4 * HOUR, noticed_at=2 * HOUR),
            _measure(Source.TRUSTED_FLAGGER, MUTED, at=HOUR, noticed_at=0.0, ground=Ground.ILLEGAL),
            _measure(Source.OWN_INITIATIVE, MUTED),
        ],
    )
    total = row_of("4_notices", records, "TOTAL")
    assert figures(total, ["Number of notices"]) == ["7", "1"]
    assert figures(total, ["Median time"]) == ["1.5", "1"], "hours"
    assert figures(total, ["Number of actions"]) == ["1", "1", "2", "0"], "what was found by ourselves is not here"
    hate = row_of("4_notices", records, "KEYWORD_HATE_SPEECH")
    assert figures(hate, ["Number of notices"]) == ["2", "1"]
    assert figures(row_of("4_notices", records, "KEYWORD_OTHER", "spam"), ["Number of notices"]) == ["3", "0"]
    unsaid = row_of("4_notices", records, "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE")
    assert figures(unsaid, ["Number of notices"]) == ["1", "0"], "what only our rules forbid is no illegal content"


def test_each_category_is_the_sum_of_its_sub_categories() -> None:
    """Annex II says so, of every part that is by category."""
    records = Records(
        notices=[Notice(category) for category in [*Category, *Category]],
        measures=[
            _measure(Source.OWN_INITIATIVE, MUTED, SUSPENDED, category=category, ground=ground, keyword=keyword)
            for category in Category
            for ground in Ground
            for keyword in ("", "KEYWORD_OTHER")
        ],
    )
    for part, figure in (
        ("4_notices", "Number of notices received "),
        ("6_own_initiative_TC", "Number of measures taken at the provider's own initiative "),
    ):
        sums: dict[str, int] = {}
        category = ""
        for row in table(part, records):
            name = list(row.values())[3]
            if name.startswith("KEYWORD_"):
                sums[category] -= int(row[figure])
            else:
                category = name
                sums[category] = int(row[figure])
        total = sums.pop("TOTAL")
        assert total == 28 if part == "4_notices" else total == 4 * len(Category)
        left = {name: count for name, count in sums.items() if count}
        assert left == ({"STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE": 4} if part == "4_notices" else {})


def test_own_initiative_by_law_by_rule_and_by_what_it_restricted() -> None:
    records = Records(
        measures=[
            _measure(Source.OWN_INITIATIVE, MUTED, REMOVED, keyword="KEYWORD_DEFAMATION", detected=True),
            _measure(Source.OWN_INITIATIVE, SUSPENDED, ground=Ground.ILLEGAL),
            _measure(Source.REPORT, SUSPENDED),
        ]
    )
    terms = row_of("6_own_initiative_TC", records, "KEYWORD_DEFAMATION")
    assert figures(terms, ["Number of measures"]) == ["2", "2"]
    assert (terms["Visibility restriction Interaction restricted"], terms["Account restriction Suspension"]) == (
        *("1", "0"),
    )
    assert terms["Monetary restriction Suspension"] == terms["Visibility restriction Demoted"] == "", "never done"
    law = row_of("5_own_initiative_illegal", records, "TOTAL")
    assert (law["Account restriction Suspension"], *figures(law, ["Number of measures"])) == ("1", "1", "0")


def test_complaints_count_once_by_what_was_restricted_most() -> None:
    records = Records(
        complaints=[
            Complaint(0, frozenset({MUTED}), 2 * HOUR, Outcome.UPHELD),
            Complaint(0, frozenset({MUTED, SUSPENDED}), 6 * HOUR, Outcome.OVERTURNED),
            Complaint(0, frozenset()),
        ]
    )
    rows = {(r["Indicator"].strip(), r["Scope"]): r["Value"] for r in table("7_appeals_and_recidivism", records)}
    scopes = ("Total number", "Decisions upheld", "Decisions reversed", "Median time")
    complaints = "Number of complaints submitted to the internal-complaints mechanism"
    assert [rows[complaints, scope] for scope in scopes] == ["3", "1", "1", "4"]
    account = "Complaint regarding a decision to suspend or terminate an account"
    assert [rows[account, scope] for scope in scopes] == ["1", "0", "1", "6"]
    provision = "Complaint regarding a decision to suspend or terminate the provision of the service"
    assert [rows[provision, scope] for scope in scopes] == ["0", "0", "0", ""]
    assert rows["Complaint regarding a decision to restrict the ability to monetise information", scopes[0]] == ""


def test_suspensions_of_those_who_did_it_before_and_of_those_who_report_without_ground() -> None:
    again = _measure(Source.REPORT, SUSPENDED, ground=Ground.ILLEGAL, repeated=True)
    first = _measure(Source.REPORT, SUSPENDED, ground=Ground.ILLEGAL)
    records = Records(measures=[again, first], reporters_muted=2)
    values = [r["Value"] for r in table("7_appeals_and_recidivism", records)][-3:]
    assert values == ["1", "2", ""]


def test_people_decide_and_the_rule_is_measured_against_them() -> None:
    judged = [Judged(True, True, 3), Judged(True, False), Judged(False, True)] + [Judged(False, False)] * 5
    assert accuracy(judged) == (0.8, 0.75, 0.75)
    records = Records(
        notices=[Notice(Category.HATE, trusted=True)], measures=[_measure(Source.REPORT, MUTED)], judged=judged
    )
    rows = {(r["Indicator"].strip(), r["Scope"].strip()): r["Value"] for r in table("8_automated_means", records)}
    assert rows["Number of measures solely taken by automated means", "Total number"] == "0"
    assert rows["Number of measures not taken by automated means", "Total number"] == "1"
    assert rows["Accuracy of the automated means - Precision", "Own-initiative"] == "0.75"
    assert rows["Number of notices not processed by automated means", "NAM Trusted Flagger"] == "1"


def test_a_rule_of_which_only_the_hits_were_looked_at_has_no_recall() -> None:
    assert accuracy([Judged(True, True), Judged(True, False)]) == (None, 0.5, None)
    assert accuracy([]) == (None, None, None)


def test_orders_in_all_and_of_each_member_state() -> None:
    category = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"
    records = Records(
        orders=[
            Order(0, "DE", "§ 130 StGB", category, "KEYWORD_HATE_SPEECH", items=10, effected_at=2 * HOUR),
            Order(0, "FR", "loi de 1881", category, acknowledged_at=HOUR, effected_at=4 * HOUR),
            Order(0, "FR", "unsaid", informs=True, acknowledged_at=HOUR / 2),
        ]
    )
    rows = table("3_member_states_orders", records)
    assert {row["Scope"] for row in rows} == {"TOTAL", "DE", "FR"}

    def of(scope: str, name: str) -> list[str]:
        (row,) = [
            r for r in rows if r["Scope"] == scope and r["Category of illegal content"] == name and _first(r)
        ]
        return figures(row, ["Number", "Median"])

    assert of("TOTAL", "TOTAL") == ["2", "11", "1", "3", "1", "0.5", ""]
    assert of("DE", "KEYWORD_HATE_SPEECH") == ["1", "10", "", "2", "0", "", ""]
    assert of("FR", category)[:2] == ["1", "1"]
    assert of("FR", "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER")[4] == "1"
    assert [r[SUB] for r in rows if r[SUB] and r["Scope"] == "FR"] == ["loi de 1881"]


def _first(row: dict[str, str]) -> bool:
    """Whether a row is of one sub-category alone, and not one of the many "Other"."""
    return row["Category of illegal content"] != "KEYWORD_OTHER"


def test_a_year_without_orders_is_zero_and_one_in_which_nobody_noted_them_blank() -> None:
    noted = table("3_member_states_orders", Records(orders=[]))
    assert {row["Number of orders to provide information"] for row in noted} == {"0"}


def test_orders_are_blank_where_nobody_notes_them() -> None:
    rows = table("3_member_states_orders", Records(notices=[Notice(Category.HATE)]))
    assert {value for row in rows for value in figures(row, ["Number", "Median"])} == {""}


def _measure(
    source: Source,
    *restrictions: str,
    at: float = 0.0,
    category: Category = Category.HATE,
    ground: Ground = Ground.INCOMPATIBLE,
    keyword: str = "",
    detected: bool = False,
    noticed_at: float | None = None,
    repeated: bool = False,
) -> Measure:
    return Measure(at, category, ground, source, frozenset(restrictions), keyword, detected, noticed_at, repeated)
