"""Our AES-GCM against ``cryptography``'s and libsrtp's, which know nothing of each other."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError

from media.rtc.aesgcm import KEYS, SIZE, TAG, authentic, derive, seal
from media.rtc.fanout import PAYLOAD_MAX
from media.rtc.srtp import AES128_CM_SHA1_80, AES_128_GCM, SrtpContext
from media.rtc.vector import AVAILABLE

masters = st.binary(min_size=28, max_size=28)
payloads = st.binary(max_size=200) | st.binary(min_size=PAYLOAD_MAX - 70, max_size=PAYLOAD_MAX)
words = st.integers(0, 0xFFFF_FFFF)


def keyed(master: bytes, rollover: int = 0) -> np.ndarray:
    """A table of three whose middle one is in use, so that writing beside it is seen."""
    table = np.zeros(3, KEYS)
    derive(table, 1, master)
    table[1]["rollover"] = rollover
    return table


def sealed(table: np.ndarray, header: bytes, payload: bytes, ssrc: int, sequence: int) -> bytes:
    packet, sound = np.zeros(1500, np.uint8), np.full(1500, 0xEE, np.uint8)
    packet[: len(header)] = np.frombuffer(header, np.uint8)
    sound[: len(payload)] = np.frombuffer(payload, np.uint8)
    addresses = (table.ctypes.data + SIZE, packet.ctypes.data, len(header), sound.ctypes.data)
    seal(*addresses, len(payload), ssrc, sequence)
    return packet[: len(header) + len(payload) + TAG].tobytes()


def rtp_header(ssrc: int, sequence: int, extended: bool) -> bytes:
    fixed = bytes([0x90 if extended else 0x80, 111]) + sequence.to_bytes(2, "big") + bytes(4)
    extension = bytes.fromhex("bede0003") + bytes([0x37]) + bytes(range(8)) + bytes(3) if extended else b""
    return fixed + ssrc.to_bytes(4, "big") + extension


def session_keys(master: bytes) -> tuple[bytes, bytes]:
    """RFC 3711's key derivation, by the book."""
    made = []
    for label in (0, 2):
        block = bytearray(master[16:] + bytes(4))
        block[7] ^= label
        made.append(Cipher(algorithms.AES(master[:16]), modes.ECB()).encryptor().update(bytes(block)))
    return made[0], made[1][:12]


def test_this_machine_has_the_instructions() -> None:
    assert AVAILABLE, "without AES-NI the relay works through libsrtp, and these tests say nothing"


@given(masters, payloads, words, st.integers(0, 0xFFFF), words, st.booleans())
def test_every_byte_is_what_the_book_says(
    master: bytes, payload: bytes, ssrc: int, sequence: int, rollover: int, extended: bool
) -> None:
    key, salt = session_keys(master)
    nonce = bytes(2) + ssrc.to_bytes(4, "big") + rollover.to_bytes(4, "big") + sequence.to_bytes(2, "big")
    nonce = bytes(one ^ other for one, other in zip(nonce, salt, strict=True))
    header = rtp_header(ssrc, sequence, extended)
    expected = header + AESGCM(key).encrypt(nonce, payload, header)
    assert sealed(keyed(master, rollover), header, payload, ssrc, sequence) == expected


@given(masters, st.lists(payloads, min_size=1, max_size=4), words, st.integers(0, 0x7FFF), st.booleans())
def test_libsrtp_opens_it(master: bytes, sounds: list[bytes], ssrc: int, first: int, extended: bool) -> None:
    receiver, table = SrtpContext(AES_128_GCM, master), keyed(master)
    for sequence, payload in enumerate(sounds, first):
        header = rtp_header(ssrc, sequence, extended)
        assert receiver.unprotect(sealed(table, header, payload, ssrc, sequence)) == header + payload
    receiver.close()


def test_neighbours_in_the_table_are_left_alone() -> None:
    table = keyed(bytes(28))
    assert not table[0].tobytes().strip(b"\0") and not table[2].tobytes().strip(b"\0")


def test_keys_are_lent_once_and_then_nobody_else_sends() -> None:
    context = SrtpContext(AES_128_GCM, bytes(range(28)), ssrc=7)
    assert context.lend() == bytes(range(28))
    assert context.lend() is None
    with pytest.raises(SrtpError, match="a kernel sends"):
        context.protect(rtp_header(7, 1, extended=False) + b"x")
    assert context.protect_rtcp(bytes.fromhex("80c9000100000007"))
    context.close()


def test_keys_of_another_profile_are_not_lent() -> None:
    other = SrtpContext(AES128_CM_SHA1_80, bytes(30), ssrc=7)
    assert other.lend() is None
    assert len(other.protect(rtp_header(7, 1, extended=False) + b"x")) == 12 + 1 + 10
    other.close()


@given(masters, payloads, words, st.integers(0, 0xFFFF), words, st.booleans(), st.data())
def test_only_what_was_sealed_is_authentic(
    master: bytes, payload: bytes, ssrc: int, sequence: int, rollover: int, extended: bool, data: st.DataObject
) -> None:
    table, header = keyed(master, rollover), rtp_header(ssrc, sequence, extended)
    packet = sealed(table, header, payload, ssrc, sequence)

    def holds(packet: bytes, rollover: int = rollover) -> bool:
        buffer = np.frombuffer(packet + bytes(16), np.uint8).copy()
        addresses = (table.ctypes.data + SIZE, buffer.ctypes.data, len(header), len(payload))
        return authentic(*addresses, ssrc, rollover, sequence)

    assert holds(packet)
    assert not holds(packet, rollover ^ 1)
    place, bit = data.draw(st.integers(0, len(packet) - 1)), data.draw(st.integers(0, 7))
    assert not holds(packet[:place] + bytes([packet[place] ^ 1 << bit]) + packet[place + 1 :])
