"""Who hosts and speaks in which live Space: kept beside the Spaces, so that a bubble list asks no Space at all.

A follower may follow thousands and hundreds of Spaces may be live, but on all their stages together stand few
thousand people. So the list is the intersection of two sets in memory, over the smaller of them.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal

from media.server.spaces import Spaces
from media.space.events import (
    CohostDropped,
    CohostNamed,
    Events,
    PersonRemoved,
    RightGranted,
    RightRevoked,
    SpaceEnded,
    SpaceStarted,
)
from media.space.space import Space
from media.space.states import Standing, State

Role = Literal["host", "cohost", "speaker"]

_ROLES: Final[dict[Standing, Role]] = {
    Standing.HOST: "host",
    Standing.COHOST: "cohost",
    Standing.SPEAKER: "speaker",
}
_NEWS: Final = (
    *(SpaceStarted, SpaceEnded, RightGranted, RightRevoked, CohostNamed, CohostDropped, PersonRemoved),
)


def stage_of(space: Space) -> dict[str, Role]:
    """Return who stands on the stage of a Space, and as what."""
    return {p.person: _ROLES[p.standing] for p in space.people if p.standing in _ROLES}


class Stages:
    """Told by :class:`~media.server.spaces.Spaces`."""

    def __init__(self) -> None:
        self._by_space: dict[str, dict[str, Role]] = {}
        self._by_person: dict[str, dict[str, Role]] = {}

    def open(self, spaces: Spaces) -> None:
        """Know the Spaces of before."""
        for space in spaces.in_memory:
            self._set(space)

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        if any(isinstance(event, _NEWS) for event in events):
            self._set(space)

    def of(self, space_id: str) -> dict[str, Role]:
        """Return who stands on the stage of a live Space."""
        return self._by_space.get(space_id, {})

    def of_people(self, people: Collection[str]) -> dict[str, dict[str, Role]]:
        """Return the live Spaces in which some of these people host or speak, and who as what."""
        here = self._by_person
        met: Iterable[str] = (p for p in here if p in people) if len(here) < len(people) else people
        found: dict[str, dict[str, Role]] = {}
        for person in met:
            for space_id, role in here.get(person, {}).items():
                found.setdefault(space_id, {})[person] = role
        return found

    def _set(self, space: Space) -> None:
        stage = stage_of(space) if space.state is State.LIVE else {}
        for person in self._by_space.get(space.id, {}).keys() - stage.keys():
            theirs = self._by_person[person]
            del theirs[space.id]
            if not theirs:
                del self._by_person[person]
        for person, role in stage.items():
            self._by_person.setdefault(person, {})[space.id] = role
        if stage:
            self._by_space[space.id] = stage
        else:
            self._by_space.pop(space.id, None)
