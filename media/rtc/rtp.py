"""RTP headers (RFC 3550 §5.1) and their one-byte extensions (RFC 8285), as far as one Opus stream needs them."""

import struct
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from media.rtc.words import get16

AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""RFC 6464: the speaker's own level, readable without decoding."""
CAPTURE_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
"""When the sound was captured, as a 64-bit NTP timestamp of the capturer's clock."""

CLOCK_RATE = 48_000
"""RTP clock of Opus in Hz, whatever the sampling rate (RFC 7587 §4.1)."""
HEADER_SIZE = 12
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""


class RtpError(ValueError):
    """Bytes that are no RTP packet."""


class RtpPacket(NamedTuple):
    """One packet, its payload without padding."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    extensions: dict[int, bytes] | None = None


def is_sound(datagram: bytes) -> bool:
    """RTP and not RTCP, by its first two bytes (RFC 7983, RFC 5761 §4)."""
    return len(datagram) > 1 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223


def parse_rtp(data: bytes) -> RtpPacket:
    """Take a decrypted packet apart; :raises RtpError: in one sentence."""
    if len(data) < HEADER_SIZE:
        raise RtpError("an RTP packet has at least 12 bytes")
    start, end, block, block_end = locate(np.frombuffer(bytearray(data), np.uint8), len(data))
    if start < 0:
        raise RtpError(_WHY[start])
    _, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHLL", data)
    extensions = _one_byte_extensions(data[block:block_end]) if block else None
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80), extensions)


_VERSION, _CUT, _PADDING, _LONG = range(-4, 0)
_WHY = {
    _VERSION: "an RTP packet has version 2",
    _CUT: "the RTP header extension is cut off",
    _PADDING: "RTP padding counts itself, so it is never 0",
    _LONG: "the RTP header is longer than the packet",
}


@njit(nogil=True, cache=True)
def locate(data: Any, size: Any) -> Any:  # pragma: no cover
    """Where the payload of a packet of ``size`` bytes, at least 12, starts and ends, and its one-byte extensions.

    The extensions start at 0 if there are none; a start below 0 says what is wrong.
    """
    if data[0] >> 6 != 2:
        return _VERSION, 0, 0, 0
    start = HEADER_SIZE + 4 * np.int64(data[0] & 0x0F)
    block = block_end = 0
    if data[0] & 0x10:
        if size < start + 4:
            return _CUT, 0, 0, 0
        profile, words = get16(data, start), get16(data, start + 2)
        start += 4
        if profile == 0xBEDE:
            block, block_end = start, min(start + 4 * words, size)
        start += 4 * words
    end = size
    if data[0] & 0x20:
        end -= np.int64(data[size - 1])
        if data[size - 1] == 0:
            return _PADDING, 0, 0, 0
    return (start, end, block, block_end) if start <= end else (_LONG, 0, 0, 0)


@njit(nogil=True, cache=True)
def find_extension(data: Any, at: Any, end: Any, identifier: Any) -> Any:  # pragma: no cover
    """Where the value of an extension starts and ends in the block from ``at`` to ``end``; 0, 0 if it has none."""
    start = stop = 0
    while at < end:
        found, length = data[at] >> 4, np.int64(data[at] & 0x0F) + 1
        if found == 0:  # padding
            at += 1
            continue
        if found == 15:  # RFC 8285 §4.2: stop processing here
            break
        if found == identifier:
            start, stop = at + 1, min(at + 1 + length, end)
        at += 1 + length
    return start, stop


def _one_byte_extensions(block: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(block):
        identifier, length = block[at] >> 4, (block[at] & 0x0F) + 1
        if identifier == 0:  # padding
            at += 1
            continue
        if identifier == 15:  # RFC 8285 §4.2: stop processing here
            break
        found[identifier] = block[at + 1 : at + 1 + length]
        at += 1 + length
    return found


def build_rtp(packet: RtpPacket) -> bytes:
    """The packet's bytes, extensions in one-byte form."""
    first = 0x80
    block = b""
    if packet.extensions:
        first |= 0x10
        for identifier, value in packet.extensions.items():
            block += bytes([identifier << 4 | len(value) - 1]) + value
        block += bytes(-len(block) % 4)
        block = struct.pack("!HH", 0xBEDE, len(block) // 4) + block
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = struct.pack("!BBHLL", first, second, packet.sequence, packet.timestamp, packet.ssrc)
    return header + block + packet.payload


def ntp_time(unix_seconds: float) -> int:
    """64-bit NTP timestamp (RFC 5905 §6) of a Unix time in seconds."""
    return int((unix_seconds + _NTP_EPOCH) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF


def unix_time(ntp: int) -> float:
    """Unix time in seconds of a 64-bit NTP timestamp."""
    return ntp / (1 << 32) - _NTP_EPOCH
