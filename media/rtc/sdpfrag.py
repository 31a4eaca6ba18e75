"""SDP fragments (RFC 8840 §9): what an ICE restart and trickled candidates are said in over WHIP and WHEP."""

from dataclasses import dataclass, field

from media.rtc.description import SdpError
from media.rtc.endpoint import candidate_lines
from media.rtc.sdp import ICE_PWD, ICE_UFRAG, MEDIA_MAX, split_lines
from media.rtc.stun import Address

_CREDENTIALS = {"ice-ufrag": ICE_UFRAG, "ice-pwd": ICE_PWD}


@dataclass(frozen=True, slots=True)
class Fragment:
    """What the relay reads of a fragment: whose ICE session it is about. Candidates show themselves by checks."""

    ufrag: str
    pwd: str
    others: tuple[tuple[str, str, str], ...] = ()
    """Identifier (mid), ufrag and password of sections with a transport of their own."""

    def of(self, mid: str) -> "Fragment":
        """What it says of the transport of the section with that identifier."""
        return next((Fragment(ufrag, pwd) for name, ufrag, pwd in self.others if name == mid), self.first)

    @property
    def first(self) -> "Fragment":
        """What it says of its first transport."""
        return Fragment(self.ufrag, self.pwd)


@dataclass
class _Part:
    """The lines before the first ``m=`` line, or those of a section."""

    mid: str = ""
    found: dict[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> tuple[str, str]:
        return self.found.get("ice-ufrag", ""), self.found.get("ice-pwd", "")


def parse_fragment(text: str) -> Fragment:
    """Take a fragment apart; :raises SdpError: in one sentence.

    Credentials stand before the first ``m=`` line or in the sections, those of which share one transport in a
    BUNDLE group. Other lines are passed over.
    """
    parts = [_Part()]
    for number, line in enumerate(split_lines(text, "fragment"), start=1):
        if line.startswith("m="):
            parts.append(_Part(found={}))
            if len(parts) > MEDIA_MAX + 1:
                raise SdpError(f"The fragment has more than {MEDIA_MAX} media sections.")
        if not line.startswith("a="):
            continue
        name, _, value = (piece.strip() for piece in line[2:].partition(":"))
        form = _CREDENTIALS.get(name)
        if form and (not form.fullmatch(value) or parts[-1].found.setdefault(name, value) != value):
            raise SdpError(f"a={name} in line {number} is malformed, or not that of the lines before.")
        if name == "mid":
            parts[-1].mid = value
    known = [part for part in parts if all(part.credentials)]
    if not known:
        raise SdpError("The fragment lacks a=ice-ufrag or a=ice-pwd, which say what ICE session it is about.")
    first = known[0].credentials
    others = tuple((part.mid, *part.credentials) for part in known if part.credentials != first and part.mid)
    return Fragment(*first, others)


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
