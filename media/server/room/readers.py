"""Who may see what is shown in a Space: whoever may listen to it."""

from typing import Annotated

from fastapi import Depends

from media.server.auth import NamedOrNobody, no_token
from media.server.guard import blocked
from media.server.routes import GuardHere, SpacesHere
from media.space.space import Space
from media.space.states import Input, Standing, next_standing


async def _space_to_read(space_id: str, who: NamedOrNobody, spaces: SpacesHere, guard: GuardHere) -> Space:
    """Gate: whoever was neither removed nor blocked; without a token, where people can listen without one."""
    if who is None and not spaces.takes_anonymous(space_id):
        raise no_token()
    space = await spaces.get(space_id)
    if who is not None:
        if not who.admin and await guard.hides(space, who.name):
            raise blocked()
        if space.people.standing(who.name) is Standing.REMOVED:
            next_standing(Standing.REMOVED, Input.JOIN, who.name)
    guard.check_ticket(space, who and who.name)
    return space


Readable = Annotated[Space, Depends(_space_to_read)]
"""The Space of the path, for who may see what is shown in it."""
