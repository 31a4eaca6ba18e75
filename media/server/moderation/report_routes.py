"""Reports over HTTP: what somebody has heard, and what came of it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Response

from media.server.auth import Named, caller
from media.server.errors import Problem
from media.server.moderation.here import ModerationHere, ReadingHere
from media.server.moderation.shapes import NewReport, ReportList, ReportOut
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.routes import problems

router: Final = APIRouter(tags=["Reports"], dependencies=[Depends(caller)])
_Id = Annotated[
    str, Path(max_length=18, pattern=r"^[1-9][0-9]*$", description="id of one's own report", examples=["417"])
]


@router.post(
    "/2/reports",
    status_code=201,
    responses=problems(403, 404, 410, 422) | {200: {"model": ReportOut, "description": "It was reported before."}},
)
async def make_report(
    body: NewReport, who: Named, moderation: ModerationHere, reading: ReadingHere, response: Response
) -> ReportOut:
    """Report a person in a Space, or the Space itself.

    Whoever hears it can, has been in it, or is shown it. Reports on one matter become one case; the sound around
    the moment is kept until it is decided. Who reports the same again moves the moment, and is counted once. One
    can report 30 different matters an hour.
    """
    moment = None if body.moment is None else body.moment.timestamp()
    filing = await moderation.report(who, body.space_id, body.user_id, body.category, body.text, moment)
    response.headers["Location"] = f"/2/reports/{filing.number}"
    if filing.again:
        response.status_code = 200
    return ReportOut.filed(filing)


@router.get("/2/reports/{report_id}", responses=problems(403, 404, 422))
async def get_report(report_id: _Id, who: Named, reading: ReadingHere) -> ReportOut:
    """Show one of one's own reports, and what came of it."""
    row = await reading.report(int(report_id), who.name)
    if row is None:
        raise Problem(404, "unknown-report", "You have made no report of this id; the list has those you made.")
    return ReportOut.of(row, row.state, row.violation)


@router.get("/2/users/me/reports", responses=problems(403, 422))
async def list_reports(who: Named, page: Paged, reading: ReadingHere) -> ReportList:
    """List one's own reports, the newest first."""
    rows = await reading.reports_of(who.name, page.limit, page.after_number())
    shown, following = page.cut(rows, [row.id for row in rows])
    return ReportList(
        data=[ReportOut.of(row, row.state, row.violation) for row in shown],
        meta=PageMeta(result_count=len(shown), next_token=following),
    )
