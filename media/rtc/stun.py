"""STUN Binding messages (RFC 8489), as ICE connectivity and consent checks use them (RFC 8445 §7)."""

import hashlib
import hmac
import socket
import struct
import zlib
from dataclasses import dataclass, field

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST, BINDING_RESPONSE, BINDING_ERROR = 0x0001, 0x0101, 0x0111

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS = (
    0x0006,
    0x0008,
    0x0009,
    0x000A,
    0x0020,
)
PRIORITY, USE_CANDIDATE, FINGERPRINT, ICE_CONTROLLED, ICE_CONTROLLING = 0x0024, 0x0025, 0x8028, 0x8029, 0x802A

_HEADER = struct.Struct("!HHL12s")
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_SIZE = 24
_FINGERPRINT_SIZE = 8

Address = tuple[str, int]
"""IPv4 address in dotted form, and UDP port."""


class StunError(ValueError):
    """Bytes that are no STUN message."""


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A message whose form and fingerprint are right; integrity is checked apart, since it needs the password."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]
    raw: bytes = field(repr=False)
    integrity_at: int = -1
    """Offset of MESSAGE-INTEGRITY, -1 if there is none."""

    def authentic(self, password: bytes) -> bool:
        """True if MESSAGE-INTEGRITY is present and was made with ``password`` (RFC 8489 §14.5)."""
        if self.integrity_at < 0:
            return False
        expected = _integrity(self.raw[: self.integrity_at], password)
        return hmac.compare_digest(expected, self.attributes[MESSAGE_INTEGRITY])

    @property
    def username(self) -> str:
        """Of a check: the receiver's user fragment, a colon, the sender's; "" if absent or no text."""
        try:
            return self.attributes.get(USERNAME, b"").decode("ascii")
        except UnicodeDecodeError:
            return ""


def is_stun(data: bytes) -> bool:
    """RFC 7983: the first byte of STUN is 0..3, and the magic cookie follows the length."""
    return len(data) >= 20 and data[0] < 4 and data[4:8] == b"\x21\x12\xa4\x42"


def parse_stun(data: bytes) -> StunMessage:
    """Take a datagram apart; :raises StunError: in one sentence.

    What follows MESSAGE-INTEGRITY is not covered by it and is ignored, but for FINGERPRINT (RFC 8489 §14.5).
    """
    if not is_stun(data):
        raise StunError("no STUN header")
    kind, length, _, transaction = _HEADER.unpack_from(data)
    if length % 4 or length + _HEADER.size != len(data):
        raise StunError("the STUN length field is not the length of the message")
    attributes: dict[int, bytes] = {}
    integrity_at = -1
    at = _HEADER.size
    while at < len(data):
        attribute, size = struct.unpack_from("!HH", data, at)
        if at + 4 + size > len(data):
            raise StunError("a STUN attribute is cut off")
        value = data[at + 4 : at + 4 + size]
        if attribute == FINGERPRINT:
            _check_fingerprint(data, at, value)
        elif integrity_at < 0:
            if attribute == MESSAGE_INTEGRITY:
                if size != 20:
                    raise StunError("MESSAGE-INTEGRITY has 20 bytes")
                integrity_at = at
            attributes.setdefault(attribute, value)
        at += 4 + size + -size % 4
    return StunMessage(kind, transaction, attributes, data, integrity_at)


def _check_fingerprint(data: bytes, at: int, value: bytes) -> None:
    crc = zlib.crc32(data[:at]) ^ _FINGERPRINT_XOR
    if at + _FINGERPRINT_SIZE != len(data) or value != struct.pack("!L", crc):
        raise StunError("the STUN fingerprint does not match")


def build_stun(kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], password: bytes) -> bytes:
    """A message with integrity and fingerprint appended."""
    body = b"".join(
        struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4) for name, value in attributes
    )
    message = _HEADER.pack(kind, len(body), MAGIC_COOKIE, transaction) + body
    message = _with_length(message, len(body) + _INTEGRITY_SIZE)
    message += struct.pack("!HH", MESSAGE_INTEGRITY, 20) + hmac.digest(password, message, hashlib.sha1)
    message = _with_length(message, len(body) + _INTEGRITY_SIZE + _FINGERPRINT_SIZE)
    return message + struct.pack("!HHL", FINGERPRINT, 4, zlib.crc32(message) ^ _FINGERPRINT_XOR)


def build_success(request: StunMessage, source: Address, password: bytes) -> bytes:
    """The answer to an authentic Binding request: 64 bytes, never more than such a request has."""
    return build_stun(
        BINDING_RESPONSE, request.transaction, [(XOR_MAPPED_ADDRESS, _xor_address(source))], password
    )


def _integrity(covered: bytes, password: bytes) -> bytes:
    return hmac.digest(
        password, _with_length(covered, len(covered) - _HEADER.size + _INTEGRITY_SIZE), hashlib.sha1
    )


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + struct.pack("!H", length) + message[4:]


def _xor_address(address: Address) -> bytes:
    host, port = address
    ip = int.from_bytes(socket.inet_aton(host), "big")
    return struct.pack("!BBHL", 0, 1, port ^ (MAGIC_COOKIE >> 16), ip ^ MAGIC_COOKIE)
