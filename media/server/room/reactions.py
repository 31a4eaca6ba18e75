"""Reactions: counted, and told to the crowd in sums (see :class:`~media.space.reactions.Tally`)."""

from typing import Final

from fastapi import APIRouter

from media.server.auth import Named
from media.server.room.shapes import NewReaction
from media.server.routes import SEEN, SessionsHere, SpacesHere, problems

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["In the room"], dependencies=[*SEEN])


@router.post("/reactions", status_code=204, responses=problems(403, 404, 409, 422))
async def react(space_id: str, body: NewReaction, who: Named, spaces: SpacesHere, sessions: SessionsHere) -> None:
    """React; listeners who are connected may, and speakers.

    It fades: nothing of it is stored. Everyone sees how many of each kind there were, in the next `pulse` event.
    """
    space = await spaces.get(space_id)
    space.react(who.name, body.kind, count=body.count, present=sessions.present(space_id, who.name))
