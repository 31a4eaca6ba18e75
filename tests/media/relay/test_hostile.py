"""What outsiders send: dropped, counted, never answered with more than they sent; and peers who vanish."""

import random
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.relay import core as core_module
from media.relay.plane import RelayFullError
from media.rtc.door import ANSWERS_MAX
from media.rtc.freshness import LIFE_TIMEOUT
from media.rtc.paths import ADDRESSES_MAX, AMPLIFICATION_MAX
from media.rtc.rtcp import build_bye, build_receiver_report
from media.rtc.sdp import parse_sdp
from media.rtc.stun import BINDING_REQUEST, PRIORITY, USE_CANDIDATE, USERNAME, build_stun
from tests.media.relay.world import ROOM, Member, World, hears
from tests.media.rtc.mangled import mangled, recorded

OUTSIDER = ("203.0.113.66", 6666)


_transactions = count()


def check(ufrag: str, password: str, *extra: tuple[int, bytes]) -> bytes:
    """A connectivity check."""
    attributes = [(USERNAME, f"{ufrag}:evil".encode()), (PRIORITY, bytes(4)), *extra]
    return build_stun(BINDING_REQUEST, next(_transactions).to_bytes(12), attributes, password.encode())


def credentials(world: World, member: Member) -> tuple[str, str]:
    """Fragment and password that the relay gave out for a session."""
    session = world.core._peers[member.name].session
    return session.credentials


@pytest.fixture
def listener(world: World) -> Member:
    world.speaker("ana", 440.0)
    member = world.join("lea", "recvonly")
    world.run(0.5)
    return member


def answers(world: World, datagrams: list[bytes], source: tuple[str, int] = OUTSIDER) -> list[bytes]:
    """What the relay says to that address after these datagrams from it."""
    before = len(world.replies)
    for datagram in datagrams:
        world.deliver(datagram, source)
    world.run(0.1)
    return [datagram for datagram, address in world.replies[before:] if address == source]


def test_spoofed_and_junk_datagrams_are_not_answered(world: World, listener: Member):
    ufrag, _ = credentials(world, listener)
    noise = random.Random(1)
    good = check(ufrag, "p" * 32)
    datagrams = [
        b"",
        b"\x00",
        good,
        check("unknown", "p" * 32),
        *[good[:size] for size in range(1, len(good), 5)],
        *[bytes([first]) + noise.randbytes(noise.randrange(200)) for first in range(256)],
        *[noise.randbytes(noise.randrange(1, 1500)) for _ in range(200)],
    ]
    before = world.core.snapshot().dropped.total()
    assert answers(world, datagrams) == []
    assert world.core.snapshot().dropped.total() - before == len(datagrams)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert world.core._demux.paths == 2, "no address was learned"


def test_each_kind_of_stun_that_is_dropped_has_its_own_count(world: World, listener: Member):
    ufrag, password = credentials(world, listener)
    good = check(ufrag, password)
    broken = good[:-1] + bytes([good[-1] ^ 1])
    answers(world, [broken, check("nobody", password), check(ufrag, "x" * 32)])
    counts = world.core.snapshot().dropped
    assert (counts["malformed STUN"], counts["STUN for no session"], counts["STUN not authentic"]) == (1, 1, 1)


def test_replayed_check_gets_no_larger_answer_and_no_sound(world: World, listener: Member):
    """An outsider who has overheard a check can be answered, with 64 bytes at most, but is sent nothing else."""
    ufrag, password = credentials(world, listener)
    overheard = check(ufrag, password)
    [answer] = answers(world, [overheard])
    assert len(answer) <= len(overheard)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)


def test_junk_from_a_peer_s_own_address_hurts_nobody(world: World, listener: Member):
    noise = random.Random(2)
    junk = [bytes([first]) + noise.randbytes(noise.randrange(200)) for first in range(4, 256) for _ in range(3)]
    speaker = world.members[0]
    for member in (speaker, listener):
        replies = answers(world, junk, member.address)
        assert sum(map(len, replies)) <= sum(map(len, junk))
    world.run(0.3)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert not world.downs()


def test_paths_beyond_the_limit_take_the_place_of_older_ones(world: World, listener: Member):
    ufrag, password = credentials(world, listener)
    for port in range(1, 3 * ADDRESSES_MAX):
        answers(world, [check(ufrag, password)], ("203.0.113.66", port))
    assert len(world.core._peers[listener.name].session.addresses) == ADDRESSES_MAX
    assert world.core._demux.paths == ADDRESSES_MAX + 1
    world.core.drop_session(listener.name)
    assert world.core._demux.paths == 1, "all paths of an ended session are forgotten"


def test_nomination_moves_the_sound_once_the_new_address_has_answered(world: World, listener: Member):
    other = Member("unused", "nobody", "recvonly")
    old, listener.socket, listener.address = listener.socket, other.socket, other.address
    listener.client._check(world.now)
    world.run(0.1)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert world.core._peers[listener.name].session.address == other.address
    old.close()


def test_nomination_in_the_name_of_another_address_sends_no_sound_there(world: World, listener: Member):
    ufrag, password = credentials(world, listener)
    victim = Member("unused", "nobody", "recvonly")
    sent = [check(ufrag, password, (USE_CANDIDATE, b"")) for _ in range(10)]
    came = sum(map(len, sent))
    back, since = [], world.now
    for datagram in sent:
        back += answers(world, [datagram], victim.address)
        world.run(1.0)
    assert sum(map(len, back)) <= AMPLIFICATION_MAX * came
    with pytest.raises(BlockingIOError):
        victim.socket.recv(2048)
    assert hears(listener, 440.0, since)
    victim.socket.close()


def test_listener_that_vanishes_is_dropped_after_15_s(world: World, listener: Member):
    listener.gone = True
    world.run(LIFE_TIMEOUT - 7.0)  # its last check may be 6 s old
    assert world.downs() == []
    world.run(7.5)
    assert world.downs() == [(listener.name, "consent lost")]
    assert world.core.snapshot().listeners == 1, "the speaker listens on"
    assert world.core.snapshot().sessions_down["consent lost"] == 1


def test_speaker_that_vanishes_falls_silent_at_once_and_is_dropped(world: World, listener: Member):
    speaker = world.members[0]
    speaker.gone = True
    world.run(0.7)
    since = world.now
    world.run(15.5)
    assert not hears(listener, 440.0, since)
    assert world.downs() == [(speaker.name, "consent lost")]
    assert world.core.snapshot().speakers == 0


def test_goodbye_ends_a_session_at_once(world: World, listener: Member):
    listener.client.close()
    world.run(0.04)
    assert world.downs() == [(listener.name, "closed by peer")]


def test_report_that_ends_a_stream_ends_no_session(world: World, listener: Member):
    ssrc, transport = listener.client.ssrc, listener.client.transport
    assert transport and transport.sender
    report = build_receiver_report(ssrc, (), "x")
    for compound in (report, report + build_bye(ssrc), report):
        listener.client.outbox.append(transport.sender.protect_rtcp(compound))
        world.run(0.1)
    since = world.now
    world.run(0.5)
    assert world.downs() == []
    assert hears(listener, 440.0, since)


def test_offer_that_is_never_used_is_forgotten(world: World):
    unused = Member("unused", "nobody", "recvonly")
    world.core.add_session(ROOM, "nobody", "unused", parse_sdp(unused.client.offer), world.now)
    world.run(31.0)
    assert world.downs() == [("unused", "consent lost")]
    assert world.core.snapshot().sessions == 0
    unused.socket.close()


def test_name_used_again_is_safe_from_the_timers_of_the_session_before(world: World):
    first = world.join("ana", "recvonly", name="same")
    world.core.drop_session("same")
    second = world.join("ana", "recvonly", name="same")
    world.run(60.0)
    assert first.closed
    assert second.closed is None
    assert world.downs() == [("same", "deleted")]


def test_relay_that_is_full_says_so(world: World, monkeypatch):
    monkeypatch.setattr(core_module, "SESSIONS_MAX", 1)
    member = world.join("ana")
    offer = parse_sdp(member.client.offer)
    with pytest.raises(RelayFullError, match="holds its 1 sessions"):
        world.core.add_session(ROOM, "ben", "second", offer, world.now)
    world.core.drop_session(member.name)
    world.join("ben")


def test_shutdown_tells_everyone(world: World, listener: Member):
    world.core.close()
    world.run(0.04)
    assert {reason for _, reason in world.downs()} == {"shutdown"}
    assert all(member.closed for member in world.members)


def test_replayed_reordered_cut_and_forged_sound_is_counted_and_not_heard(world: World, listener: Member):
    """Whoever stands in a speaker's way can send its packets again, late, cut or changed: none is heard twice."""
    speaker, noise = world.members[0], random.Random(3)
    packets = [packet for packet in (speaker.speak() for _ in range(40)) if packet]
    noise.shuffle(packets)
    for packet in packets:
        world.deliver(packet, speaker.address)
    assert world.core.snapshot().dropped["forged or replayed"] == 0, "late is not wrong"
    for packet in packets:
        at = noise.randrange(12, len(packet))
        forged = packet[:at] + bytes([packet[at] ^ 1 << noise.randrange(8)]) + packet[at + 1 :]
        for bad in (packet, forged, packet[: noise.randrange(13, len(packet))]):
            world.deliver(bad, speaker.address)
    assert world.core.snapshot().dropped["forged or replayed"] == 3 * len(packets)
    world.run(1.5)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert not world.downs()


def test_mangled_datagrams_from_anywhere_hurt_nobody(world: World, listener: Member):
    """Those of the speaker and the listener themselves, of sessions before theirs, and of other makes."""
    speaker = world.members[0]
    live = [packet for packet in (speaker.speak() for _ in range(3)) if packet]
    live.append(check(*credentials(world, listener)))
    addresses = [speaker.address, listener.address, OUTSIDER]

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(mangled([*recorded(), *live]), st.sampled_from(addresses))
    def deliver(datagram: bytes, source: tuple[str, int]) -> None:
        before = world.core.snapshot().datagrams
        world.deliver(datagram, source)
        assert world.core.snapshot().datagrams == before + 1

    deliver()
    world.run(1.0)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert world.core.snapshot().faults == 0
    assert not world.downs()


def test_listener_that_floods_is_limited_and_the_others_hear_on(world: World, listener: Member):
    other = world.join("leo", "recvonly")
    flood = [check(*credentials(world, listener)) for _ in range(500)]
    for number, datagram in enumerate(flood):
        world.deliver(datagram, listener.address)
        if number % 100 == 99:
            world.run(0.02)
    assert 500 - 2 * ANSWERS_MAX <= world.core.snapshot().dropped["too many from one peer"] < 500
    since = world.now
    world.run(0.5)
    assert hears(other, 440.0, since) and hears(listener, 440.0, since)
    world.run(30.0)
    assert not world.downs()


def test_overheard_check_moves_nothing_however_many_there_were_since(world: World, listener: Member):
    overheard = check(*credentials(world, listener), (USE_CANDIDATE, b""))
    world.deliver(overheard, listener.address)
    for _ in range(100):
        world.deliver(check(*credentials(world, listener), (USE_CANDIDATE, b"")), listener.address)
        world.run(0.02)
    since = world.now
    answers(world, [overheard])
    world.run(2.0)
    assert world.core._peers[listener.name].session.address == listener.address
    assert hears(listener, 440.0, since)


def test_junk_is_dropped_before_python_and_takes_nothing_from_who_joins(world: World, listener: Member):
    before = world.core.stats.datagrams
    for number in range(6_000):
        world.deliver(bytes(20), (f"10.0.{number % 200}.1", 4000 + number))
    late = world.join("max", "recvonly")
    since = world.now
    world.run(0.5)
    assert world.core.snapshot().dropped["STUN for no session"] == 6_000
    assert world.core.stats.datagrams - before < 20
    assert hears(late, 440.0, since) and hears(listener, 440.0, since)


def test_check_in_the_name_of_another_s_address_takes_nothing_from_them(world: World, listener: Member):
    """A listener who sends its own checks from a speaker's address, as far as UDP can tell."""
    speaker, mallory, since = world.members[0], world.join("mal", "recvonly"), world.now
    for number in range(50):
        world.deliver(check(*credentials(world, mallory)), speaker.address)
        world.deliver(check(*credentials(world, mallory), (USE_CANDIDATE, b"")), speaker.address)
        if number == 25:
            unused = Member("unused", "mal", "recvonly")
            world.core.add_session(ROOM, "mal", "unused", parse_sdp(unused.client.offer), world.now)
            world.deliver(check(*world.core._peers["unused"].session.credentials), speaker.address)
            unused.socket.close()
        world.run(0.02)
    assert hears(listener, 440.0, since + 0.1)
    world.run(40.0)
    assert world.downs() == [("unused", "consent lost")] or world.downs() == [("unused", "handshake failed")]
    assert world.core._demux.newcomers == 0


def test_session_that_takes_over_an_address_is_served_there(world: World, listener: Member):
    """As when a page is loaded again behind the same hole in a firewall: the session before falls silent."""
    second = Member("second", "leo", "recvonly")
    second.socket.close()
    second.socket, second.address = listener.socket, listener.address
    listener.gone = True
    world.members.remove(listener)
    offer = parse_sdp(second.client.offer)
    answer = world.core.add_session(ROOM, "leo", second.name, offer, world.now)
    second.client.accept(answer, world.now)
    world.members.append(second)
    world.run(0.1)
    assert second.up
    since = world.now
    world.run(LIFE_TIMEOUT + 1.0)
    assert world.downs() == [(listener.name, "consent lost")]
    world.run(20.0)
    assert hears(second, 440.0, since)
    assert len(world.downs()) == 1
    assert world.core.snapshot().checks > 2
    listener.client.close()


def test_replies_that_the_system_refuses_are_counted_and_stay_counted(world: World, listener: Member):
    before = world.core.snapshot().send_failures

    def refuse(datagram: bytes, address: tuple[str, int]) -> None:
        raise OSError

    world.core._send, send = refuse, world.core._send
    world.core.drop_session(listener.name)  # its goodbye goes nowhere
    world.core._send = send
    world.run(0.1)
    assert world.core.snapshot().send_failures > before
