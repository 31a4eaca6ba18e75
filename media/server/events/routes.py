"""Streams over HTTP: who may follow a Space, and how much of it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from media.server.auth import NamedOrNobody, no_token
from media.server.events.frame import MEDIA_TYPE, parse_id
from media.server.events.hub import Hub
from media.server.events.stream import EventStream
from media.server.routes import GuardHere, SpacesHere, problems
from media.space.states import Input, Standing, next_standing

router: Final = APIRouter(tags=["Events"])


async def _hub(request: Request) -> Hub:
    return request.app.state.hub


HubHere = Annotated[Hub, Depends(_hub)]
LastEventId = Annotated[
    str | None,
    Header(description="the last `id` that was read; what came after it is sent, or all anew"),
]


@router.get(
    "/spaces/{space_id}/events",
    response_class=Response,
    responses=problems(403, 404) | {200: {"content": {MEDIA_TYPE: {}}, "description": "Events, until it ends."}},
)
async def follow_space(
    space_id: str,
    who: NamedOrNobody,
    spaces: SpacesHere,
    guard: GuardHere,
    hub: HubHere,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a Space by Server-Sent Events; without a token where the Space has `anonymous_listening`."""
    if who is None and not spaces.takes_anonymous(space_id):
        raise no_token()
    space = await spaces.get(space_id)
    await guard.know(space.host)
    if who is not None:
        guard.check_entry(space, who.name)
        if space.people.standing(who.name) is Standing.REMOVED:
            next_standing(Standing.REMOVED, Input.JOIN, who.name)
    reader = hub.follow(space, who and who.name, parse_id(last_event_id))
    return EventStream(reader, lambda reader: hub.unfollow(space_id, reader))
