"""What the relay must do for each thing that happens in a Space.

This is the whole of moderation in the media path: nothing but these lines turns a right into sound or takes the
sound away. What takes it away runs before the store is written, so that silence never waits for a disk.
"""

from media.relay.plane import DataPlane
from media.space.events import (
    MuteChanged,
    PersonLeft,
    PersonRemoved,
    RightGranted,
    RightRevoked,
    SpaceEnded,
    SpaceEvent,
    SpaceStarted,
)
from media.space.space import Space


async def carry_out(plane: DataPlane, space: Space, event: SpaceEvent) -> None:
    """Give the plane the command that follows from an event, if one does.

    An event can be older than a mute that waited for nothing, so no event opens a microphone that is muted now.

    :raises PlaneError: the plane has no such room (any more)
    """
    room = space.id
    match event:
        case SpaceStarted():
            await plane.open_room(room)
        case SpaceEnded():
            await plane.close_room(room)
        case RightGranted(person=person):
            await plane.mute(room, person, True)  # first, so that there is no moment of open microphone
            await plane.let_talk(room, person, True)
        case RightRevoked(person=person):
            await plane.let_talk(room, person, False)
        case MuteChanged(person=person, by_self=by_self, by_admin=by_admin):
            now = space.people.named.get(person)
            await plane.mute(room, person, by_self or by_admin or (now is not None and now.muted))
        case PersonRemoved(person=person) | PersonLeft(person=person, reason="left"):
            await plane.drop_participant(room, person)
        case _:
            pass


async def reopen(plane: DataPlane, space: Space) -> None:
    """Tell a plane that knows nothing about a live Space: its room and the rights in it."""
    await plane.open_room(space.id)
    for participant in space.people:
        if participant.on_stage:
            await plane.mute(space.id, participant.person, participant.muted)
            await plane.let_talk(space.id, participant.person, True)
