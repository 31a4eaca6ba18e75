"""A Space as its events show it."""

from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json

from media.server.events.schema import PinsData, RequestsData, SpaceData, StageData, YouData
from media.server.room.shapes import PostOut
from media.server.schemas import PersonOut, RequestOut, SpaceOut
from media.space.people import Participant
from media.space.space import Space
from media.space.states import Standing

_TOLD_OTHERWISE: Final = {"speaker_ids", "pinned_post_ids"} | {
    name for name in SpaceOut.model_fields if name.endswith("_count")
}
"""Fields whose change is no reason to send all: who speaks and what is pinned have events, counts have pulses."""


class View:
    """What a Space looks like at a moment."""

    def __init__(self, space: Space) -> None:
        people = [PersonOut.of(p) for p in space.people.stage]
        shown = SpaceOut.of(space)
        self.stage = StageData(data=people)
        self.pins = PinsData(data=[PostOut.of(pinned) for pinned in space.notes.pins])
        self.space = SpaceData.model_construct(**dict(shown), stage=people, pins=self.pins.data)
        self.requests = RequestsData(data=RequestOut.queue(space))
        hosts = space.people.with_standing(Standing.HOST, Standing.COHOST)
        self.managers = frozenset(p.person for p in hosts)
        self.keys: dict[str, bytes] = {
            "space": to_json(shown.model_dump(exclude=_TOLD_OTHERWISE)),
            "stage": to_json(self.stage),
            "requests": to_json(self.requests),
            "pins": to_json(self.pins),
        }
        """What tells whether a part is different from before."""


def you(space: Space, person: str, present: bool) -> YouData:
    """Where a person stands.

    :param present: whether the person, if not known to the Space by name, is one of its listeners
    """
    participant = space.people.named.get(person)
    if participant is None:
        participant = Participant(person, Standing.LISTENER if present else Standing.OUTSIDE)
    until = participant.denied_until
    return YouData(
        standing=participant.standing,
        muted_by_self=participant.muted_by_self,
        muted_by_admin=participant.muted_by_admin,
        hand_raised=participant.hand_raised_at is not None,
        invited_as=participant.invited_as if participant.standing is Standing.INVITED else None,
        retry_at=None if until is None else datetime.fromtimestamp(until, UTC),
    )


def without_none(data: YouData) -> dict[str, Any]:
    """Return the fields that are set."""
    return data.model_dump(mode="json", exclude_none=True)
