"""What is published: batches that the Union's database takes, the yearly report, and the figures of each day."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa

from media.moderation.categories import Category
from media.moderation.decision import Action
from media.moderation.statement_form import faults_of
from media.server.appeals.tables import STATEMENTS
from tests.media.server.appeals.justice import REA, ROB, SENIOR, SETTLED, Court
from tests.media.server.service import running


@pytest.fixture
async def court(tmp_path: Path, database: str) -> AsyncIterator[Court]:
    async with running(tmp_path, database=database) as service:
        court = Court(service)
        await court.room("ben", "cem")
        yield court


async def batch(court: Court, query: str = "") -> list[dict[str, Any]]:
    return (await court.service.ok("root", "GET", f"/2/moderation/statements.json{query}"))["statements"]


async def many(court: Court, count: int) -> None:
    for n in range(count):
        await court.decide(await court.report(by=f"eve{n}"), Action.MUTE)
        await court.later(SETTLED)


async def test_statements_come_in_batches_that_the_database_takes(court: Court) -> None:
    await many(court, 103)
    response = await court.service.call("root", "GET", "/2/moderation/statements.json")
    first, link = response.json()["statements"], response.headers["Link"]
    assert len(first) == 100 and link.endswith('rel="next"')
    second = await court.service.call("root", "GET", urljoin(str(response.url), link[1 : link.index(">")]))
    assert len(second.json()["statements"]) == 3 and "Link" not in second.headers
    every = [*first, *second.json()["statements"]]
    assert len({each["puid"] for each in every}) == 103
    assert all(faults_of(each) == [] for each in every)


async def test_a_decision_that_can_be_taken_back_is_not_filed(court: Court) -> None:
    await court.decide(await court.report(), Action.MUTE)
    assert await batch(court) == []
    await court.later(SETTLED)
    assert len(await batch(court)) == 1


async def test_one_wrong_statement_and_none_is_given(court: Court) -> None:
    """The database takes all of a batch or nothing: the operator is told which one it would refuse."""
    await many(court, 3)
    wrong = (await batch(court))[1]["puid"]
    async with court.service.app.state.spaces.store.database.begin() as connection:
        mine = STATEMENTS.c.id == wrong
        form = (await connection.execute(sa.select(STATEMENTS.c.filed).where(mine))).scalar()
        broken = sa.update(STATEMENTS).where(mine).values(filed=form | {"category": "STATEMENT_CATEGORY_GONE"})
        await connection.execute(broken)
    refused = await court.service.call("root", "GET", "/2/moderation/statements.json")
    assert refused.status_code == 409 and "statements" not in refused.json()
    assert wrong in refused.json()["detail"] and "category" in refused.json()["detail"]
    assert len(await batch(court, f"?without={wrong}")) == 2


async def test_the_report_is_counted_from_what_was_decided(court: Court) -> None:
    await court.decide(await court.report(category=Category.HATE), Action.MUTE, Action.SUSPEND)
    await court.later(SETTLED)
    await court.report(about="cem", by="dag", category=Category.SPAM)
    statement = (await court.statements("ben"))[0]["id"]
    await court.complain("ben", statement)
    number = await court.claim(ROB, appeals=True)
    body = {"outcome": "overturned", "reasons": "It was a quotation."}
    assert (await court.as_reviewer(ROB, "POST", f"/cases/{number:08d}/answer", json=body)).status_code == 200
    today = datetime.fromtimestamp(court.moderation.now, UTC).date().isoformat()
    response = await court.service.call(
        "root", "GET", f"/2/moderation/transparency-report?from={today}&to={today}&provider=Spaces%20Ltd"
    )
    assert response.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(files) == 11 and "Spaces Ltd" in files["1_report_identification.csv"]
    notices = _rows(files["4_notices.csv"])
    assert notices["TOTAL"][5:7] == ["2", "0"] and notices["TOTAL"][13] == "2", "two restrictions by the rules"
    assert notices["KEYWORD_HATE_SPEECH"][5] == "1"
    appeals = files["7_appeals_and_recidivism.csv"]
    assert "suspend or terminate an account ,Decisions reversed,1," in appeals
    assert "People take every decision" in files["11_qualitative.csv"]
    again = await court.service.call("root", "GET", f"/2/moderation/transparency-report?from={today}&to={today}")
    assert len(again.content) > 0
    for who in ("ben", "ana"):
        refused = await court.service.call(
            who, "GET", f"/2/moderation/transparency-report?from={today}&to={today}"
        )
        assert refused.status_code == 403
    by_reviewer = await court.as_reviewer(SENIOR, "GET", f"/transparency-report?from={today}&to={today}")
    assert by_reviewer.status_code == 403, "published by whoever runs the service"


@pytest.mark.parametrize(
    "period", ["from=2026-02-01&to=2026-01-01", "from=2024-01-01&to=2026-01-01", "from=x&to=y"]
)
async def test_a_period_is_a_day_to_a_year(court: Court, period: str) -> None:
    for what in ("transparency-report", "statistics"):
        refused = await court.service.call("root", "GET", f"/2/moderation/{what}?{period}")
        assert refused.status_code == 422


async def test_statistics_are_of_the_cases_of_the_last_30_days(court: Court) -> None:
    first = await court.report()
    await court.later(60)
    await court.decide(first, Action.MUTE)
    await court.report(about="cem", category=Category.SPAM)
    await court.later(2 * 3_600)
    shown = (await court.as_reviewer(REA, "GET", "/statistics")).json()["data"]
    total = shown["total"]
    assert (total["cases"], total["undecided"], total["overdue"]) == (2, 1, 0)
    assert total["first_look"]["count"] == 1 and total["decision"]["median_s"] == pytest.approx(60, abs=20)
    assert {each["category"]: each["cases"] for each in shown["categories"]} == {"hate": 1, "spam": 1}
    (mine,) = shown["reviewers"]
    assert (mine["reviewer"], mine["decided"]) == ("rea", 1)
    await court.later(30 * 86_400)
    later = (await court.as_reviewer(REA, "GET", "/statistics")).json()["data"]["total"]
    assert later["cases"] == 0


ORDER = {
    "kind": "act",
    "country": "DE",
    "legal_ground": "§ 130 StGB",
    "category": "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "keyword": "KEYWORD_HATE_SPEECH",
    "items": 3,
    "received_at": "2026-05-01T10:00:00Z",
}


async def test_orders_are_noted_by_admins_and_counted(court: Court) -> None:
    noted = await court.service.ok("root", "POST", "/2/moderation/orders", json=ORDER)
    number = noted["data"]["id"]
    before = ORDER | {"received_at": "2025-05-01T10:00:00Z"}
    await court.service.ok("root", "POST", "/2/moderation/orders", json=before)
    done = ORDER | {"effected_at": "2026-05-01T13:00:00Z"}
    await court.service.ok("root", "PUT", f"/2/moderation/orders/{number}", json=done)
    listed = (await court.service.ok("root", "GET", "/2/moderation/orders"))["data"]
    assert [each["effected_at"] for each in listed] == ["2026-05-01T13:00:00Z", None]
    text = (await report(court, "2026-01-01", "2026-12-31"))["3_member_states_orders.csv"]
    rows = [row for row in csv.reader(io.StringIO(text)) if row[3] == "KEYWORD_HATE_SPEECH"]
    assert [row[5:10] for row in rows] == [["TOTAL", "1", "3", "", "3"], ["DE", "1", "3", "", "3"]]
    assert (await court.service.call("root", "PUT", "/2/moderation/orders/ab", json=ORDER)).status_code == 404
    for who, status in (("ben", 403), (None, 401)):
        for method, rest in (("POST", ""), ("GET", ""), ("PUT", f"/{number}")):
            refused = await court.service.call(who, method, f"/2/moderation/orders{rest}", json=ORDER)
            assert refused.status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "US"},
        {"category": "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"},
        {"keyword": "KEYWORD_PHISHING"},
        {"effected_at": "2026-04-01T10:00:00Z"},
        {"items": 0},
        {"legal_ground": " "},
    ],
)
async def test_an_order_that_cannot_be(court: Court, wrong: dict[str, Any]) -> None:
    refused = await court.service.call("root", "POST", "/2/moderation/orders", json=ORDER | wrong)
    assert refused.status_code == 422


async def test_what_a_rule_found_is_no_notice_and_the_rule_is_judged_by_people(court: Court) -> None:
    now = court.moderation.now
    for about, action in (("ben", Action.MUTE), ("cem", Action.NO_VIOLATION)):
        filing = await court.moderation.flag(
            "~loudness", court.space_id, about, Category.DISTURBANCE, "Loud.", now
        )
        await court.decide(int(filing.case.id), action)
        await court.later(SETTLED)
    await court.decide(await court.report(), Action.MUTE)
    await court.later(SETTLED)
    told = (await court.statements("ben"))[-1]["reasons"]
    assert "was found by an automated rule" in told["facts"] and told["source"] == "SOURCE_VOLUNTARY"
    first, second = await batch(court)
    assert (first["automated_detection"], second["automated_detection"]) == ("Yes", "No")
    today = datetime.fromtimestamp(court.moderation.now, UTC).date().isoformat()
    files = await report(court, today, today)
    assert _rows(files["4_notices.csv"])["TOTAL"][5] == "1"
    assert _rows(files["6_own_initiative_TC.csv"])["TOTAL"][5:7] == ["1", "1"]
    assert "Accuracy of the automated means - Precision,Total number,0.5," in files["8_automated_means.csv"]
    assert "Accuracy of the automated means - Recall,Total number,0.5," in files["8_automated_means.csv"]


async def report(court: Court, begin: str, end: str) -> dict[str, str]:
    """Return the files of a transparency report."""
    path = f"/2/moderation/transparency-report?from={begin}&to={end}"
    response = await court.service.call("root", "GET", path)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _rows(text: str) -> dict[str, list[str]]:
    """Return the rows of a part by category; of several "Other" rows the last."""
    return {row[3]: row for row in csv.reader(io.StringIO(text))}
