"""A speaker's streams: each new SSRC is heard at once, in the compiled path as through the session."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.audio.opus import Encoder
from media.rtc.rtcp import build_bye, build_receiver_report, parse_rtcp
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.srtp import SrtpContext
from tests.media.relay.sound import strength, tone
from tests.media.relay.world import Member, World, hears

SOON = 0.5
"""Seconds within which a speaker is heard again."""


def renew(speaker: Member, ssrc: int, sequence: int, timestamp: int) -> None:
    """Let the speaker go on with another stream, as after ``replaceTrack`` or a restarted sender."""
    transport = speaker.client.transport
    keys = transport._handshake.keys if transport else None
    assert transport and keys
    transport.sender, transport._ssrc = SrtpContext(keys.profile, keys.send, ssrc), ssrc
    speaker.client.ssrc, speaker.sequence, speaker.timestamp = ssrc, sequence, timestamp


@pytest.fixture
def pair(world: World) -> tuple[Member, Member]:
    speaker = world.speaker("ana", 440.0)
    listener = world.join("lea", "recvonly")
    world.run(1.0)
    return speaker, listener


def loud_from(world: World, listener: Member, since: float) -> float:
    """Seconds from ``since`` until the tone is heard."""
    for at in range(100):
        start = since + 0.02 * at
        if strength(listener.heard(start, start + 0.1), 440.0) > 0.1:
            return start + 0.1 - since
    return float("inf")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF_FFFF),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF_FFFF),
            st.integers(0, 40),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda change: change[0],
    )
)
def test_new_stream_is_heard_at_once_wherever_it_starts(changes: list[tuple[int, int, int, int]]):
    world = World()
    try:
        speaker = world.speaker("ana", 440.0)
        listener = world.join("lea", "recvonly")
        world.run(0.5)
        for ssrc, sequence, timestamp, ticks in changes:
            renew(speaker, ssrc, sequence, timestamp)
            world.run(0.02 * ticks)
        since = world.now
        world.run(1.0)
        assert loud_from(world, listener, since) < SOON
        assert not world.downs() and world.core.snapshot().faults == 0
    finally:
        world.close()


def test_sequence_that_restarts_at_0_while_timestamps_go_on_is_heard_at_once(
    world: World, pair: tuple[Member, Member]
):
    speaker, listener = pair
    renew(speaker, speaker.client.ssrc ^ 0x5555, 0, speaker.timestamp)
    since = world.now
    world.run(2.0)
    assert loud_from(world, listener, since) < SOON


def test_fast_path_takes_each_new_stream(world: World, pair: tuple[Member, Member]):
    speaker, _ = pair
    record = world.core._peers[speaker.name].entry
    for change in range(1, 30):
        renew(speaker, change, 0, 0)
        world.run(0.1)
        assert world.core._door.peers.records[record]["source"] == change
    assert world.core.snapshot().dropped["too many streams"] == 0


def test_streams_that_alternate_are_heard_without_a_gap(world: World, pair: tuple[Member, Member]):
    """Two senders of one session, packet by packet: the one that began last is heard, whole."""
    speaker, listener = pair
    transport = speaker.client.transport
    keys = transport._handshake.keys if transport else None
    assert keys
    other, encoder, since = SrtpContext(keys.profile, keys.send, 4711), Encoder(), world.now
    for number in range(100):
        payload = encoder.encode(tone(880.0, number))
        packet = RtpPacket(111, number, 960 * number, 4711, payload)
        world.deliver(other.protect(build_rtp(packet)), speaker.address)
        world.run(0.02)
    assert hears(listener, 880.0, since + SOON)
    assert strength(listener.heard(since + SOON), 440.0) < 0.01
    assert world.core.snapshot().dropped["another stream"] > 80
    since = world.now
    world.run(1.0)
    assert loud_from(world, listener, since) < SOON, "the other one ended without a word"


def test_ssrc_of_the_stream_that_the_speaker_is_sent_is_as_good_as_any(world: World, pair: tuple[Member, Member]):
    speaker, listener = pair
    renew(speaker, world.core._peers[speaker.name].session.ssrc, 5, 5)
    since = world.now
    world.run(1.0)
    assert loud_from(world, listener, since) < SOON


def test_packets_of_another_payload_type_change_nothing(world: World, pair: tuple[Member, Member]):
    speaker, listener = pair
    transport = speaker.client.transport
    keys = transport._handshake.keys if transport else None
    assert keys
    video = SrtpContext(keys.profile, keys.send, 96)
    since = world.now
    for number in range(50):
        world.deliver(video.protect(build_rtp(RtpPacket(96, number, 0, 96, bytes(80)))), speaker.address)
        world.run(0.02)
    assert strength(listener.heard(since), 440.0) > 0.1
    assert world.core.snapshot().dropped["not negotiated"] == 50


def test_goodbye_for_the_stream_ends_it_and_what_comes_after_is_heard(world: World, pair: tuple[Member, Member]):
    speaker, listener = pair
    transport = speaker.client.transport
    assert transport and transport.sender
    compound = build_receiver_report(speaker.client.ssrc, (), "x") + build_bye(speaker.client.ssrc)
    speaker.client.outbox.append(transport.sender.protect_rtcp(compound))
    says, speaker.says = speaker.says, None
    world.run(6.0)
    assert world.downs() == []
    speaker.says, since = says, world.now
    world.run(1.0)
    assert loud_from(world, listener, since) < SOON


def test_speaker_is_reported_each_stream_by_its_own_numbers(world: World, pair: tuple[Member, Member]):
    speaker, _ = pair
    reports: list[tuple[int, int]] = []
    world.core._send, send = (
        lambda datagram, address: (reports.append(_block(speaker, datagram, address)), send(datagram, address)),
        world.core._send,
    )
    renew(speaker, 4711, 100, 0)
    world.run(12.0)
    blocks = [block for block in reports if block]
    assert blocks and {ssrc for ssrc, _ in blocks[1:]} == {4711}
    assert all(100 <= highest < 800 for _, highest in blocks[1:])


def _block(speaker: Member, datagram: bytes, address: tuple[str, int]) -> tuple[int, int]:
    """SSRC and highest sequence number of the report in a datagram; nothing if it is none."""
    keys = speaker.client.transport._handshake.keys if speaker.client.transport else None
    if address != speaker.address or not keys or len(datagram) < 8 or datagram[1] != 201:
        return ()  # type: ignore[return-value]
    compound = parse_rtcp(SrtpContext(keys.profile, keys.receive).unprotect_rtcp(datagram))
    return (compound.reports[0].ssrc, compound.reports[0].highest_sequence) if compound.reports else ()  # type: ignore[return-value]


def test_speaker_who_sends_no_check_is_heard_on(world: World, pair: tuple[Member, Member]):
    """Its packets take the fast path, of which the session learns when its time is up."""
    speaker, listener = pair
    speaker.client._check_at = None
    world.run(40.0)
    since = world.now
    world.run(1.0)
    assert world.downs() == []
    assert hears(listener, 440.0, since)
    speaker.gone = True
    world.run(16.0)
    assert world.downs() == [(speaker.name, "consent lost")]
