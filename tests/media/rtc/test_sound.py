"""Sound that the door takes: what its rows say, and that it is never more than a session would have let in."""

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.door import PACKETS_MAX
from media.rtc.inbox import SOUNDS
from media.rtc.rtp import RtpError, RtpPacket, build_rtp, find_extension, locate, parse_rtp
from media.rtc.srtp import AES128_CM_SHA1_80, SrtpContext
from media.rtc.uplink import UPLINK, Uplink
from tests.media.rtc.test_door import NOW, Guest, Porch, drops

OPUS, LEVEL, CAPTURE, VOICE = 111, 1, 4, 7


@pytest.fixture
def porch() -> Iterator[Porch]:
    made = Porch()
    yield made
    made.close()


def speaker(porch: Porch) -> Guest:
    """Someone whose sound needs no session."""
    guest = porch.guest(talks=True)
    porch.door.peers.trust_sound(guest, guest.number, OPUS, LEVEL, CAPTURE)
    porch.door.peers.give_voice(guest, VOICE)
    return guest


def packet(guest: Guest, sequence: int, timestamp: int = 0, payload: bytes = b"opus", **others) -> bytes:
    """A protected packet."""
    made = RtpPacket(OPUS, sequence, timestamp, guest.number, payload)._replace(**others)
    return guest.own.protect(build_rtp(made))


def rows(porch: Porch) -> list[tuple[int, int, int, bytes]]:
    """(voice, sequence, timestamp, payload) of what the door has taken in the last batch."""
    inbox = porch.inbox
    taken = inbox.sounds[: inbox.state[SOUNDS]]
    return [(int(row["voice"]), int(row["sequence"]), int(row["timestamp"]), payload(porch, row)) for row in taken]


def payload(porch: Porch, row) -> bytes:
    start = row["start"]
    return porch.inbox.data[row["index"], start : start + row["size"]].tobytes()


def test_rows_say_what_the_packets_did(porch: Porch):
    ana, ben = speaker(porch), speaker(porch)
    porch.door.peers.give_voice(ben, 9)
    capture = (5 << 56 | 77).to_bytes(8, "big")
    sent = [
        (packet(ana, 0xFFFF, 2**32 - 960, b"first", extensions={LEVEL: b"\x9e", CAPTURE: capture}), ana),
        (packet(ben, 3, 4, b""), ben),
        (packet(ana, 0, 0, b"second", extensions={LEVEL: b"\x1e", CAPTURE: b"short"}, marker=True), ana),
    ]
    assert porch.take(*sent) == []
    assert rows(porch) == [
        (VOICE, 0xFFFF, 2**32 - 960, b"first"),
        (9, 3, 4, b""),
        (VOICE, 0, 0, b"second"),
    ]
    first, second, third = porch.inbox.sounds[:3]
    assert (first["level"], first["captured"], int(first["capture"])) == (-30.0, 1, 5 << 56 | 77)
    assert np.isnan(second["level"]) and not second["captured"]
    assert third["level"] == -30.0 and not third["captured"]
    assert [row["arrival"] for row in (first, second, third)] == [NOW] * 3
    assert porch.door.counted() == (3, {})


def test_what_missed_a_tick_came_now_and_what_did_not_came_when_it_came(porch: Porch):
    ana = speaker(porch)
    for at, mixed, expected in ((0, 5.0, 6.0), (1, 7.0, NOW)):
        porch.inbox.put([(packet(ana, at), int(porch.door.peers.records[ana.entry]["address"]))])
        porch.inbox.arrivals[0] = 6.0
        porch.door.serve(porch.inbox, porch.port.fileno(), NOW, 1e9, 0, mixed)
        assert porch.inbox.sounds[0]["arrival"] == expected


def test_forged_replayed_malformed_and_unasked_sound_is_dropped_by_its_reason(porch: Porch):
    ana = speaker(porch)
    good = packet(ana, 1)
    assert porch.take((good, ana), (good, ana), (good[:-1] + bytes([good[-1] ^ 1]), ana)) == []
    assert len(rows(porch)) == 1
    padded = bytearray(build_rtp(RtpPacket(OPUS, 2, 0, ana.number, b"\0")))
    padded[0] |= 0x20
    assert porch.take((ana.own.protect(bytes(padded)), ana)) == []
    assert porch.take((packet(ana, 3, payload_type=8), ana)) == []
    assert rows(porch) == []
    assert drops(porch) == {"forged or replayed": 2, "malformed": 1, "not negotiated": 1}


def test_sound_of_nobody_s_voice_of_another_stream_or_untrusted_is_the_session_s(porch: Porch):
    ana, ben, eve = speaker(porch), speaker(porch), speaker(porch)
    porch.door.peers.give_voice(ana, -1)
    porch.door.peers.distrust_sound(ben)
    porch.door.peers.trust_sound(eve, eve.number + 1, OPUS, LEVEL, CAPTURE)
    sent = [(packet(guest, 1), guest) for guest in (ana, ben, eve)]
    assert porch.take(*sent) == [(datagram, guest, False) for datagram, guest in sent]
    assert rows(porch) == []


def test_sound_behind_something_that_is_left_to_python_stays_behind_it(porch: Porch):
    ana = speaker(porch)
    sent = [(packet(ana, 1), ana), (b"\x16hello", ana), (packet(ana, 2), ana)]
    assert porch.take(*sent) == [(datagram, guest, False) for datagram, guest in sent[1:]]
    assert [row[1] for row in rows(porch)] == [1]


def test_flood_of_sound_is_bounded_before_it_is_decrypted(porch: Porch):
    ana = speaker(porch)
    taken = 0
    for start in range(0, PACKETS_MAX + 40, 20):
        assert porch.take(*((packet(ana, start + i), ana) for i in range(20))) == []
        taken += len(rows(porch))
    assert taken == PACKETS_MAX
    assert drops(porch) == {"too many from one peer": 40}


def test_other_profile_is_taken_as_well(porch: Porch):
    ana = Guest()
    key = ana.number.to_bytes(30, "big")
    ana.own = SrtpContext(AES128_CM_SHA1_80, key, ssrc=ana.number)
    ana.relays = SrtpContext(AES128_CM_SHA1_80, key)
    porch.guests.append(ana)
    porch.door.peers.expect(ana, ana.credentials)
    porch.door.peers.admit(ana, ana.address, ana.relays, ana.ssrc, True, 0.0)
    porch.door.peers.trust_sound(ana, ana.number, OPUS, LEVEL, CAPTURE)
    porch.door.peers.give_voice(ana, VOICE)
    assert porch.take((packet(ana, 5, payload=b"cm"), ana)) == []
    assert rows(porch) == [(VOICE, 5, 0, b"cm")]


def test_reports_on_a_stream_are_the_same_whoever_takes_its_packets(porch: Porch):
    ana, alone, lodged = speaker(porch), Uplink(), Uplink()
    rng = np.random.default_rng(1)
    lodged.move(porch.door.peers, ana.entry)
    for at in range(65_500, 65_700):
        if rng.random() < 0.2:
            continue
        now = 0.02 * at + rng.exponential(0.01)
        made = RtpPacket(OPUS, at & 0xFFFF, 960 * at & 0xFFFF_FFFF, ana.number, b"opus")
        alone.note(made, now)
        if at % 3:
            porch.take((ana.own.protect(build_rtp(made)), ana), now=now)
        else:
            lodged.note(made, now)
    assert lodged.block(5.0) == alone.block(5.0)
    assert porch.door.peers.uplinks.dtype == UPLINK


blocks = st.binary(max_size=40)


@given(blocks, st.integers(1, 14))
def test_extensions_are_those_that_python_finds(block: bytes, identifier: int):
    block += bytes(-len(block) % 4)
    header = struct.pack("!BBHLLHH", 0x90, OPUS, 1, 2, 3, 0xBEDE, len(block) // 4)
    parsed = parse_rtp(header + block)
    data = np.frombuffer(bytearray(header + block + b"!"), np.uint8)
    _, _, at, end = locate(data, len(header) + len(block))
    start, stop = find_extension(data, at, end, identifier)
    assert (parsed.extensions or {}).get(identifier, b"") == data[start:stop].tobytes()


@given(st.binary(min_size=12, max_size=60))
def test_any_bytes_are_located_within_themselves(data: bytes):
    start, end, block, block_end = locate(np.frombuffer(bytearray(data), np.uint8), len(data))
    try:
        parsed = parse_rtp(data)
    except RtpError:
        assert start < 0
        return
    assert 12 <= start <= end <= len(data) and block <= block_end <= len(data)
    assert parsed.payload == data[start:end]
