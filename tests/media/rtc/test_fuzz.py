"""Every parser on mangled input: an answer or its own error, and never anything else."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtc.description import SdpError
from media.rtc.dtls import Handshake
from media.rtc.rtcp import (
    ReportBlock,
    RtcpError,
    build_bye,
    build_description,
    build_receiver_report,
    is_rtcp,
    parse_rtcp,
)
from media.rtc.rtp import RtpError, RtpPacket, build_rtp, parse_rtp
from media.rtc.sdp import parse_sdp
from media.rtc.sdpfrag import parse_fragment
from media.rtc.session import Session
from media.rtc.srtp import AES128_CM_SHA1_80, AES_128_GCM, SrtpContext, SrtpError
from media.rtc.stun import StunError, is_stun, parse_stun
from tests.media.rtc.mangled import RECORDED, mangled, recorded
from tests.media.rtc.offers import CHROMIUM, FIREFOX
from tests.media.rtc.pair import RELAY, Pair, identity

EXAMPLES = settings(max_examples=150, deadline=None)
KEY = bytes(range(30))

plain_rtp = [
    build_rtp(RtpPacket(111, 1, 960, 7, b"opus", marker=True, extensions={1: b"\x80", 14: bytes(16)})),
    build_rtp(RtpPacket(111, 2, 1920, 7, b"")),
    bytes.fromhex("b1e0000100000002000000070000000800010001aabbccdd0102030403000003"),
]
block = ReportBlock(1, 0.5, -5, 70_000, 480, 1, 1)
plain_rtcp = [
    build_receiver_report(7, (block, block), "someone") + build_bye(7),
    bytes.fromhex("81c8000c") + bytes(48) + build_description(7, "x"),
    bytes.fromhex("81cd000300000007000000080001ffff"),
    bytes.fromhex("80cc00020000000773706163"),
]


def test_corpus_has_every_kind():
    assert {kind for _, kind, _ in RECORDED} == {"stun", "dtls", "srtp", "srtcp"}
    assert {who for who, *_ in RECORDED} == {"aiortc", "relay", "client", "chromium"}


@pytest.mark.parametrize(("who", "kind", "data"), RECORDED)
def test_recorded_datagrams_are_told_apart_by_their_first_bytes(who: str, kind: str, data: bytes):
    assert is_stun(data) == (kind == "stun")
    assert (20 <= data[0] <= 63) == (kind == "dtls")
    assert (128 <= data[0] <= 191 and is_rtcp(data)) == (kind == "srtcp")
    if kind == "stun":
        assert parse_stun(data).integrity_at > 0


@EXAMPLES
@given(mangled(recorded("stun")))
def test_stun(data: bytes):
    with suppress(StunError):
        message = parse_stun(data)
        message.authentic(b"password")
        assert isinstance(message.username, str)


@EXAMPLES
@given(mangled(plain_rtp + recorded("srtp")))
def test_rtp(data: bytes):
    with suppress(RtpError):
        packet = parse_rtp(data)
        assert len(packet.payload) <= len(data) - 12


@EXAMPLES
@given(mangled(plain_rtcp + recorded("srtcp")))
def test_rtcp(data: bytes):
    with suppress(RtcpError):
        compound = parse_rtcp(data)
        assert len(compound.reports) <= len(data) / 24
        assert all(0 <= report.fraction_lost < 1 for report in compound.reports)


@pytest.mark.parametrize("profile", [AES_128_GCM, AES128_CM_SHA1_80])
def test_srtp_takes_nothing_that_was_changed(profile):
    key = KEY[: profile.key_length + profile.salt_length]
    sender, receiver = SrtpContext(profile, key, ssrc=7), SrtpContext(profile, key)
    packet, report = sender.protect(plain_rtp[1]), sender.protect_rtcp(plain_rtcp[0])

    @EXAMPLES
    @given(mangled([packet, report]))
    def run(data: bytes) -> None:
        for unprotect in (receiver.unprotect, receiver.unprotect_rtcp):
            with suppress(SrtpError):
                unprotect(data)
                assert data in (packet, report), "forged"

    run()
    for at in range(len(report)):
        with pytest.raises(SrtpError):
            SrtpContext(profile, key).unprotect_rtcp(report[:at] + bytes([report[at] ^ 0x10]) + report[at + 1 :])


def lines_of(text: str) -> st.SearchStrategy[str]:
    """Its lines: some missing, some twice, some with other words, in another order."""
    lines = text.splitlines()
    odd = st.sampled_from(
        [
            "a=",
            "m=",
            "m=audio",
            "a=candidate:1",
            "a=rtpmap:x y",
            "a=extmap:1",
            "a=ssrc:",
            "a=ssrc:-1 x",
            "=",
            "a=:",
        ]
    )
    words = st.builds(
        lambda line, at, word: " ".join([*line.split(" ")[:at], word, *line.split(" ")[at + 1 :]]),
        *(st.sampled_from(lines), st.integers(0, 8)),
        st.sampled_from(["", "-1", "99999999999999999999", "1/0", "\0", "é", ":", "²", "٣", "1_0"]),
    )
    changed = st.lists(st.one_of(st.sampled_from(lines), words, odd), max_size=40)
    place = st.tuples(st.integers(1, len(lines)), st.one_of(words, odd))
    swapped = place.map(lambda p: [*lines[: p[0]], p[1], *lines[p[0] + 1 :]])
    return st.one_of(changed.map(lambda more: ["v=0", *more]), swapped, swapped).map("\r\n".join)


@settings(EXAMPLES, max_examples=400)
@given(st.sampled_from([CHROMIUM, FIREFOX]).flatmap(lines_of))
def test_offers(text: str):
    with suppress(SdpError):
        offer = parse_sdp(text)
        _ = offer.audio
        answer = Session(identity(0), offer, (RELAY,), 0.0).answer
        assert parse_sdp(answer).audio.fingerprints
    with suppress(SdpError):
        parse_fragment(text)


@EXAMPLES
@given(st.lists(mangled(recorded("dtls")), max_size=6), st.sampled_from(["client", "server"]))
def test_handshake(datagrams: list[bytes], role):
    handshake = Handshake(identity(0), role, (identity(1).fingerprint,), 0.0)
    if role == "client":
        handshake.start(0.0)
    for data in datagrams:
        handshake.receive(data, 0.1)
    handshake.handle_timer(5.0)
    assert handshake.keys is None
    handshake.release()


def test_connected_session_survives_whatever_comes_from_its_peer_s_address():
    pair = Pair()
    pair.connect()
    address = pair.session.address
    assert address

    @EXAMPLES
    @given(st.lists(mangled(recorded()), min_size=1, max_size=5))
    def run(datagrams: list[bytes]) -> None:
        for data in datagrams:
            if is_stun(data):
                with suppress(StunError):
                    assert pair.session.receive_check(parse_stun(data), address, pair.now) is None
            elif data:
                assert pair.session.receive(data, pair.now) == []
        pair.session.outbox.clear()

    run()
    pair.run(20.0)
    assert not pair.over["session"] and not pair.over["client"]
    assert pair.session.transport and pair.session.transport.dropped.total() > 0
    pair.close()


def test_handshake_comes_through_among_junk():
    """The peer's own datagrams arrive twice, with others that are no DTLS before each."""

    @settings(EXAMPLES, max_examples=25)
    @given(st.lists(mangled(recorded()), min_size=1, max_size=20))
    def run(junk: list[bytes]) -> None:
        others = [data for data in junk if data and not is_stun(data) and not 20 <= data[0] <= 63]

        def noisy(number: int, _: bytes) -> list[float]:
            for data in others[number::5]:
                pair.session.receive(data, pair.now)
            return [0.005, 0.005]

        pair = Pair(up=noisy)
        pair.run(2.0)
        assert pair.connected
        pair.close()

    run()


def test_written_answers_are_read_again():
    for text in (CHROMIUM, FIREFOX):
        session = Session(identity(0), parse_sdp(text), (RELAY,), 0.0)
        assert parse_sdp(session.answer).audio.opus == session.payload_type
