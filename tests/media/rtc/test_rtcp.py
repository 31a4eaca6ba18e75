"""RTCP compounds: read as others write them, refused where they contradict themselves."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.rtcp import (
    ReportBlock,
    RtcpError,
    SenderReport,
    build_bye,
    build_description,
    build_receiver_report,
    is_rtcp,
    parse_rtcp,
)

BLOCK = ReportBlock(7, 0.25, 100, 70_000, 48, 0x12345678, 65_536)


def sender_report(blocks: int = 0, body: bytes = b"") -> bytes:
    """A sender report of source 9 that says it has ``blocks`` blocks."""
    own = struct.pack("!LQLLL", 9, 0x1122334455667788, 960, 5, 400) + body
    return struct.pack("!BBH", 0x80 | blocks, 200, len(own) // 4) + own


def test_sender_report_is_read():
    compound = parse_rtcp(sender_report() + build_description(9, "name"))
    assert compound.sender == SenderReport(9, 0x1122334455667788, 960, 5, 400)
    assert compound.reports == compound.bye == ()


def test_blocks_of_sender_and_receiver_reports_are_read_alike():
    receiver = build_receiver_report(9, (BLOCK,), "name")
    block = receiver[8:32]
    assert parse_rtcp(receiver).reports == (BLOCK,)
    assert parse_rtcp(sender_report(1, block)).reports == (BLOCK,)


def test_loss_may_be_negative():
    block = ReportBlock(7, 0.0, -3, 0, 0, 0, 0)
    assert parse_rtcp(build_receiver_report(9, (block,), "x")).reports == (block,)


def test_total_loss_fits_the_fraction():
    block = ReportBlock(7, 1.0, 8_388_607, 0, 0, 0, 0)
    assert parse_rtcp(build_receiver_report(9, (block,), "x")).reports[0].fraction_lost == 255 / 256


def test_goodbye_is_heard_behind_other_packets():
    compound = parse_rtcp(build_receiver_report(9, (), "name") + build_bye(9))
    assert compound.bye == (9,)


def test_goodbye_with_a_reason_and_more_sources_than_words():
    reason = b"\x03bye"
    packet = struct.pack("!BBHL", 0x81, 203, 2, 9) + reason
    assert parse_rtcp(packet).bye == (9,)
    assert parse_rtcp(struct.pack("!BBHL", 0x9F, 203, 1, 9)).bye == (9,)


def test_unknown_types_are_passed_over():
    feedback = struct.pack("!BBHLLL", 0x8F, 206, 3, 1, 2, 3)
    assert parse_rtcp(feedback + build_bye(9)).bye == (9,)


@pytest.mark.parametrize("name", ["", "a", "ab", "abc", "abcd", "ü" * 200])
def test_descriptions_end_with_a_zero_on_a_word_boundary(name: str):
    packet = build_description(9, name)
    assert len(packet) % 4 == 0
    assert packet[-1] == 0
    assert int.from_bytes(packet[2:4], "big") * 4 + 4 == len(packet)
    parse_rtcp(packet)


@pytest.mark.parametrize("rest", [b"\x80", b"\x80\xc9\x00"])
def test_rest_of_a_header_is_refused(rest: bytes):
    with pytest.raises(RtcpError, match="at least 4"):
        parse_rtcp(build_bye(9) + rest)


def test_other_version_is_refused():
    with pytest.raises(RtcpError, match="version 2"):
        parse_rtcp(b"\x41" + build_bye(9)[1:])


def test_cut_off_packet_is_refused():
    with pytest.raises(RtcpError, match="cut off"):
        parse_rtcp(build_bye(9)[:6])


def test_short_sender_report_is_refused():
    with pytest.raises(RtcpError, match="at least 24"):
        parse_rtcp(struct.pack("!BBHL", 0x80, 200, 1, 9))


@pytest.mark.parametrize(
    "packet", [sender_report(1), struct.pack("!BBHL", 0x81, 201, 1, 9), bytes.fromhex("81c90000")]
)
def test_missing_blocks_are_refused(packet: bytes):
    with pytest.raises(RtcpError, match="fewer blocks"):
        parse_rtcp(packet)


def test_types_of_rtcp_and_of_opus_are_told_apart():
    assert is_rtcp(build_bye(9)) and is_rtcp(sender_report())
    for payload_type in (0, 63, 96, 111, 127):
        assert not is_rtcp(bytes([0x80, payload_type])) and not is_rtcp(bytes([0x80, payload_type | 0x80]))
    assert not is_rtcp(b"") and not is_rtcp(b"\x80")


@given(st.binary(max_size=120))
def test_junk_raises_nothing_but_rtcp_error(data: bytes):
    with suppress(RtcpError):
        parse_rtcp(data)


@given(st.integers(0, 31), st.integers(200, 207), st.integers(0, 12), st.binary(max_size=60))
def test_junk_behind_a_good_header_raises_nothing_but_rtcp_error(count: int, kind: int, words: int, body: bytes):
    with suppress(RtcpError):
        parse_rtcp(struct.pack("!BBH", 0x80 | count, kind, words) + body)


words32 = st.integers(0, 0xFFFF_FFFF)
blocks = st.builds(
    ReportBlock,
    ssrc=words32,
    fraction_lost=st.integers(0, 255).map(lambda n: n / 256),
    lost=st.integers(-(1 << 23), (1 << 23) - 1),
    highest_sequence=words32,
    jitter=words32,
    last_sender_report=words32,
    delay_since=words32,
)


@given(words32, st.lists(blocks, max_size=31), st.text(max_size=20))
def test_built_reports_parse_back(ssrc: int, own: list[ReportBlock], name: str):
    compound = parse_rtcp(build_receiver_report(ssrc, tuple(own), name) + build_bye(ssrc))
    assert compound.reports == tuple(own)
    assert compound.bye == (ssrc,)
