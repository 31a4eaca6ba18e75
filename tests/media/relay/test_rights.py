"""Rights taken away act in the media path: at the latest 100 ms later nothing is heard."""

import pytest

from media.relay.plane import PlaneError
from media.rtc.events import Closed
from media.rtc.sdp import parse_sdp
from tests.media.relay.sound import loudest
from tests.media.relay.world import ROOM, Member, World, hears, misses

A, B = 440.0, 700.0
LIMIT = 0.1
"""Seconds in which a revoked right must be silent (issue's figure)."""


@pytest.fixture
def talk(world: World) -> tuple[Member, Member]:
    """A speaker in full flow, and a listener."""
    pair = world.speaker("ana", A), world.join("lea", "recvonly")
    world.run(0.6)
    return pair


def test_mute_is_silent_at_once_and_unmute_is_heard_again(world: World, talk: tuple[Member, Member]):
    _, listener = talk
    world.core.mute(ROOM, "ana", True)
    world.run(LIMIT)
    since = world.now
    world.run(2.0)
    assert misses(listener, A, since)
    world.core.mute(ROOM, "ana", False)
    world.run(0.3)
    since = world.now
    world.run(0.5)
    assert hears(listener, A, since)
    assert abs(loudest(listener.heard(since)) - A) < 3


def test_sound_from_before_the_mute_is_not_heard_after_it(world: World, talk: tuple[Member, Member]):
    speaker, listener = talk
    world.core.mute(ROOM, "ana", True)
    world.run(0.5)
    speaker.says = B
    world.run(0.5)
    since = world.now
    world.core.mute(ROOM, "ana", False)
    world.run(0.5)
    assert misses(listener, A, since) and hears(listener, B, since)


def test_right_taken_is_silent_at_once_and_may_be_given_again(world: World, talk: tuple[Member, Member]):
    speaker, listener = talk
    world.core.let_talk(ROOM, "ana", False)
    world.run(LIMIT)
    since = world.now
    world.run(1.0)
    assert misses(listener, A, since)
    assert speaker.closed is None, "the session stays: a former speaker goes on listening"
    world.core.let_talk(ROOM, "ana", True)
    world.run(0.3)
    since = world.now
    world.run(0.5)
    assert hears(listener, A, since)


def test_former_speaker_hears_the_others(world: World, talk: tuple[Member, Member]):
    speaker, _ = talk
    world.speaker("ben", B)
    world.run(0.5)
    world.core.let_talk(ROOM, "ana", False)
    world.run(0.5)
    since = world.now
    world.run(0.5)
    assert hears(speaker, B, since)


def test_mute_holds_over_loss_and_return_of_the_right(world: World, talk: tuple[Member, Member]):
    _, listener = talk
    world.core.mute(ROOM, "ana", True)
    world.core.let_talk(ROOM, "ana", False)
    world.core.let_talk(ROOM, "ana", True)
    world.run(0.1)
    since = world.now
    world.run(0.6)
    assert misses(listener, A, since)


def test_mute_before_the_first_session_holds(world: World):
    world.core.mute(ROOM, "ana", True)
    world.speaker("ana", A)
    listener = world.join("lea", "recvonly")
    world.run(0.6)
    assert misses(listener, A, 0.0)


def test_removed_participant_loses_all_sessions_and_is_silent(world: World, talk: tuple[Member, Member]):
    speaker, listener = talk
    ear = world.join("ana", "recvonly")
    world.core.drop_participant(ROOM, "ana")
    world.run(LIMIT)
    since = world.now
    world.run(1.0)
    assert misses(listener, A, since)
    assert world.downs() == [(speaker.name, "removed"), (ear.name, "removed")]
    assert speaker.closed and ear.closed, "both were told"
    assert world.core.snapshot().sessions == 1


def test_end_of_a_room_ends_everyone_in_it_and_nobody_else(world: World, talk: tuple[Member, Member]):
    speaker, listener = talk
    world.core.open_room("other")
    stranger = world.join("max", "recvonly", room="other")
    heard = len(listener.packets)
    world.core.close_room(ROOM)
    world.run(1.0)
    assert len(listener.packets) == heard
    assert {name for name, _ in world.downs()} == {speaker.name, listener.name}
    assert {reason for _, reason in world.downs()} == {"room closed"}
    assert listener.closed == Closed("closed by peer")
    assert stranger.closed is None and len(stranger.packets) > 1
    assert world.core.snapshot().rooms == 1


def test_room_opened_again_is_a_new_one(world: World, talk: tuple[Member, Member]):
    world.core.close_room(ROOM)
    world.core.open_room(ROOM)
    mallory, listener = world.join("ana", "sendonly"), world.join("lea", "recvonly")
    mallory.says = A
    world.run(0.6)
    assert misses(listener, A, 0.0), "rights do not outlive their room"


def test_deleted_session_is_told_and_gone(world: World, talk: tuple[Member, Member]):
    speaker, listener = talk
    world.core.drop_session(listener.name)
    world.core.drop_session(listener.name)
    heard = len(listener.packets)
    world.run(0.5)
    assert len(listener.packets) == heard
    assert world.downs() == [(listener.name, "deleted")]
    assert listener.closed == Closed("closed by peer")
    assert speaker.closed is None


def test_commands_for_the_unknown_change_nothing(world: World):
    world.core.close_room("nowhere")
    world.core.drop_session("nobody")
    world.core.drop_participant("nowhere", "nobody")
    world.core.let_talk("nowhere", "nobody", True)
    world.core.mute("nowhere", "nobody", True)
    world.core.open_room(ROOM)
    assert world.events == []


def test_session_needs_an_open_room_and_a_name_of_its_own(world: World):
    first = world.join("ana")
    offer = parse_sdp(first.client.offer)
    with pytest.raises(PlaneError, match="Room elsewhere is not open"):
        world.core.add_session("elsewhere", "ana", "new", offer, world.now)
    with pytest.raises(PlaneError, match="exists already"):
        world.core.add_session(ROOM, "ana", first.name, offer, world.now)


def test_room_that_cannot_be_mixed_falls_silent_and_leaves_the_others_alone(world: World, monkeypatch, caplog):
    world.core.open_room("other")
    world.core.let_talk("other", "ben", True)
    ben, other = world.join("ben", "sendonly", room="other"), world.join("max", "recvonly", room="other")
    ben.says = B
    world.speaker("ana", A)
    listener = world.join("lea", "recvonly")
    world.run(0.6)

    def broken(*_: object) -> None:
        raise RuntimeError("a fault made for this test")

    room = world.core._rooms[ROOM]
    monkeypatch.setattr(room, "tick", broken)
    heard, since = len(listener.packets), world.now
    world.run(0.5)
    assert world.core.snapshot().faults == 25
    assert "could not be mixed" in caplog.text
    assert len(listener.packets) == heard
    assert hears(other, B, since)
    monkeypatch.undo()
    world.run(0.3)
    since = world.now
    world.run(0.5)
    assert hears(listener, A, since)
    world.core.stats.faults = 0
