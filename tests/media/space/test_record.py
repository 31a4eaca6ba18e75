"""What is written down of a Space, and read back: also by a version that knows more, or less, than the writer."""

import json
from typing import Any

import pytest

from media.space.errors import RemovedError
from media.space.people import Participant
from media.space.record import from_record, to_record
from media.space.space import Space
from media.space.states import Standing, State

OLD: dict[str, Any] = {
    "id": "1DXxyRYNejbKM",
    "host": "ana",
    "state": "live",
    "speak_policy": "invited",
    "policy": {"name": "2021-08", "speaker_seats": 10, "cohost_seats": 2, "grace": 30.0, "evidence_days": 30},
    "topic_ids": ["7"],
    "title": "Launch",
    "anonymous_listening": False,
    "lang": "en",
    "created_at": 1.0,
    "scheduled_start": None,
    "started_at": 2.0,
    "ended_at": None,
    "turns": 3,
    "spoke": ["ana", "ben"],
    "people": [
        {"person": "ana", "standing": "host", "turn": 0, "asked_at": None, "followed": False}
        | {"muted_by_self": True, "muted_by_admin": False, "denied_until": None},
        {"person": "ben", "standing": "speaker", "turn": 1, "asked_at": None, "followed": False}
        | {"muted_by_self": False, "muted_by_admin": True, "denied_until": None},
        {"person": "cem", "standing": "invited", "turn": 0, "asked_at": None, "followed": False}
        | {"muted_by_self": False, "muted_by_admin": False, "denied_until": None},
        {"person": "dag", "standing": "requested", "turn": 2, "asked_at": 9.0, "followed": True}
        | {"muted_by_self": False, "muted_by_admin": False, "denied_until": None},
        {"person": "eve", "standing": "removed", "turn": 0, "asked_at": None, "followed": False}
        | {"muted_by_self": False, "muted_by_admin": False, "denied_until": None},
    ],
}
"""As the first version wrote it: before there were hands, invitations with a role, links, pins and messages."""


def test_a_record_of_before_is_read() -> None:
    space = from_record(OLD, 100.0)
    assert (space.state, space.title, space.policy.speaker_seats, space.policy.pins) == (
        State.LIVE,
        "Launch",
        10,
        5,
    )
    assert {p.person: p.standing for p in space.people} == {
        "ana": Standing.HOST,
        "ben": Standing.SPEAKER,
        "cem": Standing.INVITED,
        "dag": Standing.REQUESTED,
        "eve": Standing.REMOVED,
    }
    assert space.people.known("ben").muted_by_admin
    assert (space.pins, list(space.links), space.waiting.median) == ([], [], None)
    space.accept("cem", 101.0)
    assert space.people.standing("cem") is Standing.SPEAKER
    with pytest.raises(RemovedError):
        space.join("eve", 101.0)


def test_what_a_later_version_wrote_beside_is_left_alone() -> None:
    later = OLD | {"mood": "good", "policy": OLD["policy"] | {"hats": 3}}
    assert to_record(from_record(later, 100.0)) == to_record(from_record(OLD, 100.0))


def test_everything_comes_back_from_json() -> None:
    space = Space("s", "host", 0.0)
    space.start("host", 0.0)
    space.join("host", 0.0)
    space.arrive(0.0, 5)
    space.make_link("host", "secret", "cohost", 1.0, uses=3)
    space.follow_link("ana", "secret", 1.0)
    space.raise_hand("ana", 2.0)
    space.mute("host", "ana", 2.0)
    space.invite("host", "ben", 2.0, role="cohost", via="link")
    space.ask("cem", 1.0)
    space.approve("host", "cem", 1.0)
    space.mute("host", "cem", 2.0)
    space.remove("host", "cem", 2.0)
    for post in ("7", "8"):
        space.pin("ana", post, 3.0)
        space.share("ana", post, 3.0)
    for second in range(105):
        space.say("host", f"message {second}", float(second))
    space.ask("dag", 4.0)
    record = to_record(space)
    back = from_record(json.loads(json.dumps(record)), 500.0)
    assert to_record(back) == record
    assert back.pins == ["8", "7"]
    assert [m.number for m in back.notes.messages] == list(range(6, 106))
    assert [(link.code, link.role, link.by, link.uses) for link in back.links] == [("secret", "cohost", "host", 2)]
    assert (back.people.known("ana").hand_raised, back.people.known("ana").muted_by_admin) == (True, True)
    assert (back.people.known("ben").invited_as, back.people.known("ben").invited_by) == ("cohost", "host")
    assert back.people.known("cem") == space.people.known("cem") == Participant("cem", Standing.REMOVED)


def test_a_raid_makes_no_long_record() -> None:
    space = Space("s", "host", 0.0)
    space.start("host", 0.0)
    before = len(json.dumps(to_record(space)))
    for number in range(1_000):
        space.remove("host", f"raider{number}", 1.0, present=False)
    assert len(json.dumps(to_record(space))) - before < 20_000
