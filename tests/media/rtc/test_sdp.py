"""Session descriptions: real offers are read, answered in their own terms, and refused in one sentence."""

import re
from contextlib import suppress

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.description import SdpError
from media.rtc.dtls import Fingerprint
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI
from media.rtc.sdp import FORMATS_MAX, LINES_MAX, MEDIA_MAX, parse_sdp
from media.rtc.session import Session
from tests.media.rtc.offers import CHROMIUM, FFMPEG, FINGERPRINT, FIREFOX, OBS
from tests.media.rtc.pair import RELAY, identity

OFFERS = {"Chromium": CHROMIUM, "Firefox": FIREFOX, "FFmpeg": FFMPEG, "OBS": OBS}
every_offer = pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)


def answer_to(offer: str) -> str:
    """The relay's answer."""
    return Session(identity(), parse_sdp(offer), (RELAY,), 0.0).answer


@every_offer
def test_offers_of_real_clients_are_read(offer: str):
    audio = parse_sdp(offer).audio
    assert audio.fingerprints == [Fingerprint("sha-256", FINGERPRINT)]
    assert len(audio.ufrag) >= 4 and len(audio.pwd) >= 22
    assert audio.ssrc is not None and audio.rtcp_mux
    assert audio.mid == "0"


@every_offer
def test_line_ends_of_either_kind_are_read(offer: str):
    assert parse_sdp(offer.replace("\n", "\r\n")) == parse_sdp(offer)


def test_chromium_is_read_in_full():
    audio = parse_sdp(CHROMIUM).audio
    assert (audio.opus, audio.direction, audio.setup) == (111, "sendrecv", "actpass")
    assert audio.fmtp[111] == "minptime=10;useinbandfec=1"
    assert (audio.extensions[AUDIO_LEVEL_URI], audio.extensions[CAPTURE_TIME_URI]) == (1, 14)
    assert audio.ssrc == 3735928559


def test_firefox_has_its_own_payload_type():
    audio = parse_sdp(FIREFOX).audio
    assert (audio.opus, audio.direction) == (109, "recvonly")
    assert "a=rtpmap:109 opus/48000/2" in answer_to(FIREFOX)


async def test_offer_of_aiortc_is_read_and_its_answer_taken():
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("audio", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = parse_sdp(peer.localDescription.sdp)
    assert (offer.audio.opus, offer.audio.direction, offer.audio.setup) == (96, "recvonly", "actpass")
    assert {print_.algorithm for print_ in offer.audio.fingerprints} >= {"sha-256"}
    await peer.close()


@every_offer
def test_answer_reads_as_a_description_of_its_own(offer: str):
    answer = parse_sdp(answer_to(offer))
    assert answer.ice_lite
    assert answer.audio.candidates == [RELAY]
    assert answer.audio.opus == parse_sdp(offer).audio.opus
    assert answer.audio.fingerprints == [identity().fingerprint]


@pytest.mark.parametrize(
    ("asked", "answered"), [("passive", "active"), ("actpass", "passive"), ("active", "passive")]
)
def test_setup_is_answered_by_its_counterpart(asked: str, answered: str):
    for way in (asked, asked.upper()):
        offer = CHROMIUM.replace("a=setup:actpass", f"a=setup:{way}")
        assert parse_sdp(answer_to(offer)).audio.setup == answered


def test_an_offer_that_says_no_setup_is_active():
    assert parse_sdp(answer_to(without("a=setup"))).audio.setup == "passive"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_direction_is_answered_by_its_counterpart(asked: str, answered: str):
    offer = CHROMIUM.replace("a=sendrecv", f"a={asked}")
    assert parse_sdp(answer_to(offer)).audio.direction == answered


def test_extensions_are_answered_with_the_identifiers_of_the_offer():
    answered = parse_sdp(answer_to(CHROMIUM)).audio.extensions
    assert answered == {AUDIO_LEVEL_URI: 1, CAPTURE_TIME_URI: 14}
    assert parse_sdp(answer_to(FIREFOX)).audio.extensions == {AUDIO_LEVEL_URI: 1}


def test_stream_is_named_only_where_the_relay_sends():
    assert "a=ssrc:" in answer_to(FIREFOX)
    assert "a=ssrc:" not in answer_to(FFMPEG)


def test_sections_of_no_use_keep_their_order_and_their_place_in_the_bundle():
    answer = parse_sdp(answer_to(OBS))
    assert [(section.kind, section.mid, section.port > 0) for section in answer.media] == [
        ("video", "1", True),
        ("audio", "0", True),
    ]
    assert answer.media[0].direction == "inactive"
    assert answer.media[0].formats == ["96"]
    assert answer.bundle == parse_sdp(OBS).bundle


def test_second_audio_section_is_not_used():
    second = CHROMIUM[CHROMIUM.index("m=audio") :].replace("a=mid:0", "a=mid:1")
    offer = CHROMIUM.replace("a=group:BUNDLE 0", "a=group:BUNDLE 0 1") + second
    answer = parse_sdp(answer_to(offer))
    assert [(section.port > 0, section.direction) for section in answer.media] == [
        (True, "sendrecv"),
        (True, "inactive"),
    ]


def test_section_with_port_0_is_not_the_one_taken():
    off = CHROMIUM[CHROMIUM.index("m=audio") :].replace("m=audio 9", "m=audio 0").replace("a=mid:0", "a=mid:9")
    offer = CHROMIUM.replace("m=audio", off + "m=audio", 1)
    answer = parse_sdp(answer_to(offer))
    assert [section.mid for section in answer.media] == ["9", "0"]
    assert [section.port > 0 for section in answer.media] == [False, True]


def test_offer_without_bundle_gets_none():
    assert parse_sdp(answer_to(CHROMIUM.replace("a=group:BUNDLE 0\n", ""))).bundle == []


def test_offer_without_mid_gets_none():
    offer = CHROMIUM.replace("a=mid:0\n", "").replace("a=group:BUNDLE 0\n", "")
    assert "a=mid" not in answer_to(offer)


def test_fingerprint_of_a_section_replaces_that_of_the_session():
    own = "AA:" + FINGERPRINT[3:]
    offer = OBS.replace("a=mid:0\n", f"a=mid:0\na=fingerprint:sha-256 {own}\n")
    assert parse_sdp(offer).audio.fingerprints == [Fingerprint("sha-256", own)]


def test_section_may_repeat_the_fingerprint_of_the_session_and_add_another():
    lines = [f"a=fingerprint:sha-256 {FINGERPRINT}", f"a=fingerprint:sha-512 {FINGERPRINT}:{FINGERPRINT}"]
    offer = OBS.replace("a=mid:0\n", "\n".join(["a=mid:0", *lines, ""]))
    assert [each.algorithm for each in parse_sdp(offer).audio.fingerprints] == ["sha-256", "sha-512"]


@pytest.mark.parametrize(
    "line", ["a=candidate:1 1 tcp 1 192.0.2.9 9 typ host", "a=candidate:1 2 udp 1 192.0.2.9 9 typ host"]
)
def test_candidates_of_no_use_are_passed_over(line: str):
    assert parse_sdp(CHROMIUM + line).audio.candidates == []


def test_extension_that_needs_the_two_byte_form_is_not_answered():
    offer = CHROMIUM.replace("a=extmap:14/sendrecv", "a=extmap:16")
    assert CAPTURE_TIME_URI not in parse_sdp(answer_to(offer)).audio.extensions


def without(prefix: str) -> str:
    """Chromium's offer without the lines that start so."""
    return re.sub(rf"^{re.escape(prefix)}.*\n", "", CHROMIUM, flags=re.MULTILINE)


REFUSED = {
    "": "starts with the line v=0",
    "hello": "starts with the line v=0",
    "v=1\n": "starts with the line v=0",
    "v=0\nm=audio": "Line 2 of the description is malformed",
    "v=0\nm=audio 9 UDP/TLS/RTP/SAVPF": "Line 2 of the description is malformed",
    "v=0\nm=audio x UDP/TLS/RTP/SAVPF 111": "Line 2 of the description is malformed",
    "v=0\n" + "m=audio 9 RTP/AVP 0\n" * (MEDIA_MAX + 1): "more than 16 media sections",
    CHROMIUM + "a=x\n" * LINES_MAX: "more than 1000 lines",
    "v=0\nm=audio 9 UDP/TLS/RTP/SAVPF" + " 111" * (FORMATS_MAX + 1): "Line 2 of the description is malformed",
    CHROMIUM.replace("a=ice-ufrag:Qm3/", "a=ice-ufrag:abc"): "The line a=ice-ufrag must have 4 to 256",
    CHROMIUM.replace("a=ice-ufrag:Qm3/", "a=ice-ufrag:ab:cd"): "The line a=ice-ufrag must have 4 to 256",
    re.sub("a=ice-pwd:.*", "a=ice-pwd:short", CHROMIUM): "The line a=ice-pwd must have 22 to 256",
    CHROMIUM.replace("a=setup:actpass", "a=setup:holdconn"): "The line a=setup must be active, passive or actpass",
    "v=0\n": "has no audio section",
    CHROMIUM.replace("m=audio", "m=video"): "has no audio section",
    CHROMIUM.replace("m=audio 9", "m=audio 0"): "has no audio section",
    without("a=rtpmap:111"): "does not offer Opus",
    CHROMIUM.replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111"): "does not offer Opus",
    CHROMIUM.replace("SAVPF 111 63", "SAVPF 63"): "does not offer Opus",
    CHROMIUM.replace("opus/48000/2", "opus/16000"): "does not offer Opus",
    CHROMIUM.replace("SAVPF 111", "SAVPF 72").replace("a=rtpmap:111", "a=rtpmap:72"): "cannot be told from RTCP",
    CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "UDP/AVT"): "protocol is 'UDP/AVT'",
    without("a=rtcp-mux"): "lacks a=rtcp-mux",
    without("a=ice-ufrag"): "lacks a=ice-ufrag or a=ice-pwd",
    without("a=ice-pwd"): "lacks a=ice-ufrag or a=ice-pwd",
    without("a=fingerprint"): "lacks a=fingerprint",
    CHROMIUM.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 0"): "sha-256 must have 32 bytes",
    CHROMIUM.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1"): "is of sha-1 alone, which is not trusted",
}


@pytest.mark.parametrize(("offer", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_unusable_offer_is_refused_in_one_sentence(offer: str, reason: str):
    with pytest.raises(SdpError, match=re.escape(reason)) as refused:
        _ = parse_sdp(offer).audio
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


TAKEN = {
    "a protocol in small letters": CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "udp/tls/rtp/savpf"),
    "lines that end with CR": CHROMIUM.replace("\n", "\r"),
    "byte-order mark and empty lines": "\ufeff\n" + CHROMIUM.replace("\n", "\n\n"),
    "space around values": re.sub(r"(?m)^(a=[a-z-]+):(.*)$", r" \1:  \2 \t", CHROMIUM),
    "lines that are none": CHROMIUM.replace("t=0 0", "t=0 0\nnonsense\n=\nx\n?=y"),
    "malformed attributes": CHROMIUM
    + "a=rtpmap:x opus/48000/2\na=rtpmap:300 opus/48000/2\na=rtpmap:-1 a/1\na=rtpmap:63\na=fmtp:x y\na=fmtp:111\n"
    + "a=extmap:1\na=extmap:x y\na=candidate:1 1 udp\na=candidate:1 1 udp 1 h 99999999 typ host\n"
    + "a=fingerprint:sha-256\n"
    + "a=ssrc:\na=ssrc:4294967296 cname:x\na=ptime:\na=ptime:x\na=maxptime:-3\na=ptime:99999999999\n"
    + "a=group:\na=mid:\na=:\na=\n",
    "port above 65535": CHROMIUM.replace("m=audio 9", "m=audio 99999"),
    "port with a count": CHROMIUM.replace("m=audio 9", "m=audio 9/2"),
    "several spaces in the m= line": CHROMIUM.replace("m=audio 9 UDP", "m=audio  9   UDP"),
    "Opus without channels": CHROMIUM.replace("opus/48000/2", "OPUS/48000"),
    "Opus with one channel": CHROMIUM.replace("opus/48000/2", "opus/48000/1"),
    "rtcp-mux-only": CHROMIUM.replace("a=rtcp-mux\n", "a=rtcp-mux-only\n"),
    "other letters in credentials": CHROMIUM.replace("a=ice-ufrag:Qm3/", "a=ice-ufrag:Q_m-3=").replace(
        "a=ice-pwd:", "a=ice-pwd:-"
    ),
    "lower-case fingerprint": CHROMIUM.replace(f"sha-256 {FINGERPRINT}", f"SHA-256 {FINGERPRINT.lower()}"),
    "SHA-1 besides": CHROMIUM.replace("a=fingerprint:", "a=fingerprint:sha-1 AA:BB\na=fingerprint:"),
    "unknown attributes": CHROMIUM
    + "a=x-google-flag:conference\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\nb=AS:40\nk=clear:x\n",
}
"""Chromium's offer with what a relay can live with."""


@pytest.mark.parametrize("offer", TAKEN.values(), ids=TAKEN)
def test_what_a_relay_can_live_with_does_not_refuse_an_offer(offer: str):
    audio = parse_sdp(offer).audio
    assert (audio.opus, audio.direction, audio.setup, audio.mid) == (111, "sendrecv", "actpass", "0")
    assert Fingerprint("sha-256", FINGERPRINT) in audio.fingerprints
    answer = parse_sdp(answer_to(offer))
    assert answer.audio.opus == 111 and answer.bundle == ["0"]
    assert answer.audio.rtpmap[111] == audio.rtpmap[111]


@pytest.mark.parametrize(
    "profile",
    [
        *("RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"),
        *("TCP/DTLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF"),
    ],
)
def test_profile_is_taken_and_repeated(profile: str):
    offer = CHROMIUM.replace("UDP/TLS/RTP/SAVPF", profile)
    assert f"m=audio {RELAY[1]} {profile} 111\r\n" in answer_to(offer)


@pytest.mark.parametrize(
    ("formats", "taken"), [("111 63 120", 111), ("120 111", 120), ("63 72 120 111", 120), ("0 111 120", 111)]
)
def test_first_opus_of_the_m_line_that_can_be_used_is_taken(formats: str, taken: int):
    """Whatever the order of the a=rtpmap lines: preference is the order of the m= line (RFC 3264 §6.1)."""
    offer = CHROMIUM.replace("SAVPF 111 63 9 0 8 13 110 126", f"SAVPF {formats}")
    more = "a=rtpmap:72 opus/48000/2\na=rtpmap:120 opus/48000/2\n"
    assert parse_sdp(offer + more).audio.opus == taken
    assert f"m=audio {RELAY[1]} UDP/TLS/RTP/SAVPF {taken}\r\n" in answer_to(offer + more)


def test_faults_of_sections_that_are_not_used_refuse_nothing():
    odd = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:9\na=setup:holdconn\na=ice-ufrag:x\na=rtpmap:999 a\na=ptime:x\n"
    answer = parse_sdp(answer_to(CHROMIUM + odd))
    assert [section.port > 0 for section in answer.media] == [True, False]


def test_header_extensions_of_the_session_hold_for_the_section():
    offer = without("a=extmap:1 ").replace("t=0 0", f"t=0 0\na=extmap:5 {AUDIO_LEVEL_URI}")
    assert parse_sdp(answer_to(offer)).audio.extensions[AUDIO_LEVEL_URI] == 5


def test_offer_of_an_ice_lite_agent_cannot_be_answered():
    with pytest.raises(SdpError, match="a=ice-lite"):
        parse_sdp(CHROMIUM.replace("t=0 0", "t=0 0\na=ice-lite")).require_answerable()


def test_address_of_the_answer_names_its_family():
    answer = Session(identity(), parse_sdp(CHROMIUM), (("2001:db8::7", 5000),), 0.0).answer
    assert "c=IN IP6 2001:db8::7\r\n" in answer


def read(text: str) -> None:
    """All that a relay reads of an offer; raises nothing but SdpError."""
    with suppress(SdpError):
        Session(identity(), parse_sdp(text), (RELAY,), 0.0)


@given(st.text(max_size=300))
def test_junk_raises_nothing_but_sdp_error(text: str):
    read(text)
    read("v=0\n" + text)


chosen_lines = st.sampled_from(sorted({line for offer in OFFERS.values() for line in offer.splitlines()}))
known_names = st.sampled_from(
    ["mid", "ice-ufrag", "setup", "rtpmap", "fmtp", "extmap", "ssrc", "candidate", "group"]
)
made_lines = st.builds(
    "a={}:{}".format, known_names, st.text(alphabet="0123456789-/ aé²١opusudp\t\r", max_size=30)
)


@given(st.lists(chosen_lines | made_lines, max_size=60))
def test_shuffled_lines_raise_nothing_but_sdp_error(lines: list[str]):
    read("\n".join(["v=0", *lines]))


@given(st.lists(made_lines, max_size=10))
def test_strange_attributes_behind_a_good_offer_raise_nothing_but_sdp_error(lines: list[str]):
    read(CHROMIUM + "\n".join(lines))
