"""Reports read in native code against the Python parser."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.peers import PEER
from media.rtc.reception import book, find_block, round_trip
from media.rtc.rtcp import (
    ReportBlock,
    RtcpError,
    build_bye,
    build_description,
    build_receiver_report,
    parse_rtcp,
)

OURS = 0xCAFE0001

blocks = st.builds(
    ReportBlock,
    ssrc=st.sampled_from([OURS, 1, 0xFFFFFFFF]),
    fraction_lost=st.integers(0, 255).map(lambda n: n / 256),
    lost=st.integers(-(1 << 23), (1 << 23) - 1),
    highest_sequence=st.integers(0, 0xFFFFFFFF),
    jitter=st.integers(0, 0xFFFFFFFF),
    last_sender_report=st.integers(0, 0xFFFFFFFF),
    delay_since=st.integers(0, 0xFFFFFFFF),
)


def found(compound: bytes) -> int:
    """Where the kernel finds the report on our stream."""
    data = np.zeros(2048, np.uint8)
    data[: len(compound)] = np.frombuffer(compound, np.uint8)
    data[len(compound) :] = 0x81  # what lies behind is never read, or this would be seen
    return find_block(data, len(compound), OURS)


def booked(compound: bytes, at: int, ntp: int = 0) -> np.void:
    """The record after one report."""
    peers = np.zeros(1, PEER)
    peers["round_trip"] = np.nan
    book(np.frombuffer(compound, np.uint8), at, peers[0], 7.0, ntp)
    return peers[0]


@given(st.lists(blocks, max_size=4))
def test_finds_and_books_what_the_parser_reads(sent: list[ReportBlock]):
    compound = build_receiver_report(9, tuple(sent), "someone")
    ours = [block for block in parse_rtcp(compound).reports if block.ssrc == OURS]
    at = found(compound)
    assert (at > 0) == bool(ours)
    if ours:
        peer = booked(compound, at)
        last = ours[-1]
        assert (peer["fraction"], peer["lost"]) == (last.fraction_lost, last.lost)
        assert (peer["highest"], peer["reports"], peer["reported"]) == (last.highest_sequence, 1, 7.0)
        assert peer["jitter"] == pytest.approx(last.jitter / 48_000)


def test_sender_report_s_blocks_are_found_behind_its_counts():
    block = struct.pack("!LB3sLLLL", OURS, 64, b"\0\0\1", 5, 480, 0, 0)
    report = struct.pack("!BBHLQLLL", 0x81, 200, 12, 9, 0, 0, 0, 0) + block
    assert found(report + build_description(9, "x")) == 28
    assert booked(report, 28)["fraction"] == 0.25


def test_goodbye_is_for_the_session():
    report = build_receiver_report(9, (), "x")
    assert found(report) == 0
    assert found(report + build_bye(9)) == -1


@given(st.binary(max_size=100), st.booleans())
def test_what_the_parser_refuses_is_for_the_session(noise: bytes, headed: bool):
    compound = build_receiver_report(9, (), "x") + noise if headed else noise
    try:
        refused = bool(parse_rtcp(compound).bye)
    except RtcpError:
        refused = True
    assert (found(compound) == -1) or not refused


def test_no_changed_byte_reads_beyond_the_compound():
    block = ReportBlock(OURS, 0.5, 1, 2, 3, 4, 5)
    good = build_receiver_report(9, (block,), "someone")
    for at in range(len(good)):
        for value in range(256):
            bad = good[:at] + bytes([value]) + good[at + 1 :]
            place = found(bad)
            assert place == -1 or place + 24 <= len(bad)
        assert found(good[:at]) in (-1, 0, 8)


def test_round_trip_is_what_is_left_of_the_time_since_the_sender_report():
    """The example of RFC 3550, figure 2."""
    assert round_trip(0xB705_2000, 0x0005_4000, 0xB710_8000) == pytest.approx(6.125)
    assert round_trip(0xFFFF_8000, 0x8000, 0x1_0000) == pytest.approx(1.0), "across the wrap"


def test_round_trip_is_not_believed_beyond_reason():
    assert math.isnan(round_trip(0, 0, 0xB710_8000)), "the peer has had no report yet"
    assert math.isnan(round_trip(0x1000_0000, 0, 0x7000_0000))
    assert round_trip(0xB710_8001, 0, 0xB710_8000) == 0.0
    assert math.isnan(
        booked(build_receiver_report(9, (ReportBlock(OURS, 0, 0, 0, 0, 0, 0),), "x"), 8)["round_trip"]
    )
