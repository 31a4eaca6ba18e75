"""STUN as RFC 5769 shows it, as an attacker sends it, and as we build it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    ICE_CONTROLLING,
    MESSAGE_INTEGRITY,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    StunError,
    build_stun,
    build_success,
    is_stun,
    parse_stun,
)

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
"""RFC 5769 §2.1."""
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
"""RFC 5769 §2.2: a binding response for 192.0.2.1, port 32853."""

TRANSACTION = bytes(range(12))


def check(username: str = "relayfrag:peer", extra: list[tuple[int, bytes]] | None = None) -> bytes:
    """A connectivity check as an ICE agent sends it."""
    attributes = [(USERNAME, username.encode()), (PRIORITY, bytes(4)), (ICE_CONTROLLING, bytes(8))]
    return build_stun(BINDING_REQUEST, TRANSACTION, attributes + (extra or []), PASSWORD)


def test_request_of_the_rfc_is_authentic_with_its_password_only():
    message = parse_stun(REQUEST)
    assert message.kind == BINDING_REQUEST
    assert message.username == "evtj:h6vY"
    assert message.attributes[PRIORITY] == bytes.fromhex("6e0001ff")
    assert message.authentic(PASSWORD)
    assert not message.authentic(PASSWORD + b"x")


def test_response_of_the_rfc_is_authentic_and_names_the_address():
    message = parse_stun(RESPONSE)
    assert message.kind == BINDING_RESPONSE
    assert message.authentic(PASSWORD)
    assert build_success(message, ("192.0.2.1", 32853), PASSWORD)[24:32] == message.attributes[XOR_MAPPED_ADDRESS]


def test_changed_byte_is_refused_or_not_authentic():
    for at in range(20, len(REQUEST)):
        changed = bytearray(REQUEST)
        changed[at] ^= 0x01
        try:
            message = parse_stun(bytes(changed))
        except StunError:
            continue
        # The header of FINGERPRINT, which comes last, is not covered by the integrity.
        assert not message.authentic(PASSWORD) or len(REQUEST) - 8 <= at < len(REQUEST) - 4


@pytest.mark.parametrize("size", [0, 1, 19, 20, 24, 27, 60, len(REQUEST) - 4, len(REQUEST) - 1])
def test_truncated_message_is_refused(size: int):
    with pytest.raises(StunError):
        parse_stun(REQUEST[:size])


@pytest.mark.parametrize("length", [0, 4, 84, 87, 89, 92, 0xFFFC])
def test_wrong_length_field_is_refused(length: int):
    with pytest.raises(StunError, match="length"):
        parse_stun(REQUEST[:2] + length.to_bytes(2, "big") + REQUEST[4:])


def test_attribute_that_reaches_beyond_the_message_is_refused():
    header = bytes.fromhex("000100082112a442") + TRANSACTION
    with pytest.raises(StunError, match="cut off"):
        parse_stun(header + bytes.fromhex("0006000561626364"))


def test_integrity_of_another_size_is_refused():
    header = bytes.fromhex("000100082112a442") + TRANSACTION
    with pytest.raises(StunError, match="20 bytes"):
        parse_stun(header + bytes.fromhex("0008000400000000"))


def test_fingerprint_in_the_middle_is_refused():
    tail = REQUEST[-8:]
    message = REQUEST[:2] + (0x60).to_bytes(2, "big") + REQUEST[4:] + tail
    with pytest.raises(StunError, match="fingerprint"):
        parse_stun(message)


def test_message_without_integrity_is_not_authentic():
    message = parse_stun(bytes.fromhex("000100002112a442") + TRANSACTION)
    assert not message.authentic(b"")
    assert not message.authentic(PASSWORD)
    assert message.username == ""


def test_attributes_after_integrity_do_not_count():
    whole = check()
    assert whole[-8:-4] == bytes.fromhex("80280004")
    without_fingerprint = whole[:-8]
    added = USE_CANDIDATE.to_bytes(2, "big") + bytes(2)
    body = without_fingerprint[20:] + added
    message = parse_stun(without_fingerprint[:2] + len(body).to_bytes(2, "big") + without_fingerprint[4:20] + body)
    assert message.authentic(PASSWORD)
    assert USE_CANDIDATE not in message.attributes


def test_second_integrity_does_not_replace_the_first():
    whole = check()[:-8]
    forged = MESSAGE_INTEGRITY.to_bytes(2, "big") + (20).to_bytes(2, "big") + bytes(20)
    body = whole[20:] + forged
    message = parse_stun(whole[:2] + len(body).to_bytes(2, "big") + whole[4:20] + body)
    assert message.authentic(PASSWORD)


@pytest.mark.parametrize(
    "extra", [[], [(USE_CANDIDATE, b"")], [(0x8022, b"some agent")]], ids=["plain", "nominating", "named"]
)
def test_answer_is_never_larger_than_a_real_check(extra: list[tuple[int, bytes]]):
    request = check("abcdefgh:wxyz", extra)
    assert len(build_success(parse_stun(request), ("255.255.255.255", 65535), PASSWORD)) <= len(request)


def test_answer_fits_the_smallest_check_that_names_a_session():
    smallest = build_stun(BINDING_REQUEST, TRANSACTION, [(USERNAME, b"abcdefgh")], PASSWORD)
    assert len(build_success(parse_stun(smallest), ("192.0.2.1", 1), PASSWORD)) <= len(smallest)


@pytest.mark.parametrize("data", [b"", b"\x00" * 20, REQUEST[:8], b"\x80" + REQUEST[1:], b"\x16" + REQUEST[1:]])
def test_what_is_no_stun_is_told_by_its_header(data: bytes):
    assert not is_stun(data)


@given(st.binary(max_size=200))
def test_junk_raises_nothing_but_stun_error(data: bytes):
    with suppress(StunError):
        parse_stun(data)


@given(st.integers(0, 0x3FFF), st.binary(max_size=120))
def test_junk_behind_a_good_header_raises_nothing_but_stun_error(kind: int, body: bytes):
    header = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + bytes.fromhex("2112a442") + TRANSACTION
    try:
        message = parse_stun(header + body)
    except StunError:
        return
    assert not message.authentic(PASSWORD)
    assert isinstance(message.username, str)


attribute_names = st.integers(0, 0xFFFF).filter(lambda name: name not in (MESSAGE_INTEGRITY, 0x8028))
attributes_of_any_kind = st.dictionaries(attribute_names, st.binary(max_size=40), max_size=8)


@given(attributes_of_any_kind, st.binary(min_size=1, max_size=80), st.binary(min_size=12, max_size=12))
def test_built_messages_parse_back(attributes: dict[int, bytes], password: bytes, transaction: bytes):
    built = build_stun(BINDING_REQUEST, transaction, list(attributes.items()), password)
    message = parse_stun(built)
    read = dict(message.attributes)
    del read[MESSAGE_INTEGRITY]
    assert (read, message.transaction) == (attributes, transaction)
    assert message.authentic(password)
    assert not message.authentic(password + b"!")
