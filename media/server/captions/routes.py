"""Captions over HTTP: consent, the newest lines, corrections, and transcripts as files."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.captions.formats import MEDIA_TYPES, as_json, srt, vtt
from media.captions.lines import Line
from media.server.auth import Named
from media.server.captions.schema import CaptionData, CaptionsOut, Correction
from media.server.captions.service import Captions
from media.server.room.readers import Readable
from media.server.routes import SEEN, AccountsHere, SpacesHere, problems
from media.space.errors import NoRightError
from media.space.space import Space
from media.space.states import ON_STAGE

router: Final = APIRouter(prefix="/2/spaces/{space_id}", tags=["Captions"], dependencies=[*SEEN])
public: Final = APIRouter(prefix="/2/spaces/{space_id}", tags=["Captions"])
"""For who may listen, also without a token where a Space takes people without one."""
NEWEST: Final = 50
"""Lines that somebody sees who comes later."""


async def _captions(request: Request) -> Captions:
    return request.app.state.captions


CaptionsHere = Annotated[Captions, Depends(_captions)]
_LineId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,16}$", description="of a line", examples=["000012340a1b2c3"])]


def _file(kind: str, **schema: Any) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {MEDIA_TYPES[kind]: {"schema": schema or {"type": "string"}}}
    return {200: {"description": "The transcript.", "content": content}}


_LINES: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["space_id", "title", "lines"],
    "properties": {
        "space_id": {"type": "string"},
        "title": {"type": "string"},
        "lines": {
            "type": "array",
            "items": {
                **CaptionData.model_json_schema(mode="serialization"),
                "description": "with `name` of the speaker, and `words`: begin and end in milliseconds, and text",
            },
        },
    },
}


@router.put("/captions/consent", status_code=204, responses=problems(403, 404, 409))
async def consent_to_captions(space_id: str, who: Named, spaces: SpacesHere, captions: CaptionsHere) -> None:
    """Have what one says in a live Space captioned, for everyone who hears it; people on the stage may.

    It holds until it is taken back, the stage is left, the Space ends, or the server is started anew.
    """
    captions.consent(await spaces.get(space_id), who.name)


@router.delete("/captions/consent", status_code=204, responses=problems(403, 404))
async def withdraw_from_captions(space_id: str, who: Named, captions: CaptionsHere) -> None:
    """Be captioned no more, at once; lines that are there stay in the transcript."""
    captions.withdraw(space_id, who.name)


@public.get("/captions", responses=problems(402, 403, 404))
async def show_captions(space: Readable, captions: CaptionsHere) -> CaptionsOut:
    """Show who is captioned, and the newest lines; what follows is told on the Space's event stream."""
    lines = await captions.lines(space.id, newest=NEWEST)
    return CaptionsOut(
        available=captions.engine is not None,
        user_ids=sorted(captions.consents(space.id)),
        paused=captions.is_paused(space.id),
        data=[CaptionData.of(line) for line in lines],
    )


@router.put("/captions/{line_id}", responses=problems(403, 404, 422))
async def correct_caption(
    space_id: str, line_id: _LineId, body: Correction, who: Named, spaces: SpacesHere, captions: CaptionsHere
) -> CaptionData:
    """Correct a line that one has said oneself; it is marked as corrected from then on."""
    return CaptionData.of(await captions.correct(await spaces.get(space_id), line_id, who.name, body.text))


@router.get("/transcript.vtt", response_class=Response, responses=problems(403, 404) | _file("vtt"))
async def transcript_as_webvtt(
    space_id: str, who: Named, spaces: SpacesHere, captions: CaptionsHere, accounts: AccountsHere
) -> Response:
    """Download what was said as WebVTT: the host everything, whoever spoke their own speech, nobody else."""
    lines = await _lines(await spaces.get(space_id), who.name, captions)
    names = await _names(lines, accounts)
    return _answer(vtt(lines, lambda user_id: names.get(user_id, user_id)), space_id, "vtt")


@router.get("/transcript.srt", response_class=Response, responses=problems(403, 404) | _file("srt"))
async def transcript_as_subrip(
    space_id: str, who: Named, spaces: SpacesHere, captions: CaptionsHere, accounts: AccountsHere
) -> Response:
    """Download what was said as SubRip, as far as the caller may."""
    lines = await _lines(await spaces.get(space_id), who.name, captions)
    names = await _names(lines, accounts)
    return _answer(srt(lines, lambda user_id: names.get(user_id, user_id)), space_id, "srt")


@router.get("/transcript.json", response_class=Response, responses=problems(403, 404) | _file("json", **_LINES))
async def transcript_as_json(
    space_id: str, who: Named, spaces: SpacesHere, captions: CaptionsHere, accounts: AccountsHere
) -> Response:
    """Download what was said as JSON, with the words and their times, as far as the caller may."""
    space = await spaces.get(space_id)
    lines = await _lines(space, who.name, captions)
    names = await _names(lines, accounts)
    about = {"space_id": space_id, "title": space.title}
    return _answer(as_json(lines, lambda user_id: names.get(user_id, user_id), about), space_id, "json")


async def _lines(space: Space, caller: str, captions: Captions) -> list[Line]:
    if caller == space.host:
        return await captions.lines(space.id)
    own = await captions.lines(space.id, user_id=caller)
    if not own and space.people.standing(caller) not in ON_STAGE:
        raise NoRightError("The transcript is for the host, and for whoever spoke what they said themselves.")
    return own


async def _names(lines: list[Line], accounts: AccountsHere) -> dict[str, str]:
    users = await accounts.some({line.user_id for line in lines})
    return {user.id: user.name for user in users}


def _answer(content: str, space_id: str, kind: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{space_id}.{kind}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=f"{MEDIA_TYPES[kind]}; charset=utf-8", headers=headers)
