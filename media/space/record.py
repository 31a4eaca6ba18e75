"""A Space as plain data, so that it outlives the process that holds it.

The crowd is not in it: after a restart nobody is connected, and whoever comes back is counted again.
"""

from typing import Any

from media.space.people import Participant
from media.space.policy import Policy, SpeakPolicy
from media.space.space import Space
from media.space.states import PERSON, Input, Standing, State

Record = dict[str, Any]
"""Holds only what JSON holds."""

_PERSON = ("turn", "asked_at", "followed", "muted_by_self", "muted_by_admin", "denied_until")
_SPACE = ("title", "anonymous_listening", "lang", "created_at", "scheduled_start", "started_at", "ended_at")


def to_record(space: Space) -> Record:
    """Write a Space down."""
    return {
        "id": space.id,
        "host": space.host,
        "state": space.state.value,
        "speak_policy": space.speak_policy.value,
        "policy": {name: getattr(space.policy, name) for name in space.policy.__dataclass_fields__},
        "topic_ids": list(space.topic_ids),
        **{name: getattr(space, name) for name in _SPACE},
        "turns": space.people.turns,
        "spoke": list(space.spoke),
        "people": [
            {"person": p.person, "standing": p.standing.value, **{name: getattr(p, name) for name in _PERSON}}
            for p in space.people
        ],
    }


def from_record(record: Record, now: float) -> Space:
    """Read a Space back, in which nobody is connected yet: every grace time begins at ``now``."""
    space = Space(record["id"], record["host"], record["created_at"], policy=Policy(**record["policy"]))
    space.state = State(record["state"])
    space.speak_policy = SpeakPolicy(record["speak_policy"])
    space.topic_ids = tuple(record["topic_ids"])
    for name in _SPACE:
        setattr(space, name, record[name])
    space.spoke = dict.fromkeys(record["spoke"])
    space.people.turns = record["turns"]
    live = space.state is State.LIVE
    space.unattended_since = now if live else None
    for entry in record["people"]:
        participant = Participant(entry["person"], Standing(entry["standing"]))
        for name in _PERSON:
            setattr(participant, name, entry[name])
        if participant.standing is Standing.LISTENER:
            participant.standing = Standing.OUTSIDE
        if live and (participant.standing, Input.EXPIRE) in PERSON:
            participant.lost_at = now
        space.people.named[participant.person] = participant
    return space
