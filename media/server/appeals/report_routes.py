"""What is published and counted: statements for the Union's database, the transparency report, statistics.

Nothing here is sent anywhere: whoever runs the service sends it, and answers for it.
"""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from media.moderation.statement_form import faults_of
from media.moderation.statistics import statistics
from media.moderation.transparency import report
from media.moderation.transparency_records import Head
from media.server.appeals.qualitative import TEXTS
from media.server.appeals.records import RecordReader
from media.server.appeals.report_schemas import StatisticsAnswer, StatisticsOut
from media.server.appeals.review_routes import ReadingsHere
from media.server.appeals.routes import AppealsHere
from media.server.appeals.schemas import StatementBatch
from media.server.auth import Reviewer, admin
from media.server.errors import Problem
from media.server.paging import Page, PageToken
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"])

BATCH: Final = 100
"""Statements that the Transparency Database takes at a time."""
DAYS: Final = 30
"""Days of statistics unless asked otherwise."""
_DAYS_MAX: Final = 366
_ZIP: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


async def _records(request: Request) -> RecordReader:
    return request.app.state.moderation_records


RecordsHere = Annotated[RecordReader, Depends(_records)]


@router.get("/statements.json", dependencies=[Depends(admin)], responses=problems(403, 409, 422))
async def statements_for_database(
    appeals: AppealsHere,
    response: Response,
    pagination_token: PageToken = None,
    without: Annotated[
        list[Annotated[str, Query(max_length=32)]] | None,
        Query(max_length=BATCH, description="ids of statements to leave out"),
    ] = None,
) -> StatementBatch:
    """Get the next 100 statements of reasons as the DSA Transparency Database takes them; admins only.

    The header `Link` leads to the next batch. The database takes all of a batch or nothing: if one statement would
    be refused, no batch is given (409), and the sentence says which one and why.
    """
    page = Page(BATCH, pagination_token)
    found = await appeals.statements.to_file(appeals.clock(), page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{at!r} {number}" for (at, number), _ in found])
    left_out = set(without or ())
    batch = [form for (_, number), form in shown if number not in left_out]
    for form in batch:
        faults = faults_of(form)
        if faults:
            raise Problem(
                409,
                "bad-statement",
                f"The database would not take statement {form.get('puid')} ({', '.join(faults)}), and so none of "
                "these; leave it out with `without`, and correct it by hand.",
            )
    if following is not None:
        response.headers["Link"] = f'</2/moderation/statements.json?pagination_token={following}>; rel="next"'
    return StatementBatch(statements=batch)


@router.get(
    "/transparency-report",
    dependencies=[Depends(admin)],
    response_class=Response,
    responses=problems(403, 422)
    | {200: {"content": {"application/zip": _ZIP}, "description": "Eleven CSV files."}},
)
async def transparency_report(
    records: RecordsHere,
    appeals: AppealsHere,
    begin: Annotated[date, Query(alias="from", description="first day, in UTC", examples=["2026-01-01"])],
    end: Annotated[date, Query(alias="to", description="last day, in UTC", examples=["2026-12-31"])],
    provider: Annotated[
        str, Query(max_length=200, description="who runs the service", examples=["Spaces Ltd"])
    ] = "",
    service: Annotated[str, Query(max_length=200, description="its name", examples=["Spaces"])] = "Spaces",
    previous: Annotated[
        date | None, Query(description="day of the report before", examples=["2026-02-01"])
    ] = None,
) -> Response:
    """Get the transparency report of a period of at most a year, as a zip of CSV files; admins only.

    By the templates of Implementing Regulation (EU) 2024/2835. Orders of authorities are those that were noted
    with `POST /2/moderation/orders`.
    """
    since, until = _period(begin, end)
    found = await records.records(since, until, TEXTS)
    today = datetime.fromtimestamp(appeals.clock(), UTC).date()
    head = Head(
        provider, service, *map(str, (begin, end, today)), previous="" if previous is None else str(previous)
    )
    body = await asyncio.to_thread(lambda: _zip_of(report(head, found)))
    name = f"transparency-report-{begin}-{end}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="application/zip", headers=headers)


@router.get("/statistics", responses=problems(403, 422))
async def moderation_statistics(
    who: Reviewer,
    records: RecordsHere,
    readings: ReadingsHere,
    appeals: AppealsHere,
    begin: Annotated[
        date | None,
        Query(alias="from", description="first day, in UTC; else 30 days are shown", examples=["2026-11-01"]),
    ] = None,
    end: Annotated[
        date | None, Query(alias="to", description="last day, in UTC; today unless said", examples=["2026-11-30"])
    ] = None,
) -> StatisticsAnswer:
    """Show how long reports waited, what is overdue, and how far reviewers agree.

    Of the cases opened in the period, and the readings made in it. Each reviewer sees their own figures beside
    those of all together; senior reviewers see everybody's.
    """
    now = appeals.clock()
    last = end or datetime.fromtimestamp(now, UTC).date()
    since, until = _period(begin or last - timedelta(days=DAYS - 1), last)
    cases, read = await records.handled(since, until), await readings.done(since, until)
    found = await asyncio.to_thread(statistics, cases, read, now)
    return StatisticsAnswer(data=StatisticsOut.of(found, None if who.senior else who.name))


def _period(begin: date, end: date) -> tuple[float, float]:
    """Return the times (Unix seconds) from which on and until before which a period lasts.

    :raises Problem: 422
    """
    if not timedelta(0) <= end - begin < timedelta(days=_DAYS_MAX):
        raise Problem(
            422, "bad-input", "A period has at least a day and at most a year; name its first and last day."
        )
    midnight = datetime.min.time().replace(tzinfo=UTC)
    since = datetime.combine(begin, midnight).timestamp()
    return since, datetime.combine(end, midnight).timestamp() + 86_400


def _zip_of(files: Mapping[str, str]) -> bytes:
    """Return the files as an archive, the same bytes for the same texts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            written.writestr(zipfile.ZipInfo(name), text.encode(), compress_type=zipfile.ZIP_DEFLATED)
    return archive.getvalue()
