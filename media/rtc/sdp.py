"""Session descriptions of one Opus stream (RFC 8866, RFC 9429), read strictly.

Ours rather than a library's, because a client must be told in one sentence what is wrong with its offer, and
because a relay needs a twentieth of what SDP can say. What we say ourselves is written by
:mod:`media.rtc.endpoint`.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from media.rtc.dtls import Fingerprint

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["active", "passive", "actpass"]

_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_SETUPS: tuple[Setup, ...] = ("active", "passive", "actpass")
ICE_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
ICE_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
"""What ICE credentials look like (RFC 8839 §5.4)."""
MEDIA_MAX = 16
"""Media sections; more is an attack or a mistake."""
LINES_MAX = 1000
"""Lines of a description, which are read between two ticks; a browser's with 16 sections has fewer."""
FORMATS_MAX = 128
"""Payload types of a section; there are no more (RFC 3551 §6)."""


class SdpError(ValueError):
    """A description that cannot be used; the message is one sentence for its author."""


@dataclass
class MediaSection:
    """One ``m=`` section, as far as the relay reads it."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: Direction = "sendrecv"
    rtcp_mux: bool = False
    rtpmap: dict[int, str] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    """URI to identifier (RFC 8285)."""
    candidates: list[tuple[str, int]] = field(default_factory=list)
    """Host and port of each UDP candidate of component 1."""
    ssrc: int | None = None
    ptime: int | None = None
    """Milliseconds of sound in a packet that its author wants to receive, if it says so; and those it can take."""
    maxptime: int | None = None
    ufrag: str = ""
    pwd: str = ""
    setup: str = ""
    fingerprints: list[Fingerprint] = field(default_factory=list)
    inherited: bool = False
    """The fingerprints are those of the session, and give way to the section's own."""

    @property
    def frames(self) -> int:
        """Frames of 20 ms in each packet that its author wants to be sent: 1, 2 or 3."""
        longest = 60 if self.maxptime is None else self.maxptime
        return max(1, min(self.ptime or 20, longest, 60) // 20)

    @property
    def opus(self) -> int | None:
        """The payload type of Opus, None if it is not offered."""
        for payload_type, codec in self.rtpmap.items():
            if codec.lower() == "opus/48000/2" and str(payload_type) in self.formats:
                return payload_type
        return None


@dataclass
class Description:
    """An offer or an answer."""

    media: list[MediaSection] = field(default_factory=list)
    bundle: list[str] = field(default_factory=list)
    ice_lite: bool = False

    @property
    def audio(self) -> MediaSection:
        """The first audio section in use; :raises SdpError: there is none that can be used."""
        for section in self.media:
            if section.kind == "audio" and section.port:
                _require_usable(section)
                return section
        raise SdpError("The description has no audio section: offer one m=audio with Opus.")


def parse_sdp(text: str) -> Description:
    """Take a description apart; :raises SdpError: in one sentence that names the line."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines or lines[0] != "v=0":
        raise SdpError("A session description starts with the line v=0.")
    if len(lines) > LINES_MAX:
        raise SdpError(f"The description has more than {LINES_MAX} lines.")
    description = Description()
    session = MediaSection("session", 9, "", [])
    section = session
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if len(line) < 2 or line[1] != "=":
            raise SdpError(f"Line {number} of the description is not of the form letter=value.")
        letter, value = line[0], line[2:]
        try:
            if letter == "m":
                section = _media_line(value)
                section.ufrag, section.pwd, section.setup = session.ufrag, session.pwd, session.setup
                section.fingerprints, section.inherited = list(session.fingerprints), True
                section.direction = session.direction
                description.media.append(section)
            elif letter == "a":
                _attribute(description, section, session, value)
        except SdpError:
            raise
        except (ValueError, IndexError) as error:
            raise SdpError(f"Line {number} of the description is malformed: {line[:80]!r}.") from error
        if len(description.media) > MEDIA_MAX:
            raise SdpError(f"The description has more than {MEDIA_MAX} media sections.")
    return description


def _media_line(value: str) -> MediaSection:
    kind, port, protocol, *formats = value.split()
    number = int(port.split("/")[0])
    if not 0 <= number <= 65535 or not 0 < len(formats) <= FORMATS_MAX:
        raise ValueError(value)
    return MediaSection(kind, number, protocol, formats)


def _attribute(description: Description, section: MediaSection, session: MediaSection, value: str) -> None:
    name, _, argument = value.partition(":")
    if name == "group" and argument.startswith("BUNDLE"):
        description.bundle = argument.split()[1:]
    elif name == "ice-lite":
        description.ice_lite = True
    elif name in _DIRECTIONS:
        section.direction = name
    elif name == "rtcp-mux":
        section.rtcp_mux = True
    elif name == "fingerprint":
        if section.inherited:
            section.fingerprints, section.inherited = [], False
        algorithm, digest = argument.split()
        section.fingerprints.append(Fingerprint(algorithm.lower(), digest.upper()))
    else:
        _ATTRIBUTES.get(name, _ignore)(section, argument)


def _ignore(section: MediaSection, argument: str) -> None:
    """Unknown attributes are passed over (RFC 8866 §5.13)."""


def _set_mid(section: MediaSection, argument: str) -> None:
    section.mid = argument


def _set_ufrag(section: MediaSection, argument: str) -> None:
    if not ICE_UFRAG.fullmatch(argument):
        raise SdpError("a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839 §5.4).")
    section.ufrag = argument


def _set_pwd(section: MediaSection, argument: str) -> None:
    if not ICE_PWD.fullmatch(argument):
        raise SdpError("a=ice-pwd must have 22 to 256 letters, digits, + or / (RFC 8839 §5.4).")
    section.pwd = argument


def _set_setup(section: MediaSection, argument: str) -> None:
    if argument not in _SETUPS:
        raise SdpError("a=setup must be active, passive or actpass (RFC 8842 §5).")
    section.setup = argument


def _add_rtpmap(section: MediaSection, argument: str) -> None:
    payload_type, codec = argument.split()
    number = int(payload_type)
    if not 0 <= number <= 127:
        raise ValueError(argument)
    section.rtpmap[number] = codec


def _add_fmtp(section: MediaSection, argument: str) -> None:
    payload_type, _, parameters = argument.partition(" ")
    section.fmtp[int(payload_type)] = parameters


def _add_extension(section: MediaSection, argument: str) -> None:
    identifier, uri = argument.split()[:2]
    number = int(identifier.split("/")[0])
    if 1 <= number <= 14:  # what fits the one-byte form
        section.extensions[uri] = number


def _set_ssrc(section: MediaSection, argument: str) -> None:
    if section.ssrc is None:
        number = int(argument.split()[0])
        if not 0 <= number < 1 << 32:
            raise ValueError(argument)
        section.ssrc = number


def _set_ptime(section: MediaSection, argument: str) -> None:
    section.ptime = _milliseconds(argument)


def _set_maxptime(section: MediaSection, argument: str) -> None:
    section.maxptime = _milliseconds(argument)


def _milliseconds(argument: str) -> int:
    number = int(argument.strip())
    if not 0 < number < 10_000:
        raise ValueError(argument)
    return number


def _add_candidate(section: MediaSection, argument: str) -> None:
    _, component, transport, _, host, port, *_ = argument.split()
    if component == "1" and transport.lower() == "udp":
        section.candidates.append((host, int(port)))


_ATTRIBUTES = {
    "mid": _set_mid,
    "ice-ufrag": _set_ufrag,
    "ice-pwd": _set_pwd,
    "setup": _set_setup,
    "rtpmap": _add_rtpmap,
    "fmtp": _add_fmtp,
    "extmap": _add_extension,
    "ssrc": _set_ssrc,
    "ptime": _set_ptime,
    "maxptime": _set_maxptime,
    "candidate": _add_candidate,
}


def _require_usable(section: MediaSection) -> None:
    opus = section.opus
    if opus is None:
        raise SdpError("The audio section does not offer Opus: add a=rtpmap:<type> opus/48000/2.")
    if 64 <= opus <= 95:
        raise SdpError(f"Payload type {opus} cannot be told from RTCP (RFC 5761 §4): use 96 to 127 for Opus.")
    if section.protocol not in ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"):
        raise SdpError(f"The audio section's protocol is {section.protocol!r}: use UDP/TLS/RTP/SAVPF.")
    if not section.rtcp_mux:
        raise SdpError("The audio section lacks a=rtcp-mux: RTP and RTCP share one port here (RFC 5761).")
    if not section.ufrag or not section.pwd:
        raise SdpError("The audio section lacks a=ice-ufrag or a=ice-pwd: ICE is required.")
    if not section.fingerprints:
        raise SdpError("The audio section lacks a=fingerprint: DTLS-SRTP is required.")
    if not section.setup:
        raise SdpError("The audio section lacks a=setup: say who starts the DTLS handshake.")
