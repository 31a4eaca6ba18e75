"""RTP packets: read as others write them, refused where they contradict themselves."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.rtp import RtpError, RtpPacket, build_rtp, ntp_time, parse_rtp, unix_time

HEADER = bytes.fromhex("806f1234000003c0deadbeef")


def header(first: int) -> bytes:
    """A header with another first byte (version, padding, extension, number of CSRCs)."""
    return bytes([first]) + HEADER[1:]


def test_plain_packet_is_read():
    packet = parse_rtp(HEADER + b"opus")
    assert packet == RtpPacket(111, 0x1234, 960, 0xDEADBEEF, b"opus", False, None)


def test_marker_is_told_from_the_payload_type():
    packet = parse_rtp(HEADER[:1] + b"\xef" + HEADER[2:])
    assert (packet.marker, packet.payload_type) == (True, 111)


def test_packet_may_be_empty():
    assert parse_rtp(HEADER).payload == b""


@pytest.mark.parametrize("size", range(12))
def test_short_packet_is_refused(size: int):
    with pytest.raises(RtpError, match="at least 12"):
        parse_rtp(HEADER[:size])


@pytest.mark.parametrize("first", [0x00, 0x40, 0xC0])
def test_other_version_is_refused(first: int):
    with pytest.raises(RtpError, match="version 2"):
        parse_rtp(header(first))


def test_contributing_sources_are_passed_over():
    assert parse_rtp(header(0x82) + bytes(8) + b"opus").payload == b"opus"


def test_contributing_sources_that_are_not_there_are_refused():
    with pytest.raises(RtpError, match="longer than the packet"):
        parse_rtp(header(0x83) + bytes(8))


def test_padding_is_taken_off():
    assert parse_rtp(header(0xA0) + b"opus\x00\x00\x03").payload == b"opus"


def test_packet_of_padding_alone_is_empty():
    assert parse_rtp(header(0xA0) + b"\x00\x02").payload == b""


def test_padding_of_zero_is_refused():
    with pytest.raises(RtpError, match="never 0"):
        parse_rtp(header(0xA0) + b"opus\x00")


@pytest.mark.parametrize("padding", [6, 200, 255])
def test_padding_longer_than_the_packet_is_refused(padding: int):
    with pytest.raises(RtpError):
        parse_rtp(header(0xA0) + b"opus" + bytes([padding]))


def test_one_byte_extensions_are_read_with_padding_between():
    block = bytes([0x10, 0x85, 0x00, 0x21, 1, 2, 0, 0])
    packet = parse_rtp(header(0x90) + bytes.fromhex("bede0002") + block + b"opus")
    assert packet.extensions == {1: b"\x85", 2: b"\x01\x02"}
    assert packet.payload == b"opus"


def test_extension_15_ends_the_block():
    block = bytes([0x10, 0x85, 0xF0, 0x00, 0x10, 0x11, 0, 0])
    packet = parse_rtp(header(0x90) + bytes.fromhex("bede0002") + block)
    assert packet.extensions == {1: b"\x85"}


def test_extensions_of_another_form_are_passed_over():
    packet = parse_rtp(header(0x90) + bytes.fromhex("10000001") + bytes(4) + b"opus")
    assert packet.extensions is None
    assert packet.payload == b"opus"


@pytest.mark.parametrize(
    "rest", [b"", b"\xbe\xde\x00", bytes.fromhex("bede0001"), bytes.fromhex("bedeffff00000000")]
)
def test_extension_block_that_is_cut_off_is_refused(rest: bytes):
    with pytest.raises(RtpError):
        parse_rtp(header(0x90) + rest)


def test_extension_that_reaches_beyond_its_block_has_what_is_there():
    packet = parse_rtp(header(0x90) + bytes.fromhex("bede0001") + bytes([0x27, 1, 2, 3]) + b"opus")
    assert packet.extensions == {2: b"\x01\x02\x03"}
    assert packet.payload == b"opus"


@given(st.binary(max_size=80))
def test_junk_raises_nothing_but_rtp_error(data: bytes):
    with suppress(RtpError):
        parse_rtp(data)


@given(st.integers(0x80, 0xBF), st.binary(max_size=80))
def test_junk_of_version_2_raises_nothing_but_rtp_error(first: int, rest: bytes):
    try:
        packet = parse_rtp(header(first) + rest)
    except RtpError:
        return
    assert len(packet.payload) <= len(rest)


extensions = st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), min_size=1, max_size=14)
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    ssrc=st.integers(0, 0xFFFF_FFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    extensions=st.none() | extensions,
)


@given(packets)
def test_built_packets_parse_back(packet: RtpPacket):
    assert parse_rtp(build_rtp(packet)) == packet


@given(st.floats(0, 4_000_000_000))
def test_capture_times_keep_a_microsecond(seconds: float):
    if seconds < 2**32 - 2_208_988_800:  # the era ends in 2036
        assert unix_time(ntp_time(seconds)) == pytest.approx(seconds, abs=1e-6)
    assert 0 <= ntp_time(seconds) < 1 << 64


def test_ntp_counts_from_1900():
    assert ntp_time(0.0) == 2_208_988_800 << 32
    assert ntp_time(0.5) & 0xFFFF_FFFF == 1 << 31
