"""Signalling of media: WHIP (RFC 9725) to speak, WHEP (draft-ietf-wish-whep) to listen.

Both are one POST of an SDP offer that is answered with 201, the SDP answer and a ``Location`` to DELETE, and to
PATCH when the network of the client has changed (ICE restart). Trickled candidates are accepted and not needed:
the relay is ICE-lite, says all its own at once, and learns its peers' from their checks.
"""

from contextlib import suppress
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from media.server.admission import check
from media.server.auth import Named, NamedOrNobody, Owner, OwnerOrNobody, caller, owner
from media.server.body_bounds import MAX_BYTES, SDP_LIMIT
from media.server.client_address import counted_address
from media.server.errors import Problem
from media.server.ptime import with_ptime
from media.server.routes import AdmissionHere, SessionsHere, SpacesHere, problems
from media.server.schemas import PersonOut
from media.server.sessions import MediaSession, Source
from media.space.errors import MutedError

SDP: Final = "application/sdp"
SDP_FRAGMENT: Final = "application/trickle-ice-sdpfrag"

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        MAX_BYTES: SDP_LIMIT,
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
            "Location": {
                "schema": {"type": "string"},
                "description": "address of the session, relative to that of the request (RFC 3986)",
            },
            "ETag": {"schema": {"type": "string"}, "description": "its ICE session"},
        },
    }
}
_FRAGMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        MAX_BYTES: SDP_LIMIT,
        "description": "An SDP fragment (RFC 8840): new ICE credentials for a restart, or trickled candidates.",
        "content": {SDP_FRAGMENT: {"schema": {"type": "string"}}},
    }
}
_RESTARTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "ICE has been restarted: the relay's new credentials and candidates.",
        "content": {SDP_FRAGMENT: {"schema": {"type": "string"}}},
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "the new ICE session"}},
    },
    204: {"description": "Taken; nothing was to be restarted."},
}
_PATCH_PROBLEMS: Final = (400, 403, 404, 410, 412, 413, 415, 428)
_POST_PROBLEMS: Final = (400, 402, 403, 404, 406, 409, 413, 415, 429, 503)

CameBy = Annotated[
    Source, Query(description="what brought the caller here; the host is shown how many came by each")
]

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["Media"])


def _number(text: object) -> object:
    """A query's text as the number it stands for; pydantic compares a Literal as it is."""
    return int(text) if isinstance(text, str) and text.isdecimal() else text


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
    source: CameBy = "direct",
) -> Response:
    """Connect a microphone (WHIP).  Needs the right to speak; a `sendrecv` offer also hears the others.

    The session lives until it is ended, here or by losing the right, and not only as long as the token: one that
    has expired since still ends and restarts it, and opens nothing. A user can have 8 sessions in a Space, and 32
    in all (429).
    """
    check(await admission.find(space_id, who), who.name, "whip")
    offer = await read_offer(request)
    session, answer = await admission.admit(space_id, who, "whip", offer, source)
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
    space_id: str,
    who: NamedOrNobody,
    request: Request,
    admission: AdmissionHere,
    ptime: Annotated[
        Literal[20, 40, 60] | None,
        BeforeValidator(_number),
        Query(description="milliseconds of sound in a packet, as `a=ptime` in the offer: longer ones cost less"),
    ] = None,
    source: CameBy = "direct",
) -> Response:
    """Listen (WHEP).  Takes any valid token, and none where the Space has `anonymous_listening`.

    The session lives until it is ended, not only as long as the token, as one to speak does. A user can have 8
    sessions in a Space and 32 in all, and 500 can listen from one address without a token (429). Whoever was
    removed or blocked cannot come back by name; without one they can where people listen without a token, unless
    the Space has `removal_ends_anonymous`.
    """
    check(await admission.find(space_id, who), who and who.name, "whep")
    offer = with_ptime(await read_offer(request), ptime)
    network = counted_address(request.scope, named=who is not None)
    session, answer = await admission.admit(space_id, who, "whep", offer, source, network)
    return _created(session, answer)


@router.delete(
    "/whip/{session_id}", status_code=204, responses=problems(403, 404, 410), dependencies=[Depends(owner)]
)
async def stop_speaking(space_id: str, session_id: str, who: Owner, admission: AdmissionHere) -> None:
    """End a WHIP session of one's own, also with a token that has expired since it began."""
    await admission.end(session_id, space_id, "whip", who.name)


@router.delete("/whep/{session_id}", status_code=204, responses=problems(403, 404, 410))
async def stop_listening(space_id: str, session_id: str, who: OwnerOrNobody, admission: AdmissionHere) -> None:
    """End a WHEP session of one's own, also with a token that has expired since it began.

    An anonymous listener needs nothing but its address.
    """
    await admission.end(session_id, space_id, "whep", who and who.name)


@router.post("/whep/{session_id}/name", responses=problems(403, 404, 409, 410), dependencies=[Depends(caller)])
async def take_name(
    space_id: str, session_id: str, who: Named, admission: AdmissionHere, sessions: SessionsHere
) -> PersonOut:
    """Take a name: the session of an anonymous listener is the caller's from now on, and the sound goes on.

    Needed before asking to speak, reacting and writing, which anonymous listeners cannot.
    """
    space = await admission.rename(session_id, space_id, who)
    return PersonOut.of(space.people.look(who.name, sessions.present(space_id, who.name)))


@router.patch(
    "/whip/{session_id}",
    status_code=200,
    response_class=Response,
    openapi_extra=_FRAGMENT,
    responses=problems(*_PATCH_PROBLEMS) | _RESTARTED,
    dependencies=[Depends(owner)],
)
async def restart_speaking(
    space_id: str, session_id: str, who: Owner, request: Request, admission: AdmissionHere
) -> Response:
    """Restart ICE of a WHIP session (RFC 9725 section 4.3.3), as after a change of network; the sound goes on.

    Also with a token that has expired since the session began.
    """
    about, fragment = await _read_fragment(request)
    return _restarted(*await admission.restart(session_id, space_id, "whip", who.name, about, fragment))


@router.patch(
    "/whep/{session_id}",
    status_code=200,
    response_class=Response,
    openapi_extra=_FRAGMENT,
    responses=problems(*_PATCH_PROBLEMS) | _RESTARTED,
)
async def restart_listening(
    space_id: str, session_id: str, who: OwnerOrNobody, request: Request, admission: AdmissionHere
) -> Response:
    """Restart ICE of a WHEP session, as after a change of network; the sound goes on.

    Also with a token that has expired since the session began.
    """
    about, fragment = await _read_fragment(request)
    return _restarted(*await admission.restart(session_id, space_id, "whep", who and who.name, about, fragment))


@router.options("/whip", status_code=204, include_in_schema=False)
@router.options("/whep", status_code=204, include_in_schema=False)
async def endpoint_options() -> Response:
    """Say what can be posted here (RFC 9725 section 4.2)."""
    return Response(status_code=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": SDP})


@router.options("/whip/{session_id}", status_code=204, include_in_schema=False)
@router.options("/whep/{session_id}", status_code=204, include_in_schema=False)
async def session_options(session_id: str) -> Response:
    """Say what a session takes; the same for every address, so that nobody learns which exist."""
    return Response(status_code=204, headers={"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": SDP_FRAGMENT})


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
    return await _read_text(request, "an SDP offer")


async def _read_fragment(request: Request) -> tuple[set[str], str]:
    """Read a PATCH: the entity tags of If-Match, and the SDP fragment.

    :raises Problem: 415 the body is something else, 428 there is no If-Match, 400 it is no text
    """
    if _media_type(request.headers.get("content-type", "")) != SDP_FRAGMENT:
        raise Problem(
            415,
            "not-a-fragment",
            f"The body must be an SDP fragment, with Content-Type {SDP_FRAGMENT}.",
            headers={"Accept-Patch": SDP_FRAGMENT},
        )
    conditions = request.headers.getlist("if-match")
    if not conditions:
        sentence = "If-Match must name the ICE session by the ETag of the last answer, or be * to restart it."
        raise Problem(428, "no-if-match", sentence)
    tags = {tag.strip() for condition in conditions for tag in condition.split(",")}
    fragment = await _read_text(request, "an SDP fragment")
    return {tag if tag == "*" else tag[1:-1] for tag in tags if tag == "*" or _is_strong(tag)}, fragment


def _is_strong(tag: str) -> bool:
    """True of a strong entity tag; a weak one matches nothing (RFC 9110 section 13.1.1)."""
    return len(tag) >= 2 and tag[0] == tag[-1] == '"'


async def _read_text(request: Request, what: str) -> str:
    body = await request.body()
    if not body.strip():
        raise Problem(400, "bad-offer", f"The body is empty; send {what}.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Problem(400, "bad-offer", "The body is not UTF-8, and SDP is.") from None


def _restarted(session: MediaSession, fragment: str) -> Response:
    if not fragment:
        return Response(status_code=204)
    return Response(fragment, 200, headers={"ETag": f'"{session.ice}"'}, media_type=SDP_FRAGMENT)


def _created(session: MediaSession, answer: str) -> Response:
    location = f"/spaces/{session.space}/{session.kind}/{session.id}"
    headers = {"Location": location, "ETag": f'"{session.ice}"'}
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
