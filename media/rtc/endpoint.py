"""What one end says of itself in a session description (RFC 8866, RFC 9429), as an offer or as an answer.

One audio section, and of an offer every other section as well. What the relay has no use for is answered
``a=inactive`` in the same BUNDLE group, with the group's transport and the formats of the offer: clients whose
first section is refused outright, with port 0, do not connect at all. Outside the group a section before the audio
one has a port and no candidates; one after it has port 0, as has what the offer itself has switched off. Reading
is :mod:`media.rtc.sdp`'s.
"""

from dataclasses import dataclass

from media.rtc.description import Description, Direction, MediaSection, Setup
from media.rtc.dtls import Fingerprint


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
    """An offer, or the answer to ``offer``: its sections in its order, all but the audio one unused."""
    bundle = [endpoint.mid]
    sections = [_audio_lines(endpoint, None)]
    if offer:
        taken, group = offer.audio, offer.bundle
        shared = [section is taken or _shares(section, group) for section in offer.media]
        answered = {section.mid for section, on in zip(offer.media, shared, strict=True) if on}
        bundle = [mid for mid in group if mid in answered]
        sections = [
            _audio_lines(endpoint, section)
            if section is taken
            else _unused_lines(endpoint, section, shares=on, first=number < offer.media.index(taken))
            for number, (section, on) in enumerate(zip(offer.media, shared, strict=True))
        ]
    lines = ["v=0", f"o=- {endpoint.ssrc} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if endpoint.ice_lite:
        lines.append("a=ice-lite")
    if bundle:
        lines.append(f"a=group:BUNDLE {' '.join(bundle)}")
    lines.append(f"a=msid-semantic: WMS {endpoint.cname}")
    return "\r\n".join(line for part in [lines, *sections] for line in part) + "\r\n"


def _shares(section: MediaSection, group: list[str]) -> bool:
    """Whether a section that the relay does not use is on the audio section's transport all the same."""
    return section.in_use and section.secured and section.mid in group


def _audio_lines(own: Endpoint, offered: MediaSection | None) -> list[str]:
    protocol = offered.protocol if offered else "UDP/TLS/RTP/SAVPF"
    codec = offered.rtpmap[own.payload_type] if offered else "opus/48000/2"
    lines = [
        *_head(own, "audio", protocol, str(own.payload_type), on=True),
        f"a={own.direction}",
        *_transport_lines(own, rtp=True),
        f"a=rtpmap:{own.payload_type} {codec}",
        f"a=fmtp:{own.payload_type} {OPUS_PARAMETERS}",
    ]
    if own.ptime is not None:
        lines.append(f"a=ptime:{own.ptime}")
    if own.mid:
        lines.append(f"a=mid:{own.mid}")
    lines += [f"a=extmap:{identifier} {uri}" for uri, identifier in own.extensions]
    if own.direction in ("sendrecv", "sendonly"):
        lines += [f"a=msid:{own.cname} audio", f"a=ssrc:{own.ssrc} cname:{own.cname}"]
    return lines + _candidate_lines(own)


def _unused_lines(own: Endpoint, section: MediaSection, *, shares: bool, first: bool) -> list[str]:
    """The answer to a section that the relay does not use; ``first``: it comes before the one that it uses.

    The transport is named even where the port is 0: GStreamer and aiortc look for it in every section.
    """
    on = shares or (first and section.in_use and section.secured)
    lines = [
        *_head(own, section.kind, section.protocol, " ".join(section.formats), on=on),
        "a=inactive",
        *_transport_lines(own, rtp=section.rtp),
        *section.repeated,
    ]
    if section.mid:
        lines.append(f"a=mid:{section.mid}")
    return lines + (_candidate_lines(own) if shares else [])


def _head(own: Endpoint, kind: str, protocol: str, formats: str, *, on: bool) -> list[str]:
    host, port = own.candidates[0] if own.candidates else ("0.0.0.0", 9)  # noqa: S104 (no address yet: RFC 9429 §5.2.1)
    family = "IP6" if ":" in host else "IP4"
    return [f"m={kind} {port if on else 0} {protocol} {formats}", f"c=IN {family} {host}"]


def _transport_lines(own: Endpoint, *, rtp: bool) -> list[str]:
    return [
        *(["a=rtcp-mux"] if rtp else []),
        f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.pwd}",
        f"a=fingerprint:{own.fingerprint.algorithm} {own.fingerprint.value}",
        f"a=setup:{own.setup}",
    ]


def _candidate_lines(own: Endpoint) -> list[str]:
    return [*candidate_lines(own.candidates), "a=end-of-candidates"] if own.candidates else []


def candidate_lines(candidates: tuple[tuple[str, int], ...]) -> list[str]:
    """Host candidates in order of preference (RFC 8839 §5.1, RFC 8445 §5.1.2)."""
    return [
        f"a=candidate:{index} 1 udp {(126 << 24) | ((65536 - index) << 8) | 255} {host} {port} typ host"
        for index, (host, port) in enumerate(candidates, start=1)
    ]
