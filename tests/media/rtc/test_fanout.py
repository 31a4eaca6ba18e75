"""What the fan-out kernel puts on the wire: real sockets, real keys, and headers to the bit."""

import os
from collections.abc import Iterator

import pytest

from media.rtc.crowd import REPORT_INTERVAL, Crowd
from media.rtc.fanout import BATCH, PAYLOAD_MAX
from media.rtc.rtcp import parse_rtcp
from media.rtc.srtp import AES128_CM_SHA1_80, AES_128_GCM, PROFILES, Profile
from tests.media.rtc.ears import Ear, Wire, ssrc_of


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def ticks(crowd: Crowd, wire: Wire, row: int, many: int, first: int = 0) -> None:
    """Send ``many`` packets of one row, 20 ms apart."""
    for tick in range(first, first + many):
        crowd.fill(row, b"frame %d" % tick, 960 * tick, None, False)
        crowd.send(wire.fd)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_each_listener_reads_the_payload_with_its_own_keys(crowd: Crowd, wire: Wire, profile: Profile):
    row = crowd.new_row()
    ears = [Ear(profile) for _ in range(3)]
    for ear in ears:
        ear.join(crowd, wire.address, row, payload_type=109)
    crowd.fill(row, b"opus frame", 960, None, False)
    crowd.send(wire.fd)
    datagrams = wire.take()
    assert len(set(datagrams)) == 3 and not any(b"opus frame" in datagram for datagram in datagrams)
    for ear, datagram in zip(ears, datagrams, strict=True):
        packet = ear.read(datagram)
        assert (packet.payload, packet.payload_type, packet.marker) == (b"opus frame", 109, False)
    assert (crowd.packets, crowd.octets) == (3, sum(map(len, datagrams)))


def test_sequence_and_timestamp_go_on_without_gaps_and_wrap_around(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row)
    crowd._listeners[0]["sequence"] = 0xFFFD
    crowd._listeners[0]["timestamp_offset"] = 0xFFFF_FFFF - 960
    ticks(crowd, wire, row, 6)
    packets = [ear.read(datagram) for datagram in wire.take()]
    assert [packet.sequence for packet in packets] == [0xFFFD, 0xFFFE, 0xFFFF, 0, 1, 2]
    assert [packet.timestamp for packet in packets] == [0xFFFF_FC3F, 0xFFFF_FFFF, 959, 1919, 2879, 3839]
    assert [packet.payload for packet in packets] == [b"frame %d" % n for n in range(6)]


def test_timestamps_beyond_32_bits_are_cut(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row)
    crowd._listeners[0]["timestamp_offset"] = 5
    crowd.fill(row, b"x", (1 << 32) + 960, None, False)
    crowd.send(wire.fd)
    assert ear.read(wire.take()[0]).timestamp == 965


def test_change_of_row_keeps_the_stream_whole(crowd: Crowd, wire: Wire):
    first, second, ear = crowd.new_row(), crowd.new_row(), Ear()
    ear.join(crowd, wire.address, first)
    for tick in range(6):
        crowd.hear(ear, second if tick % 2 else first)
        for row in (first, second):
            crowd.fill(row, bytes([row]), 960 * tick, None, False)
        crowd.send(wire.fd)
    packets = [ear.read(datagram) for datagram in wire.take()]
    start = packets[0]
    assert [packet.payload[0] for packet in packets] == [first, second] * 3
    assert [(packet.sequence - start.sequence) & 0xFFFF for packet in packets] == list(range(6))
    assert [(packet.timestamp - start.timestamp) & 0xFFFF_FFFF for packet in packets] == [
        960 * n for n in range(6)
    ]


def test_silence_costs_no_sequence_number(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row)
    ticks(crowd, wire, row, 1)
    crowd.silence(row)
    crowd.send(wire.fd)
    ticks(crowd, wire, row, 1, first=2)
    first, second = [ear.read(datagram) for datagram in wire.take()]
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    assert (second.timestamp - first.timestamp) & 0xFFFF_FFFF == 2 * 960


def test_marker_is_set_where_asked(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row)
    for marker in (True, False):
        crowd.fill(row, b"x", 0, None, marker)
        crowd.send(wire.fd)
    assert [ear.read(datagram).marker for datagram in wire.take()] == [True, False]


def test_capture_time_goes_to_those_who_know_the_extension(crowd: Crowd, wire: Wire):
    row, knows, does_not = crowd.new_row(), Ear(), Ear()
    knows.join(crowd, wire.address, row, capture_id=14)
    does_not.join(crowd, wire.address, row)
    capture = 0xE8_00_11_22_33_44_55_66
    crowd.fill(row, b"x", 0, capture, False)
    crowd.send(wire.fd)
    first, second = wire.take()
    assert knows.read(first).extensions == {14: capture.to_bytes(8, "big")}
    assert does_not.read(second).extensions is None


def test_row_without_capture_time_carries_no_extension(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row, capture_id=2)
    for capture in (1 << 60, None):
        crowd.fill(row, b"x", 0, capture, False)
        crowd.send(wire.fd)
    assert [ear.read(datagram).extensions is None for datagram in wire.take()] == [False, True]


@pytest.mark.parametrize("profile", [AES_128_GCM, AES128_CM_SHA1_80])
def test_largest_payload_fits_with_everything_around_it(crowd: Crowd, wire: Wire, profile: Profile):
    row, ear = crowd.new_row(), Ear(profile)
    ear.join(crowd, wire.address, row, capture_id=1)
    payload = os.urandom(PAYLOAD_MAX)
    crowd.fill(row, payload, 0, 1 << 63, True)
    crowd.send(wire.fd)
    assert ear.read(wire.take()[0]).payload == payload


def test_tables_grow_while_people_listen(crowd: Crowd, wire: Wire):
    rows = [crowd.new_row() for _ in range(40)]
    ears = [Ear() for _ in range(2 * BATCH + 3)]
    for number, ear in enumerate(ears):
        ear.join(crowd, wire.address, rows[number % 40])
        if number % 50 == 0:
            ticks(crowd, wire, rows[0], 1)
    wire.take()
    for row in rows:
        crowd.fill(row, bytes([row]), 0, None, False)
    crowd.send(wire.fd)
    heard = {ssrc_of(datagram): datagram for datagram in wire.take()}
    assert len(heard) == len(ears)
    for number, ear in enumerate(ears):
        assert ear.read(heard[ear.ssrc]).payload[0] == rows[number % 40]
    assert crowd.failures == 0


def test_packet_that_cannot_be_protected_or_sent_is_counted_and_the_others_go_out(crowd: Crowd, wire: Wire):
    row = crowd.new_row()
    ears = [Ear(AES128_CM_SHA1_80 if number == 2 else AES_128_GCM) for number in range(4)]
    for number, ear in enumerate(ears):
        unreachable = ("255.255.255.255", 9)  # broadcast is refused without SO_BROADCAST
        ear.join(crowd, unreachable if number == 1 else wire.address, row)
    crowd._listeners[2]["ssrc"] = 0xFFFF_FFFF  # a stream its context does not know
    crowd.fill(row, b"x", 0, None, False)
    crowd.send(wire.fd)
    assert [ssrc_of(datagram) for datagram in wire.take()] == [ears[0].ssrc, ears[3].ssrc]
    assert (crowd.packets, crowd.failures) == (2, 2)


def test_socket_that_is_gone_is_counted_and_does_not_hang(crowd: Crowd, wire: Wire):
    row = crowd.new_row()
    Ear().join(crowd, wire.address, row)
    crowd.fill(row, b"x", 0, None, False)
    crowd.send(-1)
    assert (crowd.packets, crowd.failures) == (0, 1)


@pytest.mark.parametrize("listeners", [1, 3, 249, 251, 600])
def test_everyone_gets_one_report_in_five_seconds(crowd: Crowd, wire: Wire, listeners: int):
    row = crowd.new_row()
    ears = [Ear() for _ in range(listeners)]
    for ear in ears:
        ear.join(crowd, wire.address, row)
    reports: list[bytes] = []
    for tick in range(REPORT_INTERVAL + 1):
        crowd.report(wire.fd, 0x1122334455667788, 960 * tick)
        reports += wire.take()
    reached = {int.from_bytes(datagram[4:8], "big") for datagram in reports}
    assert reached == {ear.ssrc for ear in ears}
    assert len(reports) <= listeners + listeners // REPORT_INTERVAL + 1


def test_report_tells_the_stream_s_clock_and_counts(crowd: Crowd, wire: Wire):
    row, ear = crowd.new_row(), Ear()
    ear.join(crowd, wire.address, row)
    ticks(crowd, wire, row, 3)
    packets = [ear.read(datagram) for datagram in wire.take()]
    for _ in range(REPORT_INTERVAL):
        crowd.report(wire.fd, 0x1122334455667788, 960 * 2)
    datagram = wire.take()[0]
    compound = ear.read_rtcp(datagram)
    sender = parse_rtcp(compound).sender
    assert sender is not None
    assert (sender.ssrc, sender.ntp) == (ear.ssrc, 0x1122334455667788)
    assert sender.timestamp == packets[2].timestamp
    assert (sender.packets, sender.octets) == (3, sum(len(packet.payload) for packet in packets))
    assert compound[28:30] == b"\x81\xca" and len(compound) == 52, "a description must follow the report"
    assert crowd.packets == 3, "reports are no RTP packets"


def test_report_to_nobody_is_quiet(crowd: Crowd, wire: Wire):
    crowd.warm()
    crowd.report(wire.fd, 0, 0)
    crowd.send(wire.fd)
    assert wire.take() == [] and crowd.failures == 0
