"""Reading of session descriptions (RFC 8866, RFC 9429): tolerant of what a relay can live with.

Ours rather than a library's, because a client must be told in one sentence what is wrong with its offer, and
because a relay needs a twentieth of what SDP can say. An attribute that is malformed is passed over, and is missed
only where the section that it stands in is needed; ``docs/negotiation.md`` lists what refuses an offer.
"""

import re
from collections.abc import Callable

from media.rtc.description import Description, Direction, MediaSection, SdpError
from media.rtc.dtls import DIGESTS, Fingerprint

ICE_UFRAG = re.compile(r"[^\s:]{4,256}")
ICE_PWD = re.compile(r"\S{22,256}")
"""How long ICE credentials are (RFC 8839 §5.4); of what letters does not matter, since they are only compared."""
MEDIA_MAX = 16
"""Media sections; more is an attack or a mistake."""
LINES_MAX = 1000
"""Lines of a description, which are read between two ticks; a browser's with 16 sections has fewer."""
FORMATS_MAX = 128
"""Payload types of a section; there are no more (RFC 3551 §6)."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBER = re.compile(r"[0-9]{1,15}")
_MEDIA_LINE = re.compile(r"(\S+)\s+([0-9]{1,15})(?:/[0-9]+)?\s+(\S+)\s+(\S.*)")
_PAIRS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})*")
_SETUPS = ("active", "passive", "actpass")


def split_lines(text: str, what: str) -> list[str]:
    """Its lines without the space around them, whichever way they end; :raises SdpError: there are too many."""
    lines = [line.strip() for line in _LINE_END.split(text.removeprefix("\ufeff"))]
    if len(lines) > LINES_MAX:
        raise SdpError(f"The {what} has more than {LINES_MAX} lines.")
    return lines


def parse_sdp(text: str) -> Description:
    """Take a description apart; :raises SdpError: in one sentence that names the line."""
    lines = split_lines(text, "description")
    if next(filter(None, lines), "") != "v=0":
        raise SdpError("A session description starts with the line v=0.")
    description = Description()
    session = MediaSection("session", 9, "", [])
    section = session
    for number, line in enumerate(lines, start=1):
        letter, value = line[:2], line[2:]
        if letter == "m=":
            section = _media_section(value, number, session)
            description.media.append(section)
            if len(description.media) > MEDIA_MAX:
                raise SdpError(f"The description has more than {MEDIA_MAX} media sections.")
        elif letter == "a=":
            _attribute(description, section, value, number)
    description.share_transport()
    return description


def _media_section(value: str, number: int, session: MediaSection) -> MediaSection:
    """A section, with what the session's lines say of all."""
    match = _MEDIA_LINE.fullmatch(value)
    formats = match[4].split() if match else []
    if match is None or len(formats) > FORMATS_MAX:
        raise SdpError(f"Line {number} of the description is malformed: {f'm={value}'[:80]!r}.")
    return MediaSection(
        *(match[1], int(match[2]), match[3], formats),
        direction=session.direction,
        extensions=dict(session.extensions),
        ufrag=session.ufrag,
        pwd=session.pwd,
        setup=session.setup,
        fingerprints=list(session.fingerprints),
        inherited=True,
        faults=dict(session.faults),
    )


def _attribute(description: Description, section: MediaSection, value: str, number: int) -> None:
    """Note what an attribute says; unknown ones are passed over (RFC 8866 §5.13), malformed ones with a fault."""
    name, _, argument = value.partition(":")
    argument = argument.strip()
    if name == "group":
        kind, *mids = argument.split() or [""]
        if kind == "BUNDLE" and len(description.groups) < MEDIA_MAX:
            description.groups.append(list(dict.fromkeys(mids)))
    elif name == "ice-lite":
        description.ice_lite = True
    elif read := _ATTRIBUTES.get(name):
        try:
            read(section, argument)
        except SdpError as error:
            section.faults[name] = str(error)
        except (ValueError, IndexError):
            section.faults[name] = f"Line {number} of the description is malformed: {f'a={value}'[:80]!r}."


def _set_direction(direction: Direction) -> Callable[[MediaSection, str], None]:
    def read(section: MediaSection, _: str) -> None:
        section.direction = direction

    return read


def _set_mid(section: MediaSection, argument: str) -> None:
    section.mid = argument.split()[0]


def _set_bundle_only(section: MediaSection, _: str) -> None:
    section.bundle_only = True


def _set_rtcp_mux(section: MediaSection, _: str) -> None:
    section.rtcp_mux = True


def _set_ufrag(section: MediaSection, argument: str) -> None:
    if not ICE_UFRAG.fullmatch(argument):
        raise SdpError("The line a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839 §5.4).")
    section.ufrag = argument


def _set_pwd(section: MediaSection, argument: str) -> None:
    if not ICE_PWD.fullmatch(argument):
        raise SdpError("The line a=ice-pwd must have 22 to 256 letters, digits, + or / (RFC 8839 §5.4).")
    section.pwd = argument


def _set_setup(section: MediaSection, argument: str) -> None:
    section.faults.pop("setup", None)
    if argument.lower() not in _SETUPS:  # literals of its grammar: either case (RFC 5234 §2.3)
        raise SdpError("The line a=setup must be active, passive or actpass (RFC 8842 §5).")
    section.setup = argument.lower()


def _add_fingerprint(section: MediaSection, argument: str) -> None:
    algorithm, digest = argument.split()[:2]
    algorithm, digest = algorithm.lower(), digest.upper()
    size = DIGESTS[algorithm]().digest_size if algorithm in DIGESTS else 0
    if size and (len(digest) != 3 * size - 1 or not _PAIRS.fullmatch(digest)):
        raise SdpError(
            f"The line a=fingerprint of {algorithm} must have {size} bytes in hexadecimal, with colons between."
        )
    if section.inherited:
        section.fingerprints, section.inherited = [], False
    section.fingerprints.append(Fingerprint(algorithm, digest))


def _add_rtpmap(section: MediaSection, argument: str) -> None:
    payload_type, codec = argument.split()[:2]
    section.rtpmap[_number(payload_type, 127)] = codec
    _repeat(section, "rtpmap", payload_type, argument)


def _add_fmtp(section: MediaSection, argument: str) -> None:
    payload_type, parameters = argument.split(maxsplit=1)
    section.fmtp[_number(payload_type, 127)] = parameters
    _repeat(section, "fmtp", payload_type, argument)


def _repeat(section: MediaSection, name: str, payload_type: str, argument: str) -> None:
    if payload_type in section.formats:
        section.repeated.append(f"a={name}:{argument}")


def _add_sctp(name: str) -> Callable[[MediaSection, str], None]:
    def read(section: MediaSection, argument: str) -> None:
        section.repeated.append(f"a={name}:{argument}")

    return read


def _add_extension(section: MediaSection, argument: str) -> None:
    identifier, uri = argument.split()[:2]
    number = _number(identifier.partition("/")[0])
    if 1 <= number <= 14:  # what fits the one-byte form
        section.extensions[uri] = number


def _set_ssrc(section: MediaSection, argument: str) -> None:
    if section.ssrc is None:
        section.ssrc = _number(argument.split()[0], 0xFFFF_FFFF)


def _set_ptime(section: MediaSection, argument: str) -> None:
    section.ptime = _milliseconds(argument)


def _set_maxptime(section: MediaSection, argument: str) -> None:
    section.maxptime = _milliseconds(argument)


def _milliseconds(argument: str) -> int:
    """A whole number of them; RFC 8866 §6.4 allows fractions."""
    number = _number(argument.partition(".")[0], 10_000)
    if not number:
        raise ValueError(argument)
    return number


def _number(argument: str, most: int = 0xFFFF_FFFF) -> int:
    if not _NUMBER.fullmatch(argument) or int(argument) > most:
        raise ValueError(argument)
    return int(argument)


def _add_candidate(section: MediaSection, argument: str) -> None:
    _, component, transport, _, host, port, *_ = argument.split()
    if component == "1" and transport.lower() == "udp":
        section.candidates.append((host, _number(port, 0xFFFF)))


_ATTRIBUTES: dict[str, Callable[[MediaSection, str], None]] = {
    "sendrecv": _set_direction("sendrecv"),
    "sendonly": _set_direction("sendonly"),
    "recvonly": _set_direction("recvonly"),
    "inactive": _set_direction("inactive"),
    "mid": _set_mid,
    "bundle-only": _set_bundle_only,
    "rtcp-mux": _set_rtcp_mux,
    "rtcp-mux-only": _set_rtcp_mux,
    "ice-ufrag": _set_ufrag,
    "ice-pwd": _set_pwd,
    "fingerprint": _add_fingerprint,
    "setup": _set_setup,
    "rtpmap": _add_rtpmap,
    "fmtp": _add_fmtp,
    "sctp-port": _add_sctp("sctp-port"),
    "sctpmap": _add_sctp("sctpmap"),
    "max-message-size": _add_sctp("max-message-size"),
    "extmap": _add_extension,
    "ssrc": _set_ssrc,
    "ptime": _set_ptime,
    "maxptime": _set_maxptime,
    "candidate": _add_candidate,
}
