"""RTCP compound packets (RFC 3550 §6): what a relay reads from its peers, and the reports a client sends."""

import struct
from dataclasses import dataclass

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, BYE = 200, 201, 202, 203
_BLOCK = struct.Struct("!LB3sLLLL")


class RtcpError(ValueError):
    """Bytes that are no RTCP compound packet."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source is received (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: float
    """0..1 since the report before."""
    lost: int
    """Cumulative; negative when duplicates arrived."""
    highest_sequence: int
    jitter: int
    """In RTP clock ticks."""
    last_sender_report: int
    """Middle 32 bits of that report's NTP time, 0 if none was received."""
    delay_since: int
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A source's own clock and counts."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Compound:
    """What one compound packet said; types we have no use for are passed over."""

    sender: SenderReport | None
    reports: tuple[ReportBlock, ...]
    bye: tuple[int, ...]


def is_rtcp(data: bytes) -> bool:
    """RFC 5761 §4: RTCP types 192..223 share the second byte with no RTP type in use."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def parse_rtcp(data: bytes) -> Compound:
    """Take a decrypted compound packet apart; :raises RtcpError: in one sentence."""
    sender = None
    reports: list[ReportBlock] = []
    bye: list[int] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4:
            raise RtcpError("an RTCP packet has at least 4 bytes")
        first, kind, words = struct.unpack_from("!BBH", data, at)
        count, body, end = first & 0x1F, at + 4, at + 4 + 4 * words
        if first >> 6 != 2:
            raise RtcpError("an RTCP packet has version 2")
        if end > len(data):
            raise RtcpError("an RTCP packet is cut off")
        if kind == SENDER_REPORT:
            if end - body < 24:
                raise RtcpError("a sender report has at least 24 bytes")
            ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!LQLLL", data, body)
            sender = SenderReport(ssrc, ntp, timestamp, packets, octets)
            reports += _blocks(data, body + 24, end, count)
        elif kind == RECEIVER_REPORT:
            reports += _blocks(data, body + 4, end, count)
        elif kind == BYE:
            bye += struct.unpack_from(f"!{min(count, words)}L", data, body)
        at = end
    return Compound(sender, tuple(reports), tuple(bye))


def _blocks(data: bytes, at: int, end: int, count: int) -> list[ReportBlock]:
    if at + count * _BLOCK.size > end:
        raise RtcpError("an RTCP report has fewer blocks than it says")
    blocks: list[ReportBlock] = []
    for _ in range(count):
        ssrc, fraction, lost, highest, jitter, last, delay = _BLOCK.unpack_from(data, at)
        count_lost = int.from_bytes(lost, "big", signed=True)
        blocks.append(ReportBlock(ssrc, fraction / 256, count_lost, highest, jitter, last, delay))
        at += _BLOCK.size
    return blocks


def build_receiver_report(ssrc: int, blocks: tuple[ReportBlock, ...], cname: str) -> bytes:
    """A receiver report with the description that must follow it (RFC 3550 §6.1)."""
    report = struct.pack("!BBHL", 0x80 | len(blocks), RECEIVER_REPORT, 1 + 6 * len(blocks), ssrc)
    for block in blocks:
        lost = block.lost.to_bytes(3, "big", signed=True)
        fraction = min(255, int(block.fraction_lost * 256))
        report += _BLOCK.pack(
            block.ssrc,
            fraction,
            lost,
            block.highest_sequence,
            block.jitter,
            block.last_sender_report,
            block.delay_since,
        )
    return report + build_description(ssrc, cname)


def build_description(ssrc: int, cname: str) -> bytes:
    """A source description with a canonical name (RFC 3550 §6.5)."""
    name = cname.encode()[:255]
    chunk = struct.pack("!LBB", ssrc, 1, len(name)) + name
    chunk += bytes(4 - len(chunk) % 4)
    return struct.pack("!BBH", 0x81, DESCRIPTION, len(chunk) // 4) + chunk


def build_bye(ssrc: int) -> bytes:
    """A goodbye (RFC 3550 §6.6)."""
    return struct.pack("!BBHL", 0x81, BYE, 1, ssrc)
