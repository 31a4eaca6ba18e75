"""Who is shown what goes on in a Space: whoever may listen to it; and who waits to speak, whoever is in it."""

from typing import Annotated

from fastapi import Depends, Query

from media.server.auth import Named, NamedOrNobody, no_token
from media.server.routes import SpacesHere, VisibilityHere
from media.space.space import Space
from media.space.visibility import View, takes_anonymous

_Code = Annotated[
    str | None,
    Query(max_length=64, description="of an invitation link, which shows a draft to whoever has it"),
]


async def _space_to_read(
    space_id: str,
    who: NamedOrNobody,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    invitation: _Code = None,
) -> Space:
    """Gate: whoever may listen; without a token, where people can listen without one."""
    if who is None and not takes_anonymous(spaces.held(space_id)):
        raise no_token()
    space = await spaces.get(space_id)
    await visibility.check(space, who, View.SOUND, invitation if who else None)
    return space


async def _space_from_inside(space_id: str, who: Named, spaces: SpacesHere, visibility: VisibilityHere) -> Space:
    """Gate: whoever is in it, waits, speaks or is invited to, and whoever runs the service."""
    space = await spaces.get(space_id)
    await visibility.check(space, who, View.INSIDE)
    return space


Readable = Annotated[Space, Depends(_space_to_read)]
"""The Space of the path, for who may listen to it."""
FromInside = Annotated[Space, Depends(_space_from_inside)]
"""The Space of the path, for who has a part in it."""
