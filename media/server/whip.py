"""Signalling of media: WHIP (RFC 9725) to speak, WHEP (draft-ietf-wish-whep) to listen.

Both are one POST of an SDP offer that is answered with 201, the SDP answer and a ``Location`` to DELETE. The relay
is ICE-lite and knows all its candidates at once, so nothing is trickled and there is nothing to PATCH.
"""

from contextlib import suppress
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from media.server.admission import check
from media.server.auth import Named, NamedOrNobody, caller, no_token
from media.server.errors import Problem
from media.server.routes import AdmissionHere, SpacesHere, problems
from media.server.sessions import MediaSession
from media.space.errors import MutedError

SDP: Final = "application/sdp"

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An SDP offer with one audio section, at most 64 KiB.",
        "content": {
            SDP: {
                "schema": {"type": "string"},
                "example": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n…",
            }
        },
    }
}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "description": "The SDP answer; DELETE the Location to end the session.",
        "content": {SDP: {"schema": {"type": "string"}}},
        "headers": {
            "Location": {"schema": {"type": "string"}, "description": "address of the session"},
            "ETag": {"schema": {"type": "string"}, "description": "its ICE session"},
        },
    }
}
_POST_PROBLEMS: Final = (400, 403, 404, 406, 409, 413, 415, 503)

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["Media"])


@router.post(
    "/whip",
    status_code=201,
    response_class=Response,
    openapi_extra=_BODY,
    responses=problems(*_POST_PROBLEMS) | _ANSWER,
    dependencies=[Depends(caller)],
)
async def speak(
    space_id: str,
    who: Named,
    request: Request,
    admission: AdmissionHere,
    spaces: SpacesHere,
    muted: Annotated[
        bool,
        Query(description="`false` opens the microphone at once: for encoders that have no button to unmute"),
    ] = True,
) -> Response:
    """Connect a microphone (WHIP).  Needs the right to speak; a `sendrecv` offer also hears the others."""
    check(await spaces.get(space_id), who.name, "whip")
    offer = await read_offer(request)
    session, answer = await admission.admit(space_id, who.name, "whip", offer)
    if not muted:
        with suppress(MutedError):  # an admin's mute stays what it is
            await spaces.act(space_id, lambda s, now: s.unmute(who.name, who.name, now))
    return _created(session, answer)


@router.post(
    "/whep",
    status_code=201,
    response_class=Response,
    openapi_extra=_BODY,
    responses=problems(*_POST_PROBLEMS) | _ANSWER,
)
async def listen(
    space_id: str, who: NamedOrNobody, request: Request, admission: AdmissionHere, spaces: SpacesHere
) -> Response:
    """Listen (WHEP).  Takes any valid token, and none where the Space has `anonymous_listening`."""
    if who is None and not spaces.takes_anonymous(space_id):
        raise no_token()
    check(await spaces.get(space_id), who and who.name, "whep")
    offer = await read_offer(request)
    session, answer = await admission.admit(space_id, who and who.name, "whep", offer)
    return _created(session, answer)


@router.delete(
    "/whip/{session_id}", status_code=204, responses=problems(403, 404, 410), dependencies=[Depends(caller)]
)
async def stop_speaking(space_id: str, session_id: str, who: Named, admission: AdmissionHere) -> None:
    """End a WHIP session of one's own."""
    await admission.end(session_id, space_id, "whip", who.name)


@router.delete("/whep/{session_id}", status_code=204, responses=problems(403, 404, 410))
async def stop_listening(space_id: str, session_id: str, who: NamedOrNobody, admission: AdmissionHere) -> None:
    """End a WHEP session of one's own; an anonymous listener needs nothing but its address."""
    await admission.end(session_id, space_id, "whep", who and who.name)


@router.options("/whip", status_code=204, include_in_schema=False)
@router.options("/whep", status_code=204, include_in_schema=False)
async def endpoint_options() -> Response:
    """Say what can be posted here (RFC 9725 section 4.2)."""
    return Response(status_code=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": SDP})


@router.options("/whip/{session_id}", status_code=204, include_in_schema=False)
@router.options("/whep/{session_id}", status_code=204, include_in_schema=False)
async def session_options(session_id: str) -> Response:
    """Say what a session takes; the same for every address, so that nobody learns which exist."""
    return Response(status_code=204, headers={"Allow": "DELETE, OPTIONS"})


async def read_offer(request: Request) -> str:
    """Read the body of a POST as an SDP offer, after checking that both sides mean SDP.

    :raises Problem: 415 it is something else, 406 the client wants something else, 400 it is no text
    """
    if _media_type(request.headers.get("content-type", "")) != SDP:
        raise Problem(
            415,
            "not-sdp",
            f"The body must be an SDP offer, with Content-Type {SDP}.",
            headers={"Accept-Post": SDP},
        )
    if not _accepts_sdp(request.headers.getlist("accept")):
        raise Problem(406, "only-sdp", f"The answer is {SDP}; ask for that or for */* in Accept.")
    body = await request.body()
    if not body.strip():
        raise Problem(400, "bad-offer", "The body is empty; send an SDP offer.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Problem(400, "bad-offer", "The body is not UTF-8, and SDP is.") from None


def _created(session: MediaSession, answer: str) -> Response:
    location = f"/spaces/{session.space}/{session.kind}/{session.id}"
    headers = {"Location": location, "ETag": f'"{session.id}"'}
    return Response(answer, 201, headers=headers, media_type=SDP)


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _accepts_sdp(headers: list[str]) -> bool:
    """Read Accept (RFC 9110 section 12.5.1): no header accepts everything, and the closest range decides."""
    ranges = [part for header in headers for part in header.split(",") if part.strip()]
    weights: dict[str, float] = {}
    for part in ranges:
        parameters = [p.strip().lower() for p in part.split(";")[1:]]
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[_media_type(part)] = float(weight)
        except ValueError:
            weights[_media_type(part)] = 0.0
    for candidate in (SDP, "application/*", "*/*"):
        if candidate in weights:
            return weights[candidate] > 0
    return not ranges
