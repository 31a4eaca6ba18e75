"""Large work in small turns: the end of a large room takes as many turns as it needs, and no tick waits for it."""

import pytest

from media.relay.core import TURN
from media.relay.plane import PlaneError
from media.relay.ticker import TICK
from media.rtc.freshness import FIRST_CHECK_TIMEOUT
from media.rtc.sdp import parse_sdp
from tests.media.relay.world import ROOM, Member, World, hears, misses

LARGE = 5 * TURN + 3
"""Sessions of the large room: more than five turns can end."""
TONE = 440.0


@pytest.fixture
def crowd(world: World) -> list[Member]:
    """The listeners of a large room."""
    return [world.join(f"listener {number}", "recvonly") for number in range(LARGE)]


def turns(world: World) -> list[int]:
    """How many sessions ended in each call, until none is due."""
    ended: list[int] = []
    while world.core.next_timer <= world.now:
        before = len(world.downs())
        world.core.handle_timers(world.now)
        ended.append(len(world.downs()) - before)
    return ended


def test_end_of_a_large_room_is_spread_over_turns(world: World, crowd: list[Member]):
    world.core.close_room(ROOM)
    assert world.downs() == [], "the command itself ends nobody"
    assert world.core.next_timer < world.now, "the next turn is due at once"
    assert turns(world) == [TURN] * 5 + [3]
    assert world.downs() == [(member.name, "room closed") for member in crowd], "in the order in which they came"
    assert world.core.snapshot().sessions == 0


def test_room_is_silent_as_soon_as_it_is_closed(world: World, crowd: list[Member]):
    world.speaker("ana", TONE)
    world.run(0.4)
    world.core.close_room(ROOM)
    heard = [len(member.packets) for member in crowd]
    world.core.tick(world._port.fileno(), world.now + TICK, 0.0)
    for member in crowd:
        world._fanned_out(member)
    assert [len(member.packets) for member in crowd] == heard


def test_others_hear_on_while_a_large_room_ends(world: World, crowd: list[Member]):
    world.core.open_room("other")
    world.core.let_talk("other", "ben", True)
    ben, other = world.join("ben", "sendonly", room="other"), world.join("max", "recvonly", room="other")
    ben.says = TONE
    world.run(0.4)
    heard, since = len(other.packets), world.now
    world.core.close_room(ROOM)
    world.run(0.2)
    assert len(other.packets) - heard == 10, "a packet in every tick"
    assert hears(other, TONE, since)
    assert len(world.downs()) == LARGE and all(member.closed for member in crowd)


def test_room_of_the_same_name_is_another_while_the_first_ends(world: World, crowd: list[Member]):
    world.core.close_room(ROOM)
    world.core.open_room(ROOM)
    world.speaker("ana", TONE)
    newcomer = world.join("lea", "recvonly")
    world.run(0.4)
    assert hears(newcomer, TONE, world.now - 0.2)
    assert all(misses(member, TONE, 0.0) for member in crowd)
    assert len(world.downs()) == LARGE and newcomer.closed is None


def test_sessions_that_are_over_take_no_command(world: World, crowd: list[Member]):
    session = crowd[-1]
    world.core.close_room(ROOM)
    world.core.drop_session(session.name)
    world.core.rename_session(session.name, "somebody else")
    with pytest.raises(PlaneError, match="not on this relay"):
        world.core.restart_ice(session.name, object(), world.now)  # pyright: ignore[reportArgumentType]
    assert world.downs() == []
    turns(world)
    assert (session.name, "room closed") in world.downs()


def test_session_that_is_over_does_not_come_up(world: World):
    world.core.open_room("second")
    late = Member("late", "lea", "recvonly")
    answer = world.core.add_session("second", "lea", "late", parse_sdp(late.client.offer), world.now)
    late.client.accept(answer, world.now)
    for _ in range(2 * TURN):
        world.join("x", "recvonly")
    world.members.append(late)
    world.core.close_room(ROOM)
    world.core.close_room("second")
    world._settle()
    assert not late.up and ("late", "room closed") not in world.downs()
    world.run(1.0)
    assert not late.up and ("late", "room closed") in world.downs()


def test_removed_participant_hears_nothing_more_however_many_sessions_wait_for_their_end(
    world: World, crowd: list[Member]
):
    world.core.open_room("other")
    world.core.let_talk("other", "ben", True)
    ben, other = world.join("ben", "sendonly", room="other"), world.join("max", "recvonly", room="other")
    ben.says = TONE
    world.run(0.4)
    world.core.close_room(ROOM)
    world.core.drop_participant("other", "max")
    heard = len(other.packets)
    world.core.tick(world._port.fileno(), world.now + TICK, 0.0)
    world._fanned_out(other)
    assert len(other.packets) == heard
    assert ("max", "removed") not in world.downs()
    turns(world)
    assert world.downs()[-1] == (other.name, "removed")


def test_sessions_that_all_lose_consent_at_once_end_in_turns(world: World):
    for number in range(LARGE):
        member = Member(f"s{number}", f"p{number}", "recvonly")
        world.core.add_session(ROOM, member.participant, member.name, parse_sdp(member.client.offer), world.now)
        member.socket.close()
    world.now += FIRST_CHECK_TIMEOUT + TICK
    assert turns(world) == [TURN] * 5 + [3]


def test_end_of_the_relay_ends_those_that_wait_for_their_end(world: World, crowd: list[Member]):
    world.core.close_room(ROOM)
    world.core.close()
    assert len(world.downs()) == LARGE
