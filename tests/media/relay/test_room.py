"""Who hears whom: everyone but themselves, and only those who may be heard; in virtual time."""

from media.relay.plane import Levels
from tests.media.relay.sound import loudest
from tests.media.relay.world import ROOM, World, hears, misses

A, B, C = 440.0, 700.0, 1100.0


def test_tone_spoken_is_the_tone_heard(world: World):
    speaker = world.speaker("ana", A, "sendonly")
    listener = world.join("lea", "recvonly")
    world.run(0.5)
    since = world.now
    world.run(1.0)
    assert abs(loudest(listener.heard(since)) - A) < 3
    assert not speaker.packets
    assert len(listener.packets) >= 50


def test_speakers_hear_each_other_and_not_themselves(world: World):
    ana, ben = world.speaker("ana", A), world.speaker("ben", B)
    listener = world.join("lea", "recvonly")
    world.run(0.6)
    since = world.now
    world.run(1.0)
    assert hears(listener, A, since) and hears(listener, B, since)
    assert hears(ana, B, since) and misses(ana, A, since)
    assert hears(ben, A, since) and misses(ben, B, since)


def test_three_speakers_each_hear_the_two_others(world: World):
    people = {hertz: world.speaker(str(hertz), hertz) for hertz in (A, B, C)}
    world.run(0.6)
    since = world.now
    world.run(1.0)
    for own, member in people.items():
        for hertz in people:
            assert misses(member, hertz, since) if hertz == own else hears(member, hertz, since)


def test_participant_with_two_sessions_does_not_hear_itself_on_either(world: World):
    world.speaker("ana", A, "sendonly")
    first, second = world.join("ana", "recvonly"), world.join("ana", "recvonly")
    world.speaker("ben", B, "sendonly")
    world.run(0.6)
    since = world.now
    world.run(0.6)
    late = world.join("ana", "recvonly")
    world.run(0.6)
    for ear in (first, second, late):
        assert hears(ear, B, since) and misses(ear, A, since)


def test_lone_speaker_hears_nothing_of_itself_and_the_line_stays_open(world: World):
    ana = world.speaker("ana", A)
    world.run(0.6)
    since = world.now
    world.run(2.0)
    assert misses(ana, A, since)
    assert 3 <= len([time for time, _ in ana.packets if time >= since]) <= 8, "comfort noise every 400 ms"


def test_room_in_which_nobody_talks_costs_a_packet_every_400_ms(world: World):
    listener = world.join("lea", "recvonly")
    world.run(4.0)
    assert 9 <= len(listener.packets) <= 11


def test_first_packet_after_a_pause_carries_the_marker(world: World):
    speaker = world.speaker("ana", A, "sendonly")
    listener = world.join("lea", "recvonly")
    world.run(0.6)
    speaker.says = None
    world.run(1.5)
    speaker.says, since = A, world.now
    speaker.timestamp += 48_000 * 3 // 2
    world.run(1.0)
    markers = [packet.marker for time, packet in listener.packets if time > since and len(packet.payload) > 10]
    assert sum(markers) == 1


def test_listener_s_stream_has_no_gaps_and_keeps_time(world: World):
    world.speaker("ana", A)
    ben = world.speaker("ben", B)
    listener = world.join("lea", "recvonly")
    world.run(0.6)
    for says in (None, B, None):
        ben.says = says
        world.run(0.6)
    for member in (listener, ben):
        packets = [packet for _, packet in member.packets]
        start, clock = packets[0], member.packets[0][0]
        for number, (time, packet) in enumerate(member.packets):
            assert (packet.sequence - start.sequence) & 0xFFFF == number
            elapsed = (packet.timestamp - start.timestamp) & 0xFFFF_FFFF
            assert abs(elapsed - 48_000 * (time - clock)) < 1
        assert {packet.ssrc for packet in packets} == {start.ssrc}


def test_rooms_do_not_hear_each_other(world: World):
    world.core.open_room("other")
    world.speaker("ana", A)
    stranger = world.join("lea", "recvonly", room="other")
    world.run(1.0)
    assert misses(stranger, A, 0.0)


def test_without_the_right_to_speak_nothing_is_heard(world: World):
    mallory = world.join("mallory", "sendrecv")
    mallory.says = A
    listener = world.join("lea", "recvonly")
    world.run(1.0)
    assert misses(listener, A, 0.0)
    assert world.core.snapshot().dropped["no right to speak"] >= 49
    world.core.let_talk(ROOM, "mallory", True)
    world.run(0.5)
    since = world.now
    world.run(0.5)
    assert hears(listener, A, since)


def test_listener_who_sends_anyway_is_dropped_packet_by_packet(world: World):
    world.core.let_talk(ROOM, "lea", True)
    lea, other = world.join("lea", "recvonly"), world.join("max", "recvonly")
    lea.says = A
    world.run(0.5)
    assert misses(other, A, 0.0)
    assert world.core.snapshot().dropped["not negotiated"] >= 24


def test_newer_session_of_a_speaker_takes_the_place_of_the_older(world: World):
    older = world.speaker("ana", A, "sendonly")
    listener = world.join("lea", "recvonly")
    world.run(0.5)
    newer = world.speaker("ana", B, "sendonly")
    world.run(0.8)
    since = world.now
    world.run(0.5)
    assert hears(listener, B, since) and misses(listener, A, since)
    assert world.core.snapshot().dropped["superseded session"] > 0
    world.core.drop_session(newer.name)
    world.run(0.8)
    since = world.now
    world.run(0.5)
    assert hears(listener, A, since), "the older goes on where the newer left"
    assert older.closed is None


def test_levels_name_those_who_talk(world: World):
    ana = world.speaker("ana", A)
    world.speaker("ben", B).says = None
    world.run(1.0)
    levels = [event.dbov for event in world.events if isinstance(event, Levels)]
    assert set(levels[-1]) == {"ana"}
    assert -20 < levels[-1]["ana"] < -5
    ana.says = None
    world.run(3.0)
    levels = [event.dbov for event in world.events if isinstance(event, Levels)]
    assert levels[-1] == {}
    assert len(levels) <= 21, "at most five a second"
