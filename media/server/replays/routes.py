"""Replays over HTTP: heard by whoever may listen to the Space, trimmed and deleted by its host."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from media.captions.formats import MEDIA_TYPES, vtt
from media.recording.waveform import svg_of
from media.server.accounts import Accounts
from media.server.addresses import base_of
from media.server.auth import Named, NamedOrNobody, no_token
from media.server.captions.routes import CaptionsHere
from media.server.errors import Problem
from media.server.file_answers import KeptFile, file_answer, http_time, is_known
from media.server.replays.episode import Episode
from media.server.replays.feed import AUDIO_TYPE, CHAPTERS_TYPE, MEDIA_TYPE, Channel, chapters_json, feed_of
from media.server.replays.service import Replays
from media.server.replays.shapes import ReplayOut, ReplayTrim
from media.server.replays.store import Replay
from media.server.routes import SEEN, AccountsHere, SpacesHere, VisibilityHere, problems
from media.space.errors import NoRightError
from media.space.space import Space

public: Final = APIRouter(tags=["Replays"])
router: Final = APIRouter(tags=["Replays"], dependencies=[*SEEN])
FEED: Final = 200
"""Episodes of a feed at the most, the newest."""
_SPACE: Final = "/2/spaces/{space_id}/replay"


async def _replays(request: Request) -> Replays:
    return request.app.state.replays


ReplaysHere = Annotated[Replays, Depends(_replays)]


async def _audible(space_id: str, who: NamedOrNobody, spaces: SpacesHere, visibility: VisibilityHere) -> Space:
    """Gate: whoever may hear the Space again; a stranger without a token learns of no other."""
    try:
        space = await spaces.get(space_id)
    except Problem:
        if who is None:
            raise no_token() from None
        raise
    await visibility.check_replay(space, who)
    return space


Audible = Annotated[Space, Depends(_audible)]


def _content(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "format": "binary"} if media_type == AUDIO_TYPE else {"type": "string"}
    return {200: {"description": what, "content": {media_type: {"schema": schema}}}}


_UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It is as it was."}}
_PART: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "The range that was asked for.", "content": {AUDIO_TYPE: {"schema": {"type": "string"}}}}
}


@public.get(_SPACE, responses=problems(403, 404))
async def get_replay(
    space: Audible, who: NamedOrNobody, replays: ReplaysHere, accounts: AccountsHere
) -> ReplayOut:
    """Show the replay of a Space: how long it is, who is heard in it, its chapters, its loudness.

    There is one if its host wished so before it started (`is_available_for_replay`); it is made when the Space is
    over. Whoever may listen to the Space may hear it, people without a token where the Space lets them listen.
    """
    replay = await replays.known(space.id)
    is_host = who is not None and who.name == space.host
    return ReplayOut.of(await _episode(space, replay, accounts), replays.faults.get(space.id) if is_host else None)


@public.get(
    f"{_SPACE}.ogg",
    response_class=Response,
    responses=problems(403, 404, 409, 416) | _content(AUDIO_TYPE, "Ogg Opus.") | _PART | _UNCHANGED,
)
async def get_replay_sound(space: Audible, request: Request, replays: ReplaysHere) -> Response:
    """Play the replay: Ogg Opus, also by range.

    It has only what speakers said, as everybody heard it.
    """
    replay = await replays.ready(space.id)
    kept = KeptFile(
        replays.path_of(replay), replay.size, replay.digest, replay.changed_at or 0.0, media_type=AUDIO_TYPE
    )
    return await file_answer(request, kept, _caching(request))


@public.get(
    f"{_SPACE}/waveform.svg",
    response_class=Response,
    responses=problems(403, 404, 409) | _content("image/svg+xml", "A picture.") | _UNCHANGED,
)
async def get_replay_waveform(
    space: Audible, request: Request, replays: ReplaysHere, accounts: AccountsHere
) -> Response:
    """Draw the loudness of the replay, in the colour of the text around the picture."""
    episode = await _episode(space, await replays.ready(space.id), accounts)
    picture = svg_of(episode.waveform, f"Loudness of {episode.title}")
    policy = {"Content-Security-Policy": "default-src 'none'"}
    return _answer(request, picture.encode(), "image/svg+xml", episode.replay.changed_at, policy)


@public.get(
    f"{_SPACE}/chapters.json",
    response_class=Response,
    responses=problems(403, 404, 409) | _content(CHAPTERS_TYPE, "JSON chapters 1.2.") | _UNCHANGED,
)
async def get_replay_chapters(
    space: Audible, request: Request, replays: ReplaysHere, accounts: AccountsHere
) -> Response:
    """List the chapters of the replay in the form of podcasts: where another speaker takes over."""
    episode = await _episode(space, await replays.ready(space.id), accounts)
    content = chapters_json(episode, base_of(request)).encode()
    return _answer(request, content, CHAPTERS_TYPE, episode.replay.changed_at)


@public.get(
    f"{_SPACE}/transcript.vtt",
    response_class=Response,
    responses=problems(403, 404, 409) | _content(MEDIA_TYPES["vtt"], "WebVTT.") | _UNCHANGED,
)
async def get_replay_transcript(
    space: Audible, request: Request, replays: ReplaysHere, captions: CaptionsHere, accounts: AccountsHere
) -> Response:
    """Read what was said in the replay by those who had themselves captioned, as WebVTT.

    Lines that are not wholly in what is heard are left out.
    """
    replay = await replays.ready(space.id)
    start, end = replay.start_ms, replay.end_ms
    lines = [
        replace(line, start_ms=line.start_ms - start, end_ms=line.end_ms - start)
        for line in await captions.lines(space.id, start, end)
        if start <= line.start_ms and line.end_ms <= end
    ]
    names = await _names(accounts, {line.user_id for line in lines})
    content = vtt(lines, lambda user_id: names.get(user_id, user_id)).encode()
    return _answer(request, content, MEDIA_TYPES["vtt"], None)


@router.put(_SPACE, responses=problems(403, 404, 409, 422, 507))
async def trim_replay(
    space_id: str, body: ReplayTrim, who: Named, spaces: SpacesHere, replays: ReplaysHere, accounts: AccountsHere
) -> ReplayOut:
    """Choose what of the Space is heard; only its host can.

    The rest is kept until the replay is deleted, so it can be chosen again, and nobody can hear it.
    """
    space = await spaces.get(space_id)
    _check_host(space, who.name)
    replay = await replays.trim(space, body.start_ms, body.end_ms)
    return ReplayOut.of(await _episode(space, replay, accounts))


@router.delete(_SPACE, status_code=204, responses=problems(403, 404))
async def delete_replay(space_id: str, who: Named, spaces: SpacesHere, replays: ReplaysHere) -> None:
    """Delete the replay for good; its host can, and an admin of the service.

    The evidence of the Space is another copy, under a key of its own, and erased when its time is over.
    """
    space = await spaces.get(space_id)
    if not who.admin:
        _check_host(space, who.name)
    await replays.delete(space_id)


@public.get(
    "/2/users/{user_id}/podcast.xml",
    response_class=Response,
    responses=problems(403, 404) | _content(MEDIA_TYPE, "RSS 2.0.") | _UNCHANGED,
)
async def get_podcast(
    user_id: str,
    who: NamedOrNobody,
    request: Request,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    replays: ReplaysHere,
    captions: CaptionsHere,
    accounts: AccountsHere,
) -> Response:
    """Show somebody's replays as a podcast: the newest 200 of those that the caller may hear.

    With chapters, persons and, where there are captions, transcripts in the podcast namespace. Podcast players
    send no token: they are shown the Spaces in which people can listen without one.
    """
    found = await replays.store.of_host(user_id, FEED)
    heard = [
        (space, replay)
        for replay in found
        if await visibility.hears(space := await spaces.get(replay.space_id), who)
    ]
    user = await accounts.get(user_id)
    if user is None and not heard:
        raise Problem(404, "unknown-user", "There is no user of this id who has replays.")
    names = await _names(accounts, {user_id for space, replay in heard for user_id in _heard_in(space, replay)})
    episodes = [Episode(space, replay, lambda each: names.get(each, each)) for space, replay in heard]
    transcribed = await captions.store.captioned([space.id for space, _ in heard])
    name = user_id if user is None else user.name
    changed = await replays.store.changed_at(user_id) or (0.0 if user is None else user.created_at)
    content = feed_of(Channel(user_id, name, base_of(request), changed), episodes, transcribed)
    return _answer(request, content, MEDIA_TYPE, changed)


async def _episode(space: Space, replay: Replay, accounts: Accounts) -> Episode:
    names = await _names(accounts, _heard_in(space, replay))
    return Episode(space, replay, lambda user_id: names.get(user_id, user_id))


def _heard_in(space: Space, replay: Replay) -> set[str]:
    return {space.host, *(turn.user_id for turn in replay.turns)}


async def _names(accounts: Accounts, user_ids: Collection[str]) -> dict[str, str]:
    return {user.id: user.name for user in await accounts.some(user_ids)}


def _check_host(space: Space, person: str) -> None:
    if person != space.host:
        raise NoRightError("Only the host of a Space changes its replay.")


def _caching(request: Request) -> dict[str, str]:
    """Say that others may not be given what one person may hear, and nobody without asking again."""
    named = "authorization" in request.headers
    return {"Cache-Control": "private, no-cache" if named else "no-cache", "Vary": "Authorization"}


def _answer(
    request: Request, content: bytes, media_type: str, changed_at: float | None, more: dict[str, str] | None = None
) -> Response:
    """Answer with what was made just now, or with 304; ``changed_at``: Unix seconds, None if nobody notes that."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    told = {"ETag": etag, **_caching(request), **(more or {})}
    if changed_at is not None:
        told["Last-Modified"] = http_time(changed_at)
    if is_known(request, etag, changed_at):
        return Response(status_code=304, headers=told)
    return Response(content, headers=told, media_type=f"{media_type}; charset=utf-8")
