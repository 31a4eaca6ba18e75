"""A Space as its events show it."""

from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json

from media.server.events.schema import RequestsData, SpaceData, StageData, YouData
from media.server.schemas import PersonOut, RequestOut, SpaceOut
from media.space.people import Participant
from media.space.space import Space
from media.space.states import Standing

_COUNTED: Final = {"participant_count", "listener_count", "subscriber_count", "message_count"} | {
    "speaker_ids",
    "pinned_post_ids",
}
"""What changes without being news: counts come with the pulse, who has spoken follows from the stage."""


class View:
    """What a Space looks like at a moment."""

    def __init__(self, space: Space) -> None:
        people = [PersonOut.of(p) for p in space.people if p.on_stage]
        self.stage = StageData(data=people)
        self.pins: list[str] = list(getattr(space, "pins", ()))
        shown = SpaceOut.of(space)
        self.space = SpaceData.model_construct(**dict(shown), stage=people, pins=self.pins)
        self.requests = RequestsData(data=RequestOut.queue(space))
        hosts = space.people.with_standing(Standing.HOST, Standing.COHOST)
        self.managers = frozenset(p.person for p in hosts)
        self.keys: dict[str, bytes] = {
            "space": to_json(shown.model_dump(exclude=_COUNTED)),
            "stage": to_json(self.stage),
            "requests": to_json(self.requests),
            "pins": to_json(self.pins),
        }
        """What tells whether a part is different from before."""


def you(space: Space, person: str, present: bool) -> YouData:
    """Where a person stands."""
    participant = space.people.named.get(person)
    if participant is None:
        participant = Participant(person, Standing.LISTENER if present else Standing.OUTSIDE)
    until = participant.denied_until
    return YouData(
        standing=participant.standing,
        muted_by_self=participant.muted_by_self,
        muted_by_admin=participant.muted_by_admin,
        hand_raised=getattr(participant, "hand_raised", False),
        retry_at=None if until is None else datetime.fromtimestamp(until, UTC),
    )


def without_none(data: YouData) -> dict[str, Any]:
    """Return the fields that are set."""
    return data.model_dump(mode="json", exclude_none=True)
