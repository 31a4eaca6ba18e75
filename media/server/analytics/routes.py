"""The host's analytics over HTTP: for the host and for admins, since they are about the host's own work."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from media.server.analytics.analytics import Analytics
from media.server.analytics.picture import Theme, picture
from media.server.analytics.schema import Report
from media.server.analytics.sheets import Table, sheet
from media.server.auth import Named
from media.server.errors import Problem
from media.server.routes import SEEN, SpacesHere, problems

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["Analytics"], dependencies=[*SEEN])


async def report_of(space_id: str, who: Named, spaces: SpacesHere, request: Request) -> Report:
    """Gate: the host's and admins' report.

    :raises Problem: 403 it is somebody else's Space, 404 there is no Space or it has never been live
    """
    space = await spaces.get(space_id)
    if who.name != space.host and not who.admin:
        raise Problem(403, "not-yours", "Only the host of a Space and admins see its analytics.")
    analytics: Analytics = request.app.state.analytics
    ledger = await analytics.of(space_id)
    if ledger is None:
        raise Problem(404, "no-analytics", "This Space has not been live; there is something to see once it is.")
    return Report.of(space, ledger)


ReportHere = Annotated[Report, Depends(report_of)]


@router.get("/analytics", responses=problems(403, 404))
async def get_analytics(report: ReportHere) -> Report:
    """Show what was counted: audience, retention, reactions, requests, talk time and ways of arrival.

    It is counted while the Space is live, in intervals of ten seconds at first, and written down after each. No
    listener is named: different people are estimated by a sketch whose key is deleted when the Space ends.
    """
    return report


@router.get(
    "/analytics.csv",
    response_class=Response,
    responses=problems(403, 404, 422)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table with a header."}},
)
async def get_analytics_csv(
    report: ReportHere, table: Annotated[Table, Query(description="which part of the report")] = "audience"
) -> Response:
    """Show a part of the report as CSV."""
    headers = {"Content-Disposition": f'attachment; filename="space-{report.space_id}-{table}.csv"'}
    return Response(sheet(report, table), headers=headers, media_type="text/csv; charset=utf-8")


@router.get(
    "/analytics.svg",
    response_class=Response,
    responses=problems(403, 404, 422)
    | {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture."}},
)
async def get_analytics_picture(
    report: ReportHere,
    theme: Annotated[Theme, Query(description="`auto` is as the reader's system has it")] = "auto",
) -> Response:
    """Show the report as a picture, for light and dark pages."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(picture(report, theme), headers=headers, media_type="image/svg+xml")
