"""The sealed evidence of a case over HTTP: its sound, how loud it is, who spoke and which words were heard.

Nobody looks at it without saying why, and every look is an entry of the audit log, written before the answer.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from media.server.auth import Reviewer, reviewer
from media.server.captions.service import Captions
from media.server.errors import Problem
from media.server.moderation.evidence import Evidence, EvidenceGoneError
from media.server.moderation.here import CaseId, ModerationHere, ReadingHere
from media.server.moderation.rows import name_of
from media.server.moderation.shapes import Range
from media.server.routes import problems
from media.server.schemas import NO_NUL

router: Final = APIRouter(
    prefix="/2/moderation/cases/{case_id}", tags=["Moderation"], dependencies=[Depends(reviewer)]
)
STEP_MS: Final = 20
"""Milliseconds of a level."""
Reason = Annotated[
    str,
    Query(
        min_length=3,
        max_length=200,
        pattern=NO_NUL,
        description="why; it is noted",
        examples=["To decide the case."],
    ),
]
Track = Annotated[
    str | None, Query(max_length=64, pattern=NO_NUL, description="a speaker alone; left out, what all heard")
]


class Waveform(BaseModel):
    """How loud a range is."""

    range: Range
    step_ms: int = Field(description="milliseconds of each level", examples=[STEP_MS])
    levels: list[int] = Field(description="-dBov: 0 is the loudest, 127 silence", examples=[[127, 31, 28]])


class OneWaveform(BaseModel):
    """A waveform."""

    data: Waveform


class Spurt(BaseModel):
    """That somebody spoke."""

    user_id: str
    start_ms: int
    end_ms: int


class Words(Spurt):
    """A line of the automatic captions."""

    text: str
    corrected: bool = Field(description="whether the speaker has corrected it")


class Heard(BaseModel):
    """Who spoke in a range, and the words of those who let themselves be captioned."""

    range: Range
    spurts: list[Spurt]
    lines: list[Words]


class OneHeard(BaseModel):
    """What was heard."""

    data: Heard


class Look:
    """A reviewer's look at the evidence of a case; who makes one has said why."""

    def __init__(self, evidence: Evidence, space_id: str, part: Range) -> None:
        self.evidence, self.space_id, self.part = evidence, space_id, part

    @property
    def place(self) -> tuple[int, int]:
        """Where the range lies (milliseconds since the Space started)."""
        return self.part.start_ms, self.part.end_ms


async def look(
    case_id: CaseId,
    who: Reviewer,
    reason: Reason,
    request: Request,
    moderation: ModerationHere,
    reading: ReadingHere,
) -> Look:
    """Gate: a reviewer who is no part of the matter, with a reason, which is noted.

    :raises Problem: 404, there is no such case for them, or nothing was recorded
    """
    row = await reading.row(int(case_id), who.name)
    kind = request.url.path.rpartition("/")[2]
    await moderation.audit.note(who.name, f"look at the {kind}", f"case {name_of(row.id)}", reason)
    if moderation.evidence is None:
        raise _gone()
    start = await moderation.began(row.space_id)
    begin, end = (max(0, round(1e3 * (at - start))) for at in row.clips[-1])
    return Look(moderation.evidence, row.space_id, Range(start_ms=begin, end_ms=end))


Looked = Annotated[Look, Depends(look)]
_SOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Ogg Opus", "content": {"audio/ogg": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/clip", response_class=Response, responses=problems(403, 404, 422) | _SOUND)
async def get_clip(looked: Looked, user_id: Track = None) -> Response:
    """Hear what is held of a case around the newest moment that was reported; it is noted who does, and why."""
    try:
        sound = await looked.evidence.audio(looked.space_id, user_id, *looked.place)
    except EvidenceGoneError:
        raise _gone() from None
    return Response(sound, media_type="audio/ogg", headers={"Cache-Control": "no-store"})


@router.get("/waveform", responses=problems(403, 404, 422))
async def get_waveform(looked: Looked, user_id: Track = None) -> OneWaveform:
    """Show how loud the clip of a case is; it is noted who looks, and why."""
    try:
        levels = await looked.evidence.levels(looked.space_id, user_id, *looked.place)
    except EvidenceGoneError:
        raise _gone() from None
    return OneWaveform(data=Waveform(range=looked.part, step_ms=STEP_MS, levels=list(levels)))


@router.get("/words", responses=problems(403, 404, 422))
async def get_words(looked: Looked, request: Request) -> OneHeard:
    """Show who spoke in the clip of a case, and the captions of it; it is noted who looks, and why."""
    try:
        spurts = await looked.evidence.spurts(looked.space_id, *looked.place)
    except EvidenceGoneError:
        raise _gone() from None
    captions: Captions = request.app.state.captions
    lines = await captions.lines(looked.space_id, *looked.place)
    return OneHeard(
        data=Heard(
            range=looked.part,
            spurts=[Spurt(user_id=user_id, start_ms=start, end_ms=end) for user_id, start, end in spurts],
            lines=[
                Words(
                    user_id=line.user_id,
                    start_ms=line.start_ms,
                    end_ms=line.end_ms,
                    text=line.text,
                    corrected=line.corrected,
                )
                for line in lines
            ],
        )
    )


def _gone() -> Problem:
    return Problem(404, "evidence-gone", "Nothing of this Space is kept: it was not recorded, or has been erased.")
