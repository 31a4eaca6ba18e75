"""A session that gets another participant's name is theirs in all that depends on it."""

import pytest

from media.relay.plane import SessionDown
from media.relay.ticker import TICK
from tests.media.relay.world import ROOM, Member, World, hears, misses

A, B = 440.0, 700.0


@pytest.fixture
def renamed(world: World) -> tuple[Member, Member, Member]:
    """A speaker, one who listened without a name before speaking by another session, and that first session."""
    other = world.speaker("ana", A, "sendonly")
    ear = world.join("~1f", "recvonly")
    world.run(0.3)
    world.core.rename_session(ear.name, "ben")
    return other, world.speaker("ben", B, "sendonly"), ear


def test_nobody_hears_their_own_voice_on_a_session_from_before_they_had_a_name(
    world: World, renamed: tuple[Member, Member, Member]
) -> None:
    _, _, ear = renamed
    third = world.join("cem", "recvonly")
    world.run(0.5)
    since = world.now
    world.run(0.5)
    assert hears(ear, A, since) and misses(ear, B, since)
    assert hears(third, A, since) and hears(third, B, since)


def test_one_who_talks_already_ceases_to_hear_themselves_by_being_named(world: World) -> None:
    world.speaker("ana", A, "sendonly")
    world.speaker("ben", B, "sendonly")
    ear = world.join("~1f", "recvonly")
    world.run(0.5)
    since = world.now
    world.run(0.3)
    assert hears(ear, A, since) and hears(ear, B, since)
    world.core.rename_session(ear.name, "ben")
    world.run(0.1)
    since = world.now
    world.run(0.5)
    assert hears(ear, A, since) and misses(ear, B, since)


def test_they_are_dropped_by_their_name(world: World, renamed: tuple[Member, Member, Member]) -> None:
    _, mouth, ear = renamed
    world.core.drop_participant(ROOM, "ben")
    world.run(TICK)
    ended = [(e.session, e.participant) for e in world.events if isinstance(e, SessionDown)]
    assert ended == [(ear.name, "ben"), (mouth.name, "ben")]
    world.core.rename_session(ear.name, "cem")  # it has ended, which is no error
