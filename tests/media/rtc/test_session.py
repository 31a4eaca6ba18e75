"""Relay's session and client together, on a wire that loses, repeats, delays and reorders, in virtual time."""

import pytest

from media.rtc import gnutls, transport
from media.rtc.events import Closed, Connected, Forgotten, Moved, RtcpReceived, RtpReceived, Sends, SessionEvent
from media.rtc.freshness import CONSENT_TIMEOUT, FIRST_CHECK_TIMEOUT, LIFE_TIMEOUT
from media.rtc.paths import ADDRESSES_MAX, AMPLIFICATION_MAX
from media.rtc.rtcp import build_bye, build_receiver_report
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.sdp import parse_sdp
from media.rtc.session import Session
from media.rtc.srtp import SrtpContext
from media.rtc.stun import (
    BINDING_REQUEST,
    BINDING_RESPONSE,
    USE_CANDIDATE,
    USERNAME,
    Address,
    StunMessage,
    build_stun,
    build_success,
    is_stun,
    parse_stun,
)
from media.rtc.transport import SSRCS_MAX, SecureTransport
from media.rtc.uplink import HOLD
from tests.media.rtc.pair import CLIENT, RELAY, Pair, at_once, identity, losing

passive_client = {"change_offer": lambda offer: offer.replace("a=setup:actpass", "a=setup:passive")}
roles = pytest.mark.parametrize("how", [{}, passive_client], ids=["relay serves", "relay starts"])


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL at both ends: GnuTLS's retransmissions read the clock (see test_gnutls.py)."""
    monkeypatch.setattr(gnutls, "_gnutls", None)


def speak(pair: Pair, sequence: int, ssrc: int | None = None) -> None:
    """Put one packet of the client on the wire."""
    assert pair.client.transport and pair.client.transport.sender
    packet = RtpPacket(111, sequence, 960 * sequence, pair.client.ssrc if ssrc is None else ssrc, b"opus")
    pair.client.outbox.append(pair.client.transport.sender.protect(build_rtp(packet)))


def heard(pair: Pair) -> list[int]:
    """Sequence numbers that the session handed on."""
    return [event.packet.sequence for event in pair.seen(RtpReceived)]  # type: ignore[union-attr]


@roles
def test_connects_within_three_round_trips(how: dict):
    pair = Pair(**how)
    pair.run(0.035)
    assert pair.connected
    assert len(pair.seen(Connected)) == len(pair.seen(Connected, "client")) == 1


@roles
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("number", range(5))
def test_connects_in_a_second_whichever_datagram_is_lost(how: dict, way: str, number: int):
    pair = Pair(**{way: losing(number)}, **how)
    pair.run(1.0)
    assert pair.connected


@roles
def test_connects_where_every_datagram_comes_twice_and_out_of_order(how: dict):
    def scrambled(number: int, _: bytes) -> list[float]:
        return [0.08 - 0.02 * (number % 4), 0.09]

    pair = Pair(up=scrambled, down=scrambled, **how)
    pair.run(3.0)
    assert pair.connected
    assert len(pair.seen(Connected)) == 1
    assert not pair.seen(Closed) and not pair.seen(Closed, "client")


@roles
def test_stays_connected_for_an_hour_on_consent_alone(how: dict):
    pair = Pair(**how)
    pair.connect()
    pair.run(3600.0)
    assert not pair.seen(Closed) and not pair.seen(Closed, "client")
    speak(pair, 1)
    pair.run(0.01)
    assert heard(pair) == [1]


def test_survives_ten_seconds_without_network():
    pair = Pair()
    pair.connect()
    cut = pair.now
    pair.up = pair.down = lambda *_: [] if pair.now < cut + 10.0 else [0.005]
    pair.run(60.0)
    assert not pair.seen(Closed) and not pair.seen(Closed, "client")


def test_vanished_client_is_given_up_15_s_after_its_last_check():
    pair = Pair()
    pair.connect()
    last_check = [pair.now]

    def watched(_: int, datagram: bytes) -> list[float]:
        if is_stun(datagram):
            last_check[0] = pair.now
        return [0.005]

    pair.up = watched
    pair.run(20.0)
    pair.up = lambda *_: []
    pair.run(16.0)
    times = [time for time, event in pair.session_events if isinstance(event, Closed)]
    assert times[0] == pytest.approx(last_check[0] + LIFE_TIMEOUT, abs=0.02)
    assert pair.seen(Closed)[0] == Closed("consent lost", "nothing authentic arrived any more")


def test_client_that_never_comes_is_given_up_after_30_s():
    pair = Pair(up=lambda *_: [])
    pair.run(FIRST_CHECK_TIMEOUT + 0.1)
    assert pair.seen(Closed)[0] == Closed("consent lost", "no check arrived")
    assert pair.seen(Closed, "client")[0] == Closed("consent lost", "the relay does not answer checks")


def test_client_that_checks_and_never_shakes_hands_is_given_up_after_15_s():
    pair = Pair(up=lambda _, datagram: [0.005] if is_stun(datagram) else [])
    pair.run(15.1)
    assert [event.reason for event in pair.seen(Closed)][:1] == ["handshake failed"]  # type: ignore[union-attr]


def test_wrong_fingerprint_in_the_offer_fails_the_handshake():
    wrong = identity(0).fingerprint.value

    def lie(offer: str) -> str:
        return offer.replace(identity(1).fingerprint.value, wrong)

    pair = Pair(change_offer=lie)
    pair.run(1.0)
    closed = pair.seen(Closed)[0]
    assert closed == Closed("handshake failed", "the DTLS certificate is not the one the signalling named")
    assert pair.session.transport and pair.session.transport.sender is None


def test_wrong_fingerprint_in_the_answer_fails_the_handshake_at_the_client():
    wrong = identity(1).fingerprint.value
    pair = Pair(change_answer=lambda answer: answer.replace(identity(0).fingerprint.value, wrong))
    pair.run(1.0)
    assert pair.seen(Closed, "client")
    assert pair.client.transport and pair.client.transport.sender is None


def test_sound_and_reports_arrive_once_however_often_they_are_repeated():
    pair = Pair()
    pair.connect()
    pair.up = lambda *_: [0.005, 0.006, 0.5]
    speak(pair, 1)
    assert pair.client.transport and pair.client.transport.sender
    report = build_receiver_report(pair.client.ssrc, (), "name")
    pair.client.outbox.append(pair.client.transport.sender.protect_rtcp(report))
    pair.run(1.0)
    assert heard(pair) == [1]
    assert len(pair.seen(RtcpReceived)) == 1
    assert pair.session.transport and pair.session.transport.dropped["forged or replayed"] == 4


def test_media_before_the_handshake_is_dropped():
    pair = Pair(up=lambda _, datagram: [0.005] if is_stun(datagram) else [])
    pair.run(0.1)
    rtp, rtcp = bytes.fromhex("806f0001") + bytes(40), bytes.fromhex("80c90001") + bytes(40)
    for datagram in (rtp, rtcp):
        assert pair.session.receive(datagram, pair.now) == []
    assert pair.session.transport and pair.session.transport.dropped["early"] == 2


def stream(pair: Pair, ssrc: int) -> SrtpContext:
    """What the client would protect another stream of its own with."""
    keys = pair.client.transport._handshake.keys if pair.client.transport else None
    assert keys
    return SrtpContext(keys.profile, keys.send, ssrc)


def test_each_new_stream_is_heard_however_many_there_have_been():
    pair = Pair()
    pair.connect()
    ssrcs = range(1, 5 * SSRCS_MAX)
    for ssrc in ssrcs:
        sender = stream(pair, ssrc)
        pair.client.outbox.append(sender.protect(build_rtp(RtpPacket(111, ssrc, 0, ssrc, b"opus"))))
        pair.client.outbox.append(sender.protect_rtcp(build_receiver_report(ssrc, (), "x")))
        pair.run(0.02)
    assert heard(pair) == [*ssrcs]
    assert len(pair.seen(RtcpReceived)) == len(ssrcs)
    assert pair.session.transport and len(pair.session.transport._ssrcs) == SSRCS_MAX


def test_stream_that_was_forgotten_is_not_heard_again():
    """The window that tells a repeated packet is gone with it."""
    pair = Pair()
    pair.connect()
    recorded = []
    for ssrc in range(1, SSRCS_MAX + 3):
        recorded.append(stream(pair, ssrc).protect(build_rtp(RtpPacket(111, ssrc, 0, ssrc, b"opus"))))
        pair.client.outbox.append(recorded[-1])
    pair.run(1.0)
    pair.client.outbox += recorded
    pair.run(1.0)
    assert heard(pair) == [*range(1, SSRCS_MAX + 3)]
    dropped = pair.session.transport.dropped if pair.session.transport else {}
    assert (dropped["too many streams"], dropped["forged or replayed"]) == (2, SSRCS_MAX)


def test_streams_are_retired_up_to_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transport, "RETIRED_MAX", 2)
    pair = Pair()
    pair.connect()
    for ssrc in range(1, SSRCS_MAX + 5):
        pair.client.outbox.append(stream(pair, ssrc).protect(build_rtp(RtpPacket(111, ssrc, 0, ssrc, b"opus"))))
    pair.run(1.0)
    assert heard(pair) == [*range(1, SSRCS_MAX + 3)]
    assert pair.session.transport and pair.session.transport.dropped["too many streams"] == 2


def test_stream_that_is_heard_and_the_one_that_reports_stay_whatever_else_comes():
    pair = Pair()
    pair.connect()
    speak(pair, 1)
    pair.run(0.02)
    for ssrc in range(1, 3 * SSRCS_MAX):  # not of the negotiated payload type: dropped, and kept for its replays
        pair.client.outbox.append(stream(pair, ssrc).protect(build_rtp(RtpPacket(96, ssrc, 0, ssrc, b"video"))))
    pair.run(0.1)
    speak(pair, 2)
    pair.run(0.1)
    assert heard(pair) == [1, 2]
    assert pair.session.transport and pair.session.transport.dropped["not negotiated"] == 3 * SSRCS_MAX - 1


def test_of_two_streams_that_go_on_at_once_the_newer_is_heard_whole():
    pair = Pair()
    pair.connect()
    older, newer = stream(pair, 7), stream(pair, 8)
    for number in range(50):
        pair.client.outbox.append(older.protect(build_rtp(RtpPacket(111, number, 0, 7, b"opus"))))
        if number:
            pair.client.outbox.append(newer.protect(build_rtp(RtpPacket(111, 1000 + number, 0, 8, b"opus"))))
        pair.run(0.02)
    assert heard(pair) == [0, 1, *range(1001, 1050)]
    pair.run(HOLD)
    pair.client.outbox.append(older.protect(build_rtp(RtpPacket(111, 50, 0, 7, b"opus"))))
    pair.run(0.02)
    assert heard(pair)[-1] == 50, "once the newer is silent the older is heard again"


def test_goodbye_for_a_stream_ends_neither_the_session_nor_the_stream_after_it():
    pair = Pair()
    pair.connect()
    assert pair.client.transport and pair.client.transport.sender
    speak(pair, 1)
    goodbye = build_receiver_report(pair.client.ssrc, (), "x") + build_bye(pair.client.ssrc)
    pair.client.outbox.append(pair.client.transport.sender.protect_rtcp(goodbye))
    pair.run(0.1)
    assert pair.session.uplink.ssrc == -1, "nothing is reported of a stream that is over"
    speak(pair, 2)
    pair.run(0.1)
    assert heard(pair) == [1, 2]
    assert not pair.seen(Closed)
    assert pair.session.uplink.ssrc == pair.client.ssrc


@pytest.mark.parametrize("kind", ["sound", "reports"])
def test_session_lives_on_authentic_packets_alone(kind: str):
    """As with an agent that never checks again once it is connected."""
    pair = Pair()
    pair.connect()
    pair.up = lambda _, datagram: [] if is_stun(datagram) else [0.005]
    assert pair.client.transport and pair.client.transport.sender
    report = build_receiver_report(pair.client.ssrc, (), "x")
    for number in range(120):
        if kind == "sound":
            speak(pair, number)
        else:
            pair.client.outbox.append(pair.client.transport.sender.protect_rtcp(report))
        pair.run(1.0)
    assert not pair.seen(Closed)
    pair.run(LIFE_TIMEOUT + 1.0)
    assert pair.seen(Closed) == [Closed("consent lost", "nothing authentic arrived any more")]


@pytest.mark.parametrize("first", [4, 19, 64, 79, 127, 192, 255])
def test_datagram_of_no_known_protocol_is_counted(first: int):
    pair = Pair()
    pair.connect()
    assert pair.session.receive(bytes([first]) * 30, pair.now) == []
    assert pair.session.transport and pair.session.transport.dropped["unknown"] == 1


def test_client_that_roams_is_followed_when_it_nominates_the_new_path():
    pair = Pair()
    pair.connect()
    pair.client_address = ("198.51.100.8", 41000)
    pair.run(10.0)
    assert pair.seen(Moved) == [Moved(("198.51.100.8", 41000))]
    assert pair.session.address == ("198.51.100.8", 41000)
    speak(pair, 1)
    pair.run(0.01)
    assert heard(pair) == [1]


def test_walking_from_network_to_network_forgets_the_path_unused_for_longest():
    pair = Pair()
    pair.connect()
    at_home = pair.session.address
    forgotten = []
    for port in range(1, ADDRESSES_MAX + 10):
        forgotten += pair.session.receive_check(_check(pair.session, port), ("203.0.113.5", port), pair.now) or []
    assert len(pair.session.addresses) == ADDRESSES_MAX
    assert forgotten == [Forgotten(("203.0.113.5", port)) for port in range(1, 11)]
    assert at_home in pair.session.addresses, "the path in use stays, however long ago its last check was"
    assert len(pair.session.outbox) == ADDRESSES_MAX + 9


def sent_to(session: Session, address: Address) -> list[bytes]:
    """What stands in the outbox for that address, which is then empty."""
    sent, session.outbox[:] = [*session.outbox], []
    return [datagram for datagram, where in sent if where == address]


def test_nomination_from_a_forged_source_moves_nothing_and_sends_little_there():
    pair = Pair()
    pair.connect()
    victim, before = ("203.0.113.66", 1), pair.session.address
    came = sent = 0
    for number in range(20):
        check = _check(pair.session, number, nominates=True)
        assert pair.session.receive_check(check, victim, pair.now) == []
        came += len(check.raw)
        pair.run(1.0)
    sent = pair.to.get(victim, 0)
    assert 0 < sent <= AMPLIFICATION_MAX * came
    assert pair.session.address == before
    assert not pair.seen(Moved) and pair.session.sends


def test_overheard_nomination_moves_nothing_however_old_it_is():
    """Not even back to where its maker once was: that address, too, has to prove itself again."""
    pair = Pair()
    pair.connect()
    first = pair.client_address
    overheard = _check(pair.session, 4711, nominates=True)
    assert pair.session.receive_check(overheard, first, pair.now) == []
    pair.client_address = ("198.51.100.8", 41000)
    pair.run(400.0)
    assert pair.session.address == pair.client_address
    for source in (first, ("203.0.113.66", 1)):
        assert pair.session.receive_check(overheard, source, pair.now) == []
        pair.run(30.0)
        assert pair.session.address == pair.client_address
    assert len(pair.seen(Moved)) == 1


def test_answer_proves_the_address_it_was_asked_of_and_no_other():
    pair = Pair()
    pair.connect()
    new, other = ("198.51.100.8", 41000), ("203.0.113.66", 1)
    pair.session.receive_check(_check(pair.session, 1, nominates=True), new, pair.now)
    [ours] = [parse_stun(each) for each in sent_to(pair.session, new) if each[:2] == b"\0\1"]
    assert ours.attributes[USERNAME] == f"{pair.client._ufrag}:{pair.session.credentials[0]}".encode()
    password = pair.client._pwd.encode()
    assert ours.authentic(password)
    answer = parse_stun(build_success(ours, RELAY, password))
    pair.session.receive_check(_check(pair.session, 2, nominates=True), other, pair.now)
    forged = parse_stun(build_success(ours, RELAY, b"guess"))
    for message, source in ((answer, other), (forged, new)):
        assert pair.session.receive_answer(message, source, pair.now) is None
    assert pair.session.receive_answer(answer, new, pair.now) == [Moved(new)]
    assert pair.session.receive_answer(answer, new, pair.now) is None, "once"
    assert pair.session.address == new


def test_forged_sources_take_the_place_of_no_proven_path():
    pair = Pair()
    pair.connect()
    at_home = pair.client_address
    pair.client_address = ("198.51.100.8", 41000)
    pair.run(10.0)
    for port in range(1, 3 * ADDRESSES_MAX):
        pair.session.receive_check(_check(pair.session, port), ("203.0.113.66", port), pair.now)
    assert {at_home, pair.client_address} <= {*pair.session.addresses}


@roles
def test_address_that_has_proven_nothing_is_sent_three_times_what_came_from_it_at_most(how: dict):
    """Whoever has an offer of their own can begin a handshake in the name of any address."""
    pair = Pair(down=lambda *_: [], **how)
    pair.run(20.0)
    came, sent = pair.of[CLIENT], pair.to[CLIENT]
    assert 0 < sent <= AMPLIFICATION_MAX * came


@roles
def test_hello_in_another_name_is_answered_with_three_times_as_much_at_most(how: dict):
    """Only two datagrams come; nothing is sent again and again to who does not answer."""
    seen = set[bytes]()

    def once(_: int, datagram: bytes) -> list[float]:
        kind = bytes([datagram[0] > 19])
        fresh = kind not in seen
        seen.add(kind)
        return [0.005] if fresh else []

    pair = Pair(up=once, **how)
    arrived = 0

    def counted(number: int, datagram: bytes) -> list[float]:
        nonlocal arrived
        fate = once(number, datagram)
        arrived += len(datagram) * len(fate)
        return fate

    pair.up = counted
    pair.run(16.0)
    assert pair.to[CLIENT] <= AMPLIFICATION_MAX * arrived


@pytest.mark.parametrize("wait", [0.0, 1.0], ids=["before it is sent again", "after"])
def test_handshake_proves_no_address_that_was_named_in_the_middle_of_it(wait: float):
    """Else whoever shakes hands from one address would have the sound sent to another."""
    pair = Pair()
    session, victim, now = pair.session, ("203.0.113.66", 1), pair.now
    for number in range(8):
        session.receive_check(_check(session, number, nominates=True), CLIENT, now)
    expected = tuple(parse_sdp(session.answer).audio.fingerprints)
    client = SecureTransport(identity(1), "client", expected, 1, now)
    for datagram in client.outbox:
        session.receive(datagram, now, CLIENT)
    client.outbox.clear()
    flight = [datagram for datagram in sent_to(session, CLIENT) if datagram[0] > 19]
    for number in range(8, 24):
        session.receive_check(_check(session, number, nominates=True), victim, now)
    session.handle_timer(now + wait)
    for datagram in flight:
        client.receive(datagram, now)
    events: list[SessionEvent] = []
    for datagram in client.outbox:
        events += session.receive(datagram, now + wait, CLIENT)
    assert any(isinstance(event, Connected) for event in events)
    assert not session.sends
    assert session.address == victim and not session._paths.proven(victim)
    client.close()
    pair.close()


def test_peer_that_sends_sound_and_answers_no_check_is_heard_and_sent_to_no_longer():
    """RFC 7675: without consent sending stops; what is authentic is heard on."""
    pair = Pair()
    pair.connect()
    pair.up = lambda _, datagram: [] if is_stun(datagram) else [0.005]
    pair.client._deadline = 1e9
    for number in range(60):
        speak(pair, number)
        pair.run(1.0)
    sends = [(time, event.allowed) for time, event in pair.session_events if isinstance(event, Sends)]
    assert [allowed for _, allowed in sends] == [True, False]
    assert sends[1][0] - sends[0][0] == pytest.approx(CONSENT_TIMEOUT, abs=6.0)
    assert heard(pair)[-1] == 59
    before = pair.to[CLIENT]
    speak(pair, 60)
    pair.run(6.0)
    assert pair.to[CLIENT] == before, "no report, no check, nothing"
    pair.up = at_once
    pair.run(6.0)
    assert pair.session.sends, "a check of its own gives the leave back"


def test_peer_whose_checks_cease_is_asked_and_its_answers_keep_the_leave():
    """As libnice does: it answers checks, and sends none once it is connected."""
    pair = Pair()
    pair.connect()
    pair.client._check_at, pair.client._deadline = None, 1e9
    assert pair.client.transport and pair.client.transport.sender
    for _ in range(120):
        pair.run(1.0)
    assert pair.session.sends and not pair.seen(Closed)
    assert [event.allowed for event in pair.seen(Sends)] == [True]


def test_checks_that_are_sent_again_do_not_keep_alive_a_peer_that_has_left():
    pair = Pair()
    pair.connect()
    overheard = [_check(pair.session, number, nominates=True) for number in range(40)]
    pair.up = lambda *_: []
    for check in overheard:
        pair.session.receive_check(check, CLIENT, pair.now)
        pair.run(1.0)
    assert [event.reason for event in pair.seen(Closed)] == ["consent lost"]


def test_check_that_does_not_nominate_does_not_move_the_sound():
    pair = Pair()
    pair.connect()
    before = pair.session.address
    assert pair.session.receive_check(_check(pair.session), ("203.0.113.5", 1), pair.now) == []
    assert pair.session.address == before


def test_forged_check_is_not_answered_and_keeps_nothing_alive():
    pair = Pair()
    pair.connect()
    due = pair.session._fresh.alive_until
    forged = parse_stun(build_stun(BINDING_REQUEST, bytes(12), [(USERNAME, b"x:y")], b"guess"))
    response = parse_stun(build_stun(BINDING_RESPONSE, bytes(12), [], pair.session.credentials[1].encode()))
    for message in (forged, response):
        assert pair.session.receive_check(message, ("203.0.113.5", 1), pair.now + 1) is None
    assert pair.session.outbox == []
    assert pair.session._fresh.alive_until == due


def test_client_ignores_forged_answers():
    pair = Pair(down=lambda *_: [])
    forged = build_stun(BINDING_RESPONSE, pair.client._transaction, [], b"guess")
    stale = build_stun(BINDING_RESPONSE, bytes(12), [], parse_sdp(pair.session.answer).audio.pwd.encode())
    for datagram in (forged, stale, b"\0" * 3, b""):
        assert pair.client.receive(datagram, pair.now) == []
    assert pair.client.transport is None


def test_goodbye_of_either_side_ends_the_other():
    pair = Pair()
    pair.connect()
    pair.client.close()
    pair.run(0.05)
    assert pair.seen(RtcpReceived)[-1].compound.bye == (pair.client.ssrc,)  # type: ignore[union-attr]
    assert Closed("closed by peer") in pair.seen(Closed)

    pair = Pair("recvonly")
    pair.connect()
    pair.session.close()
    pair.run(0.05)
    assert Closed("closed by peer") in pair.seen(Closed, "client")


def test_listener_gives_its_handshake_back_and_still_gets_a_goodbye():
    pair = Pair("recvonly")
    pair.connect()
    assert pair.session.transport and pair.session.transport._handshake._ssl is None
    pair.run(5.0)
    pair.session.close()
    pair.run(0.05)
    assert pair.seen(RtcpReceived, "client")[-1].compound.bye == (pair.session.ssrc,)  # type: ignore[union-attr]
    assert Closed("closed by peer") in pair.seen(Closed, "client")


def test_speaker_keeps_its_handshake_for_the_whole_session():
    pair = Pair("sendonly")
    pair.connect()
    pair.run(5.0)
    assert pair.session.transport and pair.session.transport._handshake._ssl is not None


def test_listener_that_lost_the_last_flight_gets_it_again():
    """What the relay sends: the answer to the check, its own check, then the two flights of its handshake."""
    pair = Pair("recvonly", down=losing(3))
    pair.run(0.2)
    assert pair.seen(Connected) and not pair.seen(Connected, "client")
    pair.run(1.0)
    assert pair.connected


def test_closing_before_anything_happened_is_quiet():
    session = Session(identity(0), parse_sdp(Pair().client.offer), (RELAY,), 0.0)
    session.close()
    assert session.outbox == []


def _check(session: Session, number: int = 0, nominates: bool = False) -> StunMessage:
    """An authentic check."""
    ufrag, password = session.credentials
    attributes = [(USERNAME, f"{ufrag}:peer".encode())] + ([(USE_CANDIDATE, b"")] if nominates else [])
    return parse_stun(build_stun(BINDING_REQUEST, number.to_bytes(12), attributes, password.encode()))


def test_closing_twice_is_no_error():
    pair = Pair()
    pair.connect()
    for _ in range(2):
        pair.close()
