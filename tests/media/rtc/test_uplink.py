"""What a speaker is told of how it arrives, against RFC 3550's definitions on scripted streams."""

import pytest

from media.rtc.events import RtcpReceived
from media.rtc.rtcp import SenderReport, build_receiver_report
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.session import REPORT_INTERVAL
from media.rtc.uplink import Uplink
from tests.media.rtc.pair import Pair


def feed(uplink: Uplink, numbers: list[int], *, start: float = 0.0, ssrc: int = 7) -> None:
    """Packets that arrive exactly when they were sent."""
    for number in numbers:
        packet = RtpPacket(111, number & 0xFFFF, 960 * number & 0xFFFF_FFFF, ssrc, b"")
        uplink.note(packet, start + 0.02 * number)


def test_nothing_is_reported_of_silence():
    uplink = Uplink()
    assert uplink.block(1.0) is None
    feed(uplink, [1, 2])
    assert uplink.block(1.0)
    assert uplink.block(6.0) is None


def test_losses_in_all_and_since_the_report_before():
    uplink = Uplink()
    feed(uplink, [number for number in range(100) if number % 4 != 1])
    first = uplink.block(2.0)
    assert first and (first.fraction_lost, first.lost, first.highest_sequence) == (0.25, 25, 99)
    feed(uplink, [*range(100, 200)])
    second = uplink.block(4.0)
    assert second and (second.fraction_lost, second.lost, second.highest_sequence) == (0.0, 25, 199)


def test_numbers_wrap_and_are_counted_on():
    uplink = Uplink()
    feed(uplink, [*range(65_530, 65_546)])
    block = uplink.block(1.0)
    assert block and (block.lost, block.highest_sequence) == (0, 65_545)


def test_reordered_packets_are_not_lost_and_duplicates_count_against():
    uplink = Uplink()
    feed(uplink, [1, 3, 2, 4, 4, 4])
    block = uplink.block(1.0)
    assert block and (block.fraction_lost, block.lost, block.highest_sequence) == (0.0, -2, 4)


def test_jitter_is_the_mean_change_of_transit_time():
    uplink = Uplink()
    for number in range(1_000):
        late = 0.010 * (number % 2)
        uplink.note(RtpPacket(111, number, 960 * number, 7, b""), 5.0 + 0.02 * number + late)
    block = uplink.block(30.0)
    assert block and block.jitter == pytest.approx(480, abs=3)


def test_timestamps_that_wrap_are_no_jitter():
    uplink = Uplink()
    feed(uplink, [*range((1 << 32) // 960 - 5, (1 << 32) // 960 + 5)])
    block = uplink.block(1.0)
    assert block and block.jitter <= 1


def test_new_source_begins_anew():
    uplink = Uplink()
    feed(uplink, [1, 5, 9])
    feed(uplink, [1000, 1001], ssrc=8)
    block = uplink.block(1.0)
    assert block and (block.ssrc, block.lost, block.highest_sequence) == (8, 0, 1001)


def test_last_sender_report_and_its_age():
    uplink = Uplink()
    feed(uplink, [1])
    uplink.note_sender(SenderReport(7, 0x1111_2222_3333_4444, 0, 1, 1), 10.0)
    block = uplink.block(12.5)
    assert block and (block.last_sender_report, block.delay_since) == (0x2222_3333, int(2.5 * 65_536))


def test_sender_report_that_came_after_the_moment_that_is_reported_on():
    uplink = Uplink()
    feed(uplink, [1])
    uplink.note_sender(SenderReport(7, 1 << 16, 0, 1, 1), 10.0)
    block = uplink.block(9.999)
    assert block and block.delay_since == 0
    assert build_receiver_report(1, (block,), "x")


def test_speaker_is_told_every_five_seconds_while_it_sends():
    pair = Pair()
    pair.connect()
    assert pair.client.transport and pair.client.transport.sender
    begun = pair.now
    for number in range(600):
        if number % 10:
            packet = RtpPacket(111, number, 960 * number, pair.client.ssrc, b"opus")
            pair.client.outbox.append(pair.client.transport.sender.protect(build_rtp(packet)))
        pair.run(0.02)
    pair.run(60.0)
    reports = [(time, event) for time, event in pair.client_events if isinstance(event, RtcpReceived)]
    assert [round((time - begun) / REPORT_INTERVAL) for time, _ in reports] == [1, 2, 3]
    for _, event in reports:
        [block] = event.compound.reports
        assert block.ssrc == pair.client.ssrc
        assert block.fraction_lost == pytest.approx(0.1, abs=0.02)
    pair.close()


def test_listener_is_told_nothing():
    pair = Pair("recvonly")
    pair.connect()
    pair.run(20.0)
    assert not pair.seen(RtcpReceived, "client")
    pair.close()
