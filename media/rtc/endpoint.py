"""What one end says of itself in a session description (RFC 8866, RFC 9429), as an offer or as an answer.

Written plainly: one audio section, and the rest of an offer declined. Reading is :mod:`media.rtc.sdp`'s.
"""

from dataclasses import dataclass

from media.rtc.dtls import Fingerprint
from media.rtc.sdp import Description, Direction, MediaSection, Setup


@dataclass(frozen=True)
class Endpoint:
    """What one side says of itself in an audio section."""

    ufrag: str
    pwd: str
    fingerprint: Fingerprint
    setup: Setup
    direction: Direction
    payload_type: int
    ssrc: int
    mid: str = "0"
    extensions: tuple[tuple[str, int], ...] = ()
    """(URI, identifier), each one that both sides know."""
    candidates: tuple[tuple[str, int], ...] = ()
    ice_lite: bool = False
    cname: str = "spaces"
    ptime: int | None = None
    """Milliseconds of sound in packets to the offer's author: as it wants, as it gets; None leaves it open."""


OPUS_PARAMETERS = "minptime=10;useinbandfec=1;usedtx=1"
"""RFC 7587 §6.1: in-band FEC is understood; stereo is not asked for, so speakers send mono."""


def write_sdp(endpoint: Endpoint, offer: Description | None = None) -> str:
    """An offer, or the answer to ``offer``: its sections in its order, all but the audio one declined."""
    sections = [_audio_lines(endpoint)]
    if offer:
        taken = offer.audio
        sections = [_audio_lines(endpoint) if section is taken else _declined(section) for section in offer.media]
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if endpoint.ice_lite:
        lines.append("a=ice-lite")
    if offer is None or endpoint.mid in offer.bundle:
        lines.append(f"a=group:BUNDLE {endpoint.mid}")
    lines.append(f"a=msid-semantic: WMS {endpoint.cname}")
    return "\r\n".join(line for part in [lines, *sections] for line in part) + "\r\n"


def _audio_lines(own: Endpoint) -> list[str]:
    host, port = own.candidates[0] if own.candidates else ("0.0.0.0", 9)  # noqa: S104 (no address yet: RFC 9429 §5.2.1)
    lines = [
        f"m=audio {port} UDP/TLS/RTP/SAVPF {own.payload_type}",
        f"c=IN IP4 {host}",
        f"a={own.direction}",
        "a=rtcp-mux",
        f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.pwd}",
        f"a=fingerprint:{own.fingerprint.algorithm} {own.fingerprint.value}",
        f"a=setup:{own.setup}",
        f"a=rtpmap:{own.payload_type} opus/48000/2",
        f"a=fmtp:{own.payload_type} {OPUS_PARAMETERS}",
    ]
    if own.ptime is not None:
        lines.append(f"a=ptime:{own.ptime}")
    if own.mid:
        lines.append(f"a=mid:{own.mid}")
    lines += [f"a=extmap:{identifier} {uri}" for uri, identifier in own.extensions]
    if own.direction in ("sendrecv", "sendonly"):
        lines += [f"a=msid:{own.cname} audio", f"a=ssrc:{own.ssrc} cname:{own.cname}"]
    lines += candidate_lines(own.candidates)
    if own.candidates:
        lines.append("a=end-of-candidates")
    return lines


def candidate_lines(candidates: tuple[tuple[str, int], ...]) -> list[str]:
    """Host candidates in order of preference (RFC 8839 §5.1, RFC 8445 §5.1.2)."""
    return [
        f"a=candidate:{index} 1 udp {(126 << 24) | ((65536 - index) << 8) | 255} {host} {port} typ host"
        for index, (host, port) in enumerate(candidates, start=1)
    ]


def _declined(section: MediaSection) -> list[str]:
    lines = [
        f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
    ]
    return [*lines, f"a=mid:{section.mid}"] if section.mid else lines
