"""A session description as the relay reads it, and which of its sections can carry a session's sound.

An offer may hold sections that the relay has no use for: video, data channels, a second microphone. The first
audio section that can be used is taken; a description without one is refused with what is wrong with its first.
Text is read by :mod:`media.rtc.sdp` and written by :mod:`media.rtc.endpoint`.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from media.rtc.dtls import DIGESTS, Fingerprint

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["active", "passive", "actpass"]

_RTP = re.compile(r"((UDP|TCP)/D?TLS/)?RTP/S?AVPF?", re.IGNORECASE)
"""Profiles of sections whose sound or pictures travel as DTLS-SRTP (RFC 9429 §5.1.2)."""
_SCTP = re.compile(r"((UDP|TCP)/)?DTLS/SCTP", re.IGNORECASE)
"""Those of data channels: RFC 8841 §4.1, and the form of the drafts before it."""
_OPUS = re.compile(r"opus/48000(/[12])?", re.IGNORECASE)
"""RFC 7587 §7 wants two channels; decoders read the count from each packet."""
_RTCP_TYPES = range(64, 96)
"""Payload types that cannot be told from RTCP on a shared port (RFC 5761 §4)."""


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
    bundle_only: bool = False
    """Port 0 means that the section shares another's transport, not that it is off (RFC 9143 §6)."""
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
    """Empty where it is not said: then who offers is active, and who answers passive (RFC 4145 §4)."""
    fingerprints: list[Fingerprint] = field(default_factory=list)
    transport: str = ""
    """Identifier (mid) of the section of its BUNDLE group whose transport it is on; its own where it has one."""
    inherited: bool = False
    """The fingerprints are those of the session, and give way to the section's own."""
    repeated: list[str] = field(default_factory=list)
    """Lines that an answer which makes no use of the section says again: what its formats and SCTP ports are."""
    faults: dict[str, str] = field(default_factory=dict)
    """What is wrong with attributes that were passed over, one sentence by the name of each."""

    @property
    def in_use(self) -> bool:
        """Whether the author wants it at all."""
        return self.port > 0 or self.bundle_only

    @property
    def secured(self) -> bool:
        """Whether its profile is one that travels over DTLS."""
        return bool(_RTP.fullmatch(self.protocol) or _SCTP.fullmatch(self.protocol))

    @property
    def rtp(self) -> bool:
        """Whether its profile is one of RTP."""
        return bool(_RTP.fullmatch(self.protocol))

    @property
    def frames(self) -> int:
        """Frames of 20 ms in each packet that its author wants to be sent: 1, 2 or 3."""
        longest = 60 if self.maxptime is None else self.maxptime
        return max(1, min(self.ptime or 20, longest, 60) // 20)

    @property
    def opus(self) -> int | None:
        """The payload type of Opus that comes first in the m= line and can be used; None if there is none."""
        return next((number for number in self._opus_types if number not in _RTCP_TYPES), None)

    @property
    def _opus_types(self) -> list[int]:
        numbers = [int(name) for name in self.formats if name.isascii() and name.isdecimal() and len(name) < 4]
        return [number for number in numbers if _OPUS.fullmatch(self.rtpmap.get(number, ""))]

    @property
    def fault(self) -> str:
        """Why its sound cannot be exchanged with the relay, in one sentence; "" if it can."""
        if self.opus is None and self._opus_types:
            number = self._opus_types[0]
            return f"Payload type {number} cannot be told from RTCP (RFC 5761 §4): use 96 to 127 for Opus."
        if self.opus is None:
            return "The audio section does not offer Opus: add a=rtpmap:<type> opus/48000/2."
        if not self.rtp:
            return f"The audio section's protocol is {self.protocol[:40]!r}: use UDP/TLS/RTP/SAVPF."
        if not self.rtcp_mux:
            return "The audio section lacks a=rtcp-mux: RTP and RTCP share one port here (RFC 5761)."
        if not self.ufrag or not self.pwd:
            lacks = "The audio section lacks a=ice-ufrag or a=ice-pwd: ICE is required."
            return self.faults.get("ice-pwd" if self.ufrag else "ice-ufrag", lacks)
        if not any(each.algorithm in DIGESTS for each in self.fingerprints):
            return self._untrusted
        return self.faults.get("setup", "")

    @property
    def _untrusted(self) -> str:
        if not self.fingerprints:
            lacks = "The audio section lacks a=fingerprint: DTLS-SRTP is required."
            return self.faults.get("fingerprint", lacks)
        weak = ", ".join(sorted({each.algorithm[:20] for each in self.fingerprints}))
        good = ", ".join(DIGESTS)
        return f"The certificate's a=fingerprint is of {weak} alone, which is not trusted: add one of {good}."


@dataclass
class Description:
    """An offer or an answer."""

    media: list[MediaSection] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    """Identifiers (mid) of the sections of each BUNDLE group."""
    ice_lite: bool = False

    @property
    def audio(self) -> MediaSection:
        """The first audio section that can be used; :raises SdpError: there is none."""
        offered = [section for section in self.media if section.kind == "audio" and section.in_use]
        if not offered:
            raise SdpError("The description has no audio section in use: offer one m=audio with Opus.")
        usable = next((section for section in offered if not section.fault), None)
        if usable is None:
            raise SdpError(offered[0].fault)
        return usable

    @property
    def bundle(self) -> list[str]:
        """Identifiers of the sections that share one transport with the audio section, in their order."""
        audio = self.audio
        return next((group for group in self.groups if audio.mid and audio.mid in group), [])

    def require_answerable(self) -> None:
        """:raises SdpError: an offer that the relay cannot answer."""
        if self.ice_lite:
            raise SdpError("The offer says a=ice-lite, as the relay does: one side must be a full ICE agent.")
        _ = self.audio

    def share_transport(self) -> None:
        """Give each section of a BUNDLE group the transport of the group's first that can be answered.

        That one's credentials, role and fingerprints hold for all (RFC 9143 §7.1.3); the others may say none,
        and if they do say some, mean them for an answer without the group.
        """
        by_mid = {section.mid: section for section in reversed(self.media)}
        for group in self.groups:
            members = [by_mid[mid] for mid in group if mid in by_mid]
            shared = [section for section in members if section.in_use and section.secured]
            for section in shared[1:]:
                _share(shared[0], section)


def _share(first: MediaSection, section: MediaSection) -> None:
    if not (first.ufrag and first.pwd and first.fingerprints):
        return
    section.transport = first.mid
    section.ufrag, section.pwd, section.setup = first.ufrag, first.pwd, first.setup
    section.fingerprints = first.fingerprints
    section.rtcp_mux = section.rtcp_mux or first.rtcp_mux
    section.faults.pop("setup", None)
    if "setup" in first.faults:
        section.faults["setup"] = first.faults["setup"]
