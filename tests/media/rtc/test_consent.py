"""Consent checks in native code say and answer, byte for byte, what the Python implementation does."""

import struct
import zlib

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from media.rtc import sha1
from media.rtc.consent import ANSWER_SIZE, ODD, RIGHT, WRONG, answer, judge, packed
from media.rtc.inbox import key_of
from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    FINGERPRINT,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    MESSAGE_INTEGRITY,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    StunError,
    build_stun,
    build_success,
    parse_stun,
)

UFRAG, PASSWORD = "0badcafe", "0123456789abcdef" * 2
SOURCE = ("198.51.100.7", 40000)
SOFTWARE, NETWORK_INFO, REALM = 0x8022, 0xC057, 0x0014

Attributes = list[tuple[int, bytes]]

usual: Attributes = [
    (USERNAME, f"{UFRAG}:evil".encode()),
    (PRIORITY, bytes(4)),
    (ICE_CONTROLLING, bytes(8)),
    (USE_CANDIDATE, b""),
]
"""What our own client sends."""
chromium: Attributes = [
    (USERNAME, f"{UFRAG}:tyHi".encode()),
    (NETWORK_INFO, bytes.fromhex("00010032")),
    (ICE_CONTROLLING, bytes.fromhex("9a2f6c1b00ff1234")),
    (USE_CANDIDATE, b""),
    (PRIORITY, bytes.fromhex("6e7f1eff")),
]


def check(attributes: Attributes, password: str = PASSWORD, kind: int = BINDING_REQUEST) -> bytes:
    """A request as a peer would make it."""
    return build_stun(kind, b"transaction.", attributes, password.encode())


def verdict(datagram: bytes, ufrag: str = UFRAG, password: str = PASSWORD) -> int:
    """The kernel's; it must leave the datagram as it was."""
    data = np.zeros(2048, np.uint8)
    data[: len(datagram)] = np.frombuffer(datagram, np.uint8)
    room = (*sha1.scratch(), np.zeros(20, np.uint8))
    judged = judge(data, len(datagram), packed(ufrag), sha1.keyed(password.encode()), *room)
    assert data[: len(datagram)].tobytes() == datagram
    return judged


def accepted(datagram: bytes) -> bool:
    """What the Python implementation says."""
    try:
        message = parse_stun(datagram)
    except StunError:
        return False
    named = message.username.partition(":")[0] == UFRAG
    return named and message.kind == BINDING_REQUEST and message.authentic(PASSWORD.encode())


def with_fingerprint(datagram: bytes) -> bytes:
    """The datagram with its last attribute made right again."""
    head = datagram[:-8]
    return head + struct.pack("!HHL", FINGERPRINT, 4, zlib.crc32(head) ^ 0x5354554E)


def test_checks_of_real_peers_are_recognised():
    assert verdict(check(usual)) == RIGHT
    assert verdict(check(chromium)) == RIGHT
    assert verdict(check([*chromium, (SOFTWARE, b"a library"), (0xFFFF, b"")])) == RIGHT


harmless = [PRIORITY, ICE_CONTROLLING, SOFTWARE]
names = st.sampled_from([USERNAME, USE_CANDIDATE, ICE_CONTROLLED, NETWORK_INFO, REALM, FINGERPRINT, *harmless])
values = st.one_of(st.binary(max_size=20), st.just(f"{UFRAG}:x".encode()), st.just(UFRAG.encode()))


@given(st.lists(st.tuples(names, values), max_size=6), st.booleans(), st.sampled_from([PASSWORD, "x" * 32]))
@example(usual, False, PASSWORD)
def test_what_is_right_here_is_right_there(attributes: Attributes, first: bool, password: str):
    own = [(USERNAME, f"{UFRAG}:x".encode())] if first else []
    datagram = check([*own, *attributes], password)
    if verdict(datagram) == RIGHT:
        assert accepted(datagram)


@given(st.lists(st.tuples(st.sampled_from(harmless), st.binary(max_size=30)), max_size=5))
def test_what_is_usual_and_right_there_is_right_here(attributes: Attributes):
    datagram = check([usual[0], *attributes])
    assert accepted(datagram)
    assert verdict(datagram) == RIGHT
    assert verdict(check([usual[0], *attributes], "x" * 32)) == WRONG


def test_whatever_needs_the_session_is_odd():
    unusual = {
        "role conflict": [*usual, (ICE_CONTROLLED, bytes(8))],
        "unknown and required": [*usual, (REALM, b"somewhere")],
        "two names": [usual[0], *usual],
        "no name": usual[1:],
        "name of another": [(USERNAME, b"0badcaff:evil"), *usual[1:]],
        "name cut off": [(USERNAME, UFRAG.encode()), *usual[1:]],
        "longer fragment": [(USERNAME, f"{UFRAG}0:evil".encode()), *usual[1:]],
        "too long": [*usual, (SOFTWARE, bytes(500))],
    }
    assert {name: verdict(check(attributes)) for name, attributes in unusual.items()} == dict.fromkeys(
        unusual, ODD
    )
    assert verdict(check(usual, kind=BINDING_RESPONSE)) == ODD
    assert verdict(check(usual)[:-8]) == ODD, "no fingerprint"


def test_attributes_behind_the_integrity_are_odd():
    behind = check(usual)[:-8] + struct.pack("!HH", PRIORITY, 4) + bytes(4)
    datagram = behind[:2] + struct.pack("!H", len(behind) - 20 + 8) + behind[4:] + bytes(8)
    assert accepted(with_fingerprint(datagram))
    assert verdict(with_fingerprint(datagram)) == ODD


def test_no_changed_byte_is_right():
    for good in (check(usual), check(chromium)):
        for at in range(len(good)):
            for change in (0x01, 0x80, 0xFF):
                bad = bytearray(good)
                bad[at] ^= change
                assert verdict(bytes(bad)) == ODD
                repaired = with_fingerprint(bytes(bad))
                assert verdict(repaired) != RIGHT or repaired == good


def test_no_shorter_or_longer_datagram_is_right():
    good = check(usual)
    assert all(verdict(good[:size]) == ODD for size in range(len(good)))
    assert all(verdict(good + bytes(size)) == ODD for size in range(1, 9))


def test_lengths_that_lie_are_odd_and_read_nothing_beyond_the_datagram():
    good = check(usual)
    at = 20
    while at < len(good):
        size = struct.unpack_from("!H", good, at + 2)[0]
        for lie in {0, 1, 3, 5, 19, 21, 255, 0x7FFF, 0xFFFF} - {size}:
            bad = good[: at + 2] + struct.pack("!H", lie) + good[at + 4 :]
            assert verdict(bad) == ODD
            repaired = with_fingerprint(bad)
            assert verdict(repaired) != RIGHT or repaired == good
        at += 4 + size + -size % 4


@given(st.binary(max_size=200))
def test_noise_is_odd(noise: bytes):
    assert verdict(noise) == ODD
    assert verdict(b"\x00\x01" + noise) == ODD
    header = struct.pack("!HHL", BINDING_REQUEST, len(noise), 0x2112A442)
    assert verdict(header + bytes(12) + noise) == ODD


@given(st.binary(min_size=12, max_size=12), st.ip_addresses(v=4).map(str), st.integers(0, 65535))
def test_answer_is_that_of_the_python_implementation(transaction: bytes, host: str, port: int):
    source: Address = (host, port)
    datagram = build_stun(BINDING_REQUEST, transaction, usual, PASSWORD.encode())
    data, out = np.frombuffer(datagram, np.uint8), np.full(ANSWER_SIZE, 0xAA, np.uint8)
    key = sha1.keyed(PASSWORD.encode())
    answer(data, np.uint64(key_of(source)), key, *sha1.scratch(), np.zeros(20, np.uint8), out)
    assert out.tobytes() == build_success(parse_stun(datagram), source, PASSWORD.encode())


def test_integrity_attribute_is_where_the_tests_believe():
    assert check(usual)[-32:-28] == struct.pack("!HH", MESSAGE_INTEGRITY, 20)
