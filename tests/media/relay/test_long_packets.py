"""Listeners who ask for 40 or 60 ms packets hear the same, in fewer of them."""

from itertools import pairwise

import pytest

from media.audio.opus import FRAME, packet_samples
from media.rtc.rtp import ntp_time, unix_time
from media.rtc.sdp import parse_sdp
from tests.media.relay.world import WALL, World, hears, misses
from tests.media.rtc.pair import Pair

A, B = 440.0, 700.0


@pytest.mark.parametrize("ptime", [40, 60])
def test_sound_time_and_capture_of_long_packets_are_right(world: World, ptime: int):
    ana = world.speaker("ana", A, "sendonly")
    ana.captured = lambda: ntp_time(WALL + world.now)
    lea, max_ = world.join("lea", "recvonly", ptime=ptime), world.join("max", "recvonly")
    world.run(0.6)
    since = world.now
    world.run(3.0)
    frames = ptime // 20
    long, short = ([each for each in member.packets if each[0] > since] for member in (lea, max_))
    assert len(short) == 150
    assert len(long) == 150 // frames
    assert {packet_samples(packet.payload) for _, packet in long} == {frames * FRAME}
    neighbours = [(one, two) for (_, one), (_, two) in pairwise(long)]
    assert {two.timestamp - one.timestamp & 0xFFFF_FFFF for one, two in neighbours} == {frames * FRAME}
    assert {two.sequence - one.sequence & 0xFFFF for one, two in neighbours} == {1}
    assert hears(lea, A, since)
    captured = [(time, packet.extensions) for time, packet in long if packet.extensions]
    assert 0.15 < 3.0 / len(captured) < 0.26
    for time, extensions in captured:
        taken = unix_time(int.from_bytes(extensions[2][:8], "big")) - WALL
        assert 0.015 < time - taken < 0.03 + 0.02 * frames, "that of the first frame"
    ana.says = None
    world.run(1.0)
    end = world.now
    world.run(1.0)
    assert misses(lea, A, end)
    assert 2 <= len([time for time, _ in lea.packets if time > end]) <= 3, "comfort noise every 400 ms"


@pytest.mark.parametrize("ptime", [40, 60])
def test_long_packets_are_spread_over_the_ticks(world: World, ptime: int):
    world.speaker("ana", A, "sendonly")
    frames = ptime // 20
    ears = [world.join(f"lea{n}", "recvonly", ptime=ptime) for n in range(2 * frames)]
    world.run(0.6)
    since = world.now
    world.run(20 * 0.02 * frames)
    per_tick: dict[float, int] = {}
    for ear in ears:
        for time, _ in ear.packets:
            if time > since:
                per_tick[time] = per_tick.get(time, 0) + 1
    assert set(per_tick.values()) == {2}


def test_marker_stands_on_the_first_long_packet_and_no_other(world: World):
    ana = world.speaker("ana", A, "sendonly")
    lea = world.join("lea", "recvonly", ptime=60)
    world.run(0.6)
    ana.says = None
    world.run(1.5)
    ana.says, since = A, world.now
    ana.timestamp += 48_000 * 3 // 2
    world.run(1.0)
    markers = [packet.marker for time, packet in lea.packets if time > since and len(packet.payload) > 20]
    assert markers[0]
    assert sum(markers) == 1


def test_someone_who_talks_hears_the_others_in_short_packets_meanwhile(world: World):
    world.speaker("ben", B, "sendonly")
    world.core.let_talk("room", "ana", True)
    ana = world.join("ana", "sendrecv", ptime=60)
    world.run(0.6)
    quiet = world.now
    world.run(0.6)
    ana.says = A
    world.run(0.6)
    talking = world.now
    world.run(0.6)
    lengths = [
        {packet_samples(packet.payload) for time, packet in ana.packets if start < time <= start + 0.6}
        for start in (quiet, talking)
    ]
    assert lengths == [{3 * FRAME}, {FRAME}]
    assert hears(ana, B, talking) and misses(ana, A, talking)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("ptime:40", 40),
        ("ptime:60", 60),
        ("ptime:120", 60),
        ("ptime:10", 20),
        ("ptime:50", 40),
        ("maxptime:60", 20),
    ],
)
def test_answer_says_what_is_sent(asked: str, answered: int):
    pair = Pair("recvonly", change_offer=lambda offer: f"{offer}a={asked}\r\n")
    assert f"a=ptime:{answered}\r\n" in pair.session.answer
    assert pair.session.frames == answered // 20
    assert parse_sdp(pair.session.answer).audio.ptime == answered
    short = Pair("recvonly", change_offer=lambda offer: f"{offer}a={asked}\r\na=maxptime:40\r\n")
    assert short.session.frames == min(answered, 40) // 20


def test_speaker_is_asked_for_short_packets_whatever_it_wants_to_hear():
    pair = Pair("sendrecv", change_offer=lambda offer: f"{offer}a=ptime:60\r\n")
    assert "a=ptime:20\r\n" in pair.session.answer
    assert pair.session.frames == 3
