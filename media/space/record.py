"""A Space as plain data, so that it outlives the process that holds it.

The crowd is not in it: after a restart nobody is connected, and whoever comes back is counted again. Reactions
are not in it either: what fades is not kept. A field that a record does not have, because it was written before
there was one, has the value that a new Space has.
"""

from dataclasses import asdict
from typing import Any

from media.space.links import Link
from media.space.notes import Message, Shown
from media.space.people import Participant
from media.space.policy import EntryPolicy, Policy, SpeakPolicy
from media.space.space import Space
from media.space.states import PERSON, Input, Standing, State
from media.space.tickets import Offer
from media.space.waiting import Waiting

Record = dict[str, Any]
"""Holds only what JSON holds."""

_PERSON = (
    *("turn", "asked_at", "followed", "muted_by_self", "muted_by_admin", "hand_raised_at"),
    *("denied_until", "invited_by", "invited_as"),
)
_NOBODY = Participant("", Standing.OUTSIDE)
"""Has what is not written down: it is the same for almost everybody."""
_SPACE = (
    *(
        "title",
        "anonymous_listening",
        "removal_ends_anonymous",
        "is_available_for_replay",
        "locked",
        "entry_rate",
        "mute_on_entry",
        "lang",
        "created_at",
        "scheduled_start",
        "started_at",
        "ended_at",
    ),
    *("end_reason", "sequence", "subscriber_count"),
)


def to_record(space: Space) -> Record:
    """Write a Space down."""
    return {
        "id": space.id,
        "host": space.host,
        "state": space.state.value,
        "speak_policy": space.speak_policy.value,
        "entry_policy": space.entry_policy.value,
        "policy": asdict(space.policy),
        "topic_ids": list(space.topic_ids),
        **{name: getattr(space, name) for name in _SPACE},
        "tickets": None if space.tickets is None else asdict(space.tickets),
        "turns": space.people.turns,
        "spoke": list(space.spoke),
        "people": [
            {"person": p.person, "standing": p.standing.value}
            | {name: getattr(p, name) for name in _PERSON if getattr(p, name) != getattr(_NOBODY, name)}
            for p in space.people.around
        ],
        "removed": [p.person for p in space.people.with_standing(Standing.REMOVED)],
        "gaps": list(space.waiting.gaps),
        "waits": list(space.waiting.waits),
        "links": [asdict(link) for link in space.links],
        "pins": [asdict(shown) for shown in space.notes.pins],
        "shared": [asdict(shown) for shown in space.notes.shared],
        "messages": [asdict(message) for message in space.notes.messages],
        "shown_count": space.notes.shown_count,
        "message_count": space.notes.message_count,
    }


def from_record(record: Record, now: float) -> Space:
    """Read a Space back, in which nobody is connected yet: every grace time begins at ``now``."""
    known = {name: value for name, value in record["policy"].items() if name in Policy.__dataclass_fields__}
    space = Space(record["id"], record["host"], record["created_at"], policy=Policy(**known))
    space.state = State(record["state"])
    space.speak_policy = SpeakPolicy(record["speak_policy"])
    space.entry_policy = EntryPolicy(record.get("entry_policy", EntryPolicy.EVERYONE))
    space.topic_ids = tuple(record["topic_ids"])
    for name in _SPACE:
        setattr(space, name, record.get(name, getattr(space, name)))
    if (offer := record.get("tickets")) is not None:
        space.tickets = Offer(**offer)
    space.spoke = dict.fromkeys(record["spoke"])
    space.people.turns = record["turns"]
    live = space.state is State.LIVE
    space.unattended_since = space.empty_since = now if live else None
    for entry in record["people"]:
        participant = Participant(entry["person"], Standing(entry["standing"]))
        for name in _PERSON:
            setattr(participant, name, entry.get(name, getattr(participant, name)))
        if participant.standing is Standing.LISTENER:
            participant.standing = Standing.OUTSIDE
        if live and (participant.standing, Input.EXPIRE) in PERSON:
            participant.lost_at = now
        space.people.know(participant)
    for person in record.get("removed", ()):
        space.people.know(Participant(person, Standing.REMOVED))
    space.waiting = Waiting(record.get("gaps", ()), record.get("waits", ()))
    space.waiting.note((), space.people.number(Standing.REQUESTED), now)
    for entry in record.get("links", ()):
        space.links.keep(Link(**entry))
    space.notes.pins = [Shown(**entry) for entry in record.get("pins", ())]
    space.notes.shared.extend(Shown(**entry) for entry in record.get("shared", ()))
    space.notes.messages.extend(Message(**entry) for entry in record.get("messages", ()))
    space.notes.shown_count = record.get("shown_count", 0)
    space.notes.message_count = record.get("message_count", 0)
    return space
