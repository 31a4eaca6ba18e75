"""Raised hands, and everyone's microphones at once."""

from typing import Final

from fastapi import APIRouter

from media.server.auth import Named
from media.server.room.shapes import MuteAll
from media.server.routes import SEEN, Person, SpacesHere, actor, problems
from media.server.schemas import PersonOut, Stage
from media.space.errors import NoRightError
from media.space.permissions import Action

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["In the room"], dependencies=[*SEEN])


@router.put("/participants/{user_id}/hand", responses=problems(403, 404, 409))
async def raise_hand(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Raise one's own hand; people on the stage may, listeners ask to speak instead.

    It stays up until it is lowered, or its owner unmutes.
    """
    if person != who.name:
        raise NoRightError("Nobody can raise the hand of somebody else.")
    space = await spaces.act(space_id, lambda s, now: s.raise_hand(person, now))
    return PersonOut.of(space.people.known(person))


@router.delete("/participants/{user_id}/hand", responses=problems(403, 404, 409))
async def lower_hand(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Lower one's own hand or, as host or co-host, that of somebody who has been seen."""
    space = await spaces.act(space_id, lambda s, now: s.lower_hand(who.name, person, now))
    return PersonOut.of(space.people.known(person))


@router.post("/mute-all", responses=problems(403, 404, 409, 422))
async def mute_all(space_id: str, body: MuteAll, who: Named, spaces: SpacesHere) -> Stage:
    """Mute everyone on the stage but the caller and those of `except`; host, co-hosts and admins may.

    A co-host mutes neither the host nor the other co-host. `DELETE` lifts it from all, an unmute from one.
    """
    space = await spaces.silence(
        space_id, lambda s, now: s.mute_all_but(actor(s, who, Action.MUTE_OTHERS), body.spared, now)
    )
    return Stage.of(space)


@router.delete("/mute-all", responses=problems(403, 404, 409))
async def lift_mutes(space_id: str, who: Named, spaces: SpacesHere) -> Stage:
    """Lift the admins' mutes from everyone on the stage but the caller; host, co-hosts and admins may.

    Who had muted themselves stays so, and everyone can unmute again.
    """
    space = await spaces.act(space_id, lambda s, now: s.lift_mutes(actor(s, who, Action.MUTE_OTHERS), now))
    return Stage.of(space)
