"""For reviewers: what a decision would tell, answers to complaints, second readings and golden cases."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.server.appeals.reading_schemas import (
    ComparedAnswer,
    ComparedOut,
    NewGolden,
    NewReading,
    ReadingAnswer,
    ReadingOut,
)
from media.server.appeals.readings import Readings
from media.server.appeals.reasons import filed_of, told_of
from media.server.appeals.routes import AppealsHere
from media.server.appeals.schemas import (
    NewAnswer,
    NewPreview,
    PreviewAnswer,
    PreviewOut,
    ReasonsOut,
    RedressOut,
    StatementAnswer,
    StatementOut,
)
from media.server.auth import Reviewer
from media.server.errors import Problem
from media.server.moderation.here import CaseId
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"])

ReadingId = Annotated[
    str,
    Path(
        max_length=32,
        pattern=r"^[0-9a-f]+$",
        description="id of a reading",
        examples=["5f0c3a1e9b7d4c2f8a6e1d0b3c5f7a90"],
    ),
]


async def _readings(request: Request) -> Readings:
    return request.app.state.readings


ReadingsHere = Annotated[Readings, Depends(_readings)]


@router.post("/cases/{case_id}/decision/preview", responses=problems(403, 404, 409, 422))
async def preview_decision(
    case_id: CaseId, body: NewPreview, who: Reviewer, appeals: AppealsHere
) -> PreviewAnswer:
    """Show what a decision would tell the user, and the Transparency Database.

    Whatever the reviewer leaves out is made of the records and the rules. Nothing is written or sent.
    """
    made = await appeals.preview(int(case_id), who.name, body.actions, body.statement, senior=who.senior)
    return PreviewAnswer(
        data=PreviewOut(
            reasons=ReasonsOut(**told_of(made.statement)),
            redress=RedressOut.of(made.redress),
            database=filed_of(made.statement),
        )
    )


@router.post("/cases/{case_id}/answer", responses=problems(403, 404, 409, 422))
async def answer_complaint(
    case_id: CaseId, body: NewAnswer, who: Reviewer, appeals: AppealsHere
) -> StatementAnswer:
    """Answer the complaint in a case that one has claimed; never one about a decision of one's own.

    `overturned` takes the decision back: a suspension is lifted, and who was removed can come again.
    """
    told = await appeals.answer(int(case_id), who.name, body.outcome, body.reasons)
    return StatementAnswer(data=StatementOut.of(told, appeals.clock()))


@router.post("/readings", responses={204: {"description": "Nothing is to be read."}} | problems(403))
async def next_reading(
    who: Reviewer, readings: ReadingsHere, appeals: AppealsHere, response: Response
) -> ReadingAnswer | None:
    """Get a decided case to read as if it were not: the one that one has, or the next, for an hour.

    Every fifth is a golden case, whose answer is known. What one says changes nothing for anybody.
    """
    found = await readings.next(who.name, appeals.clock())
    if found is None:
        response.status_code = 204
        return None
    return ReadingAnswer(data=ReadingOut.of(found, await readings.case(found.case_id)))


@router.put("/readings/{reading_id}", responses=problems(403, 404, 409, 422))
async def read(
    reading_id: ReadingId, body: NewReading, who: Reviewer, readings: ReadingsHere, appeals: AppealsHere
) -> ComparedAnswer:
    """Say what one would have decided, and learn whether the other said the same."""
    compared = await readings.read(reading_id, who.name, body.actions, appeals.clock())
    return ComparedAnswer(data=ComparedOut.of(compared))


@router.put("/cases/{case_id}/golden", status_code=204, responses=problems(403, 404, 409, 422))
async def set_golden(
    case_id: CaseId, body: NewGolden, who: Reviewer, readings: ReadingsHere, appeals: AppealsHere
) -> None:
    """Make a decided case a golden one, with the answer that readers are compared with; senior reviewers can."""
    _check_senior(senior=who.senior)
    await readings.set_golden(int(case_id), body.actions, body.reason, who.name, appeals.clock())


@router.delete("/cases/{case_id}/golden", status_code=204, responses=problems(403, 422))
async def unset_golden(case_id: CaseId, who: Reviewer, readings: ReadingsHere) -> None:
    """Let a case be no golden one any more; senior reviewers can."""
    _check_senior(senior=who.senior)
    await readings.unset_golden(int(case_id), who.name)


def _check_senior(*, senior: bool) -> None:
    if not senior:
        raise Problem(403, "not-senior", "Only a senior reviewer's token may do this.")
