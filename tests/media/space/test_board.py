"""What stands above a Space, whose hand is up, and what an invitation sets right: rules that few stories reach."""

import pytest

from media.space import invitations
from media.space.errors import CoolDownError, NoRightError, SeatsFullError
from media.space.events import HandLowered
from media.space.policy import DEFAULT
from media.space.space import Space


@pytest.fixture
def space() -> Space:
    """A live Space of ana with two speakers and listeners."""
    made = Space("s", "ana", 0.0)
    made.start("ana", 0.0)
    made.arrive(0.0, 10)
    for person in ("ben", "cem"):
        made.ask(person, 0.0)
        made.approve("ana", person, 0.0)
    return made


def test_a_speaker_takes_down_what_they_pinned_and_nothing_else(space: Space) -> None:
    space.pin("ben", "7", 1.0)
    with pytest.raises(NoRightError):
        space.unpin("cem", "7", 1.0)
    assert space.pins == ["7"]
    space.unpin("ben", "7", 1.0)
    space.pin("ben", "8", 1.0)
    space.promote("ana", "cem", 1.0)
    space.unpin("cem", "8", 1.0)
    assert space.pins == []


def test_pins_are_as_many_as_the_policy_says(space: Space) -> None:
    for number in range(DEFAULT.pins):
        space.pin("ana", str(number), 1.0)
    with pytest.raises(SeatsFullError, match=f"at most {DEFAULT.pins} pinned"):
        space.pin("ana", "more", 1.0)


def test_whoever_unmutes_has_been_heard_and_the_hand_goes_down(space: Space) -> None:
    space.raise_hand("ben", 1.0)
    assert HandLowered(2.0, "ben") in space.unmute("ben", "ben", 2.0)
    assert not space.people.known("ben").hand_raised
    space.raise_hand("ben", 3.0)
    space.mute("ben", "ben", 4.0)
    assert space.people.known("ben").hand_raised, "to mute oneself lowers nothing"


def test_an_invitation_ends_a_cool_down(space: Space) -> None:
    space.ask("dag", 1.0)
    space.deny("ana", "dag", 1.0)
    with pytest.raises(CoolDownError):
        space.ask("dag", 2.0)
    space.make_link("ana", "code", "speaker", 2.0)
    space.follow_link("dag", "code", 3.0)
    space.step_down("dag", "dag", 4.0)
    space.ask("dag", 5.0)
    assert [p.person for p in space.people.queue] == ["dag"]


def test_invitations_have_an_end(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "INVITED_MAX", 2)
    for person in ("dag", "eve"):
        space.invite("ana", person, 1.0, present=False)
    with pytest.raises(SeatsFullError, match="2 invitations"):
        space.invite("ana", "fay", 1.0, present=False)
    space.uninvite("ana", "dag", 1.0)
    space.invite("ana", "fay", 1.0, present=False)
