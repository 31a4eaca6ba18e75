"""What is answered to offers with more than one section: every client that public trackers name takes it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.dtls import Fingerprint
from media.rtc.sdp import parse_sdp
from media.rtc.session import Session
from tests.media.rtc.offers import FINGERPRINT
from tests.media.rtc.pair import RELAY, identity

OTHER = ":".join(f"{n:02X}" for n in range(1, 33))
TRANSPORT = ("ice-ufrag", "ice-pwd", "fingerprint", "setup", "candidate", "end-of-candidates")


def transport(name: str, fingerprint: str = FINGERPRINT) -> list[str]:
    """The lines of a transport, told from others by its name."""
    return [
        f"a=ice-ufrag:{name}{name}",
        f"a=ice-pwd:{name * 11}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
        "a=rtcp-mux",
    ]


def audio(mid: str, *lines: str, port: int = 9, codec: str = "111 opus/48000/2", proto: str = "UDP/TLS/RTP/SAVPF"):
    """A section of sound."""
    payload_type = codec.split()[0]
    head = [f"m=audio {port} {proto} {payload_type}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=sendonly"]
    return [*head, f"a=rtpmap:{codec}", *lines]


def video(mid: str, *lines: str, port: int = 9, proto: str = "UDP/TLS/RTP/SAVPF") -> list[str]:
    """A section of pictures."""
    head = [f"m=video {port} {proto} 96 97", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=sendonly"]
    return [*head, "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", *lines]


def data(mid: str, *lines: str) -> list[str]:
    """A section of data channels."""
    head = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
    return [*head, "a=sctp-port:5000", "a=max-message-size:262144", *lines]


def offer_of(*sections: list[str], groups: tuple[str, ...] = ("",)) -> str:
    """An offer of these sections; the one group holds them all where it is not named."""
    mids = [line[6:] for section in sections for line in section if line.startswith("a=mid:")]
    grouped = [f"a=group:BUNDLE {group or ' '.join(mids)}" for group in groups]
    lines = [line for section in sections for line in section]
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", *grouped, *lines]) + "\r\n"


def answer_to(offer: str) -> str:
    """The relay's answer."""
    return Session(identity(), parse_sdp(offer), (RELAY,), 0.0).answer


def parts_of(answer: str) -> list[list[str]]:
    """The lines of each section."""
    return [part.split("\r\n")[:-1] for part in re.split(r"(?m)^(?=m=)", answer)[1:]]


def lines_named(part: list[str], *names: str) -> list[str]:
    """The attributes of these names."""
    return [line for line in part if line[2:].partition(":")[0] in names]


ORDERS = {
    "audio first": (audio("0", *transport("aa")), video("1", *transport("aa"))),
    "video first": (video("0", *transport("aa")), audio("1", *transport("aa"))),
    "data first": (data("0", *transport("aa")), audio("1", *transport("aa"))),
    "data last": (audio("0", *transport("aa")), video("1", *transport("aa")), data("2", *transport("aa"))),
    "max-bundle": (video("0", *transport("aa")), audio("1", "a=bundle-only", port=0)),
    "max-bundle, audio first": (audio("0", *transport("aa")), video("1", "a=bundle-only", port=0)),
    "two microphones": (audio("0", *transport("aa"), codec="0 PCMU/8000"), audio("1", *transport("aa"))),
}
in_every_order = pytest.mark.parametrize("sections", ORDERS.values(), ids=ORDERS)


@in_every_order
def test_every_section_of_a_bundle_is_answered_on_one_transport(sections: tuple[list[str], ...]):
    offer = offer_of(*sections)
    answer = answer_to(offer)
    parts = parts_of(answer)
    assert re.findall(r"(?m)^a=group:.*", answer.replace("\r", "")) == re.findall(r"a=group:.*\S", offer)
    assert len({tuple(lines_named(part, *TRANSPORT)) for part in parts}) == 1
    assert [lines_named(part, "mid") for part in parts] == [lines_named(section, "mid") for section in sections]
    for part, section in zip(parts, sections, strict=True):
        kind, port, *rest = part[0].split()
        assert (kind, port) == (section[0].split()[0], str(RELAY[1]))
        assert rest == section[0].split()[2:]
        assert not lines_named(part, "bundle-only")
        assert bool(lines_named(part, "rtcp-mux")) == ("RTP" in rest[0])


@in_every_order
def test_one_section_is_used_and_the_others_repeat_their_formats(sections: tuple[list[str], ...]):
    used = [part for part in parts_of(answer_to(offer_of(*sections))) if "a=inactive" not in part]
    assert len(used) == 1 and "a=rtpmap:111 opus/48000/2" in used[0] and "a=recvonly" in used[0]
    for part, section in zip(parts_of(answer_to(offer_of(*sections))), sections, strict=True):
        if "a=inactive" in part:
            names = ("rtpmap", "fmtp", "sctp-port", "sctpmap", "max-message-size")
            assert lines_named(part, *names) == lines_named(section, *names)


def test_section_that_the_offer_has_switched_off_stays_off():
    offer = offer_of(video("0", port=0), audio("1", *transport("aa")), groups=("1",))
    off, on = parts_of(answer_to(offer))
    assert off[0].startswith("m=video 0 ") and on[0].startswith(f"m=audio {RELAY[1]} ")
    assert parse_sdp(answer_to(offer)).bundle == ["1"]


@pytest.mark.parametrize("groups", [(), ("1",), ("0", "1")], ids=["no bundle", "bundle of one", "two bundles"])
def test_section_that_would_need_a_transport_of_its_own_gets_none(groups: tuple[str, ...]):
    """One before the audio keeps a port, without which GStreamer does not connect; one after it is declined."""
    sections = [video("0", *transport("vv")), audio("1", *transport("aa")), video("2", *transport("ww"))]
    offer = offer_of(*sections, groups=groups)
    before, on, after = parts_of(answer_to(offer))
    assert before[0].startswith(f"m=video {RELAY[1]} ") and "a=inactive" in before
    assert on[0].startswith(f"m=audio {RELAY[1]} ") and lines_named(on, "candidate")
    assert after[0].startswith("m=video 0 ") and "a=inactive" in after
    assert parse_sdp(answer_to(offer)).bundle == (["1"] if groups else [])
    for off in (before, after):
        assert lines_named(off, "ice-ufrag", "fingerprint") and not lines_named(off, "candidate")


def test_section_of_a_protocol_without_dtls_is_declined():
    plain = ["m=image 9 udptl t38", "c=IN IP4 0.0.0.0", "a=mid:0"]
    off, on = parts_of(answer_to(offer_of(plain, audio("1", *transport("aa")))))
    assert off[0] == "m=image 0 udptl t38" and on[0].startswith("m=audio ")


def test_first_audio_section_that_can_be_used_is_taken():
    bad = [
        audio("0", *transport("aa"), port=0),
        audio("1", *transport("aa"), codec="0 PCMU/8000"),
        audio("2", *transport("aa"), codec="72 opus/48000/2"),
        audio("3", *transport("aa"), proto="UDP/AVT"),
    ]
    offer = offer_of(*bad, audio("4", *transport("aa")), audio("5", *transport("aa")), groups=("1 2 4 5",))
    assert parse_sdp(offer).audio.mid == "4"
    used = [part for part in parts_of(answer_to(offer)) if "a=inactive" not in part]
    assert [lines_named(part, "mid") for part in used] == [["a=mid:4"]]


def test_transport_of_a_bundle_is_that_of_its_first_section():
    first, second = transport("vv", OTHER), transport("aa")
    taken = parse_sdp(offer_of(video("0", *first), audio("1", *second))).audio
    assert (taken.ufrag, taken.fingerprints) == ("vvvv", [Fingerprint("sha-256", OTHER)])
    alone = parse_sdp(offer_of(video("0", *first), audio("1", *second), groups=())).audio
    assert (alone.ufrag, alone.fingerprints) == ("aaaa", [Fingerprint("sha-256", FINGERPRINT)])
    off = parse_sdp(offer_of(video("0", *first, port=0), audio("1", *second))).audio
    assert off.ufrag == "aaaa"


def test_first_section_without_a_transport_leaves_the_others_theirs():
    assert parse_sdp(offer_of(video("0"), audio("1", *transport("aa")))).audio.ufrag == "aaaa"


kinds = st.sampled_from([audio, video, data])


@given(st.lists(kinds, max_size=6), st.lists(kinds, max_size=6), st.lists(st.booleans(), min_size=13, max_size=13))
def test_any_mixture_of_sections_is_answered_line_by_line(before, after, bundled):
    makers = [*before, audio, *after]
    sections = [make(str(index), *transport("aa")) for index, make in enumerate(makers)]
    group = " ".join(str(index) for index in range(len(makers)) if bundled[index])
    offer = offer_of(*sections, groups=(group,) if group else ())
    answer = answer_to(offer)
    described = parse_sdp(answer)
    assert [(part.kind, part.mid, part.protocol, part.formats) for part in described.media] == [
        (part.kind, part.mid, part.protocol, part.formats) for part in parse_sdp(offer).media
    ]
    assert [part.direction for part in described.media].count("recvonly") == 1
    assert [part.direction for part in described.media].count("inactive") == len(makers) - 1
    mid = parse_sdp(offer).audio.mid
    reached = {part.mid for part in described.media if part.candidates}
    assert reached == {*described.bundle, mid}
    assert {part.mid for part in described.media if part.port} == reached | {str(n) for n in range(int(mid))}
