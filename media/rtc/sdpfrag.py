"""SDP fragments (RFC 8840 §9): what an ICE restart and trickled candidates are said in over WHIP and WHEP."""

import re
from dataclasses import dataclass

from media.rtc.description import SdpError
from media.rtc.endpoint import candidate_lines
from media.rtc.sdp import ICE_PWD, ICE_UFRAG, LINES_MAX, MEDIA_MAX
from media.rtc.stun import Address

_CREDENTIALS = {"ice-ufrag": ICE_UFRAG, "ice-pwd": ICE_PWD}
_MEDIA_LINE = re.compile(r"[a-z]+ \d{1,5}(/\d{1,5})? [A-Z/]+( [^ ]+)+")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What the relay reads of a fragment: whose ICE session it is about. Candidates show themselves by checks."""

    ufrag: str
    pwd: str


def parse_fragment(text: str) -> Fragment:
    """Take a fragment apart; :raises SdpError: in one sentence.

    Credentials stand before the first ``m=`` line or, the same for all, in the sections.
    """
    found: dict[str, str] = {}
    media = 0
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > LINES_MAX:
        raise SdpError(f"The fragment has more than {LINES_MAX} lines.")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        if line.startswith("m="):
            media += 1
            if not _MEDIA_LINE.fullmatch(line[2:]) or media > MEDIA_MAX:
                raise SdpError(f"Line {number} of the fragment is malformed: {line[:80]!r}.")
        elif not line.startswith("a="):
            raise SdpError(f"Line {number} of the fragment begins neither with a= nor with m=.")
        name, _, value = line[2:].partition(":")
        form = _CREDENTIALS.get(name)
        if form and (not form.fullmatch(value) or found.setdefault(name, value) != value):
            raise SdpError(f"a={name} in line {number} is malformed, or not that of the lines before.")
    if len(found) < len(_CREDENTIALS):
        raise SdpError("The fragment lacks a=ice-ufrag or a=ice-pwd, which say what ICE session it is about.")
    return Fragment(found["ice-ufrag"], found["ice-pwd"])


def write_fragment(
    ufrag: str, pwd: str, mid: str, payload_type: int, candidates: tuple[Address, ...] = (), *, lite: bool = False
) -> str:
    """What one end says of itself in an ICE restart, its candidates included."""
    lines = ["a=ice-lite"] if lite else []
    lines += [f"m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}"]
    lines += [f"a=mid:{mid}"] if mid else []
    lines += [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{pwd}"]
    lines += candidate_lines(candidates)
    return "\r\n".join([*lines, "a=end-of-candidates"]) + "\r\n"
