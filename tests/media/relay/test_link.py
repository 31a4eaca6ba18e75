"""A room on two relays: what the home mixes is heard on the other, and nothing that a stranger sends."""

import secrets
import socket
from collections.abc import AsyncIterator

import aioice.ice
import pytest

from media.relay.link import WAITING_MAX, Feed, Follow
from media.relay.plane import Link
from media.relay.pool import RelayPool
from media.relay.relay import Relay
from media.relay.stats import RelayStats
from media.rtc.crowd import Crowd
from media.rtc.rtp import RtpPacket, build_rtp
from media.rtc.srtp import AES_128_GCM, SrtpContext
from tests.media.relay.people import Person, steady
from tests.media.relay.sound import RATE, strength
from tests.media.relay.world import ROOM

A, B = 440.0, 700.0


@pytest.fixture
async def relays() -> AsyncIterator[list[Relay]]:
    made = [Relay(), Relay()]
    for relay in made:
        await relay.start()
    yield made
    for relay in made:
        assert relay.stats().faults == 0
        if relay.ready:
            await relay.stop()


@pytest.fixture
async def pool(relays: list[Relay], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RelayPool]:
    """Two relays of this process, of which the first is the home of an open room and is full with two sessions."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    made = RelayPool(listeners_per_relay=2)
    for index, relay in enumerate(relays):
        made.add(index, relay)
    await made.open_room(ROOM)
    yield made
    made.ending = True
    await made.settle()


@pytest.fixture
async def join(pool: RelayPool) -> AsyncIterator[object]:
    people: list[Person] = []

    async def one(participant: str, hertz: float = 0.0) -> Person:
        if hertz:
            await pool.let_talk(ROOM, participant, True)
        person = Person(steady(hertz) if hertz else None)
        people.append(person)
        await person.join(pool, ROOM, participant, f"{participant} {len(people)}")
        return person

    yield one
    for person in people:
        await person.leave()


async def test_listener_on_another_relay_hears_the_room_and_costs_the_home_one_packet_a_tick(relays, pool, join):
    await join("ana", A)
    near, far = await join("lea"), await join("max")
    assert [pool.load(index) for index in (0, 1)] == [2, 1]
    await far.listen(0.4)
    before = [relay.stats() for relay in relays]
    for pcm in (await far.listen(1.0), near.heard()):
        assert pcm.size > RATE // 2
        assert strength(pcm, A) > 0.1
    after = [relay.stats() for relay in relays]
    assert (after[0].rooms, after[0].links, after[1].rooms, after[1].linked_rooms) == (1, 1, 0, 1)
    assert after[1].mixes == before[1].mixes, "nothing is encoded there"
    assert after[1].link_packets - before[1].link_packets >= 40
    assert after[1].link_lost == 0
    of_links = {reason for reason in after[1].dropped if reason.startswith("link")}
    assert of_links <= {"link: too many"}, "a home that was held up sends frames in a burst"
    assert sum(after[1].stages["link"].counts) > 0


async def test_muted_and_revoked_is_silent_on_every_relay(pool, join):
    await join("ana", A)
    await join("lea")
    far = await join("max")
    await far.listen(0.4)
    assert strength(await far.listen(0.4), A) > 0.1
    await pool.mute(ROOM, "ana", True)
    await far.listen(0.4)
    assert (await far.listen(0.6)).size < RATE / 10, "comfort noise, and what the client's buffer kept"
    await pool.mute(ROOM, "ana", False)
    await far.listen(0.3)
    assert strength(await far.listen(0.4), A) > 0.1
    await pool.let_talk(ROOM, "ana", False)
    await far.listen(0.4)
    assert (await far.listen(0.6)).size < RATE / 10


@pytest.mark.parametrize("name", ["ben", "~1f"])
async def test_someone_who_listens_elsewhere_and_then_speaks_does_not_hear_themselves(relays, pool, join, name):
    await join("ana", A)
    await join("lea")
    far, other = await join(name), await join("max")
    await pool.rename_session(f"{name} 3", "ben")
    await join("ben", B)
    assert [pool.load(index) for index in (0, 1)] == [3, 2]
    assert relays[0].stats().links <= 2
    await far.listen(0.8)
    pcm, heard_by_others = await far.listen(1.0), other.heard()
    assert strength(pcm, A) > 0.1 and strength(pcm, B) < 0.01
    assert strength(heard_by_others, A) > 0.1 and strength(heard_by_others, B) > 0.1


async def test_last_listener_who_leaves_takes_the_link_down(relays, pool, join):
    await join("ana", A)
    await join("lea")
    await join("max")
    await pool.drop_session("max 3")
    await pool.settle()
    for _ in range(2):  # figures are as old as the last tick
        await relays[0].open_room(ROOM)
    assert not relays[1]._core._rooms
    assert not relays[0]._core._links._feeds
    assert not relays[1]._core._links._follows


async def test_packets_in_the_name_of_the_home_are_dropped_and_counted(relays, pool, join):
    await join("ana", A)
    await join("lea")
    far = await join("max")
    ((link, _),) = relays[1]._core._links._follows.items()
    forger = SrtpContext(AES_128_GCM, secrets.token_bytes(28), link.ssrc)
    genuine_ssrc = [forger.protect(build_rtp(RtpPacket(96, n, 960 * n, link.ssrc, b"noise"))) for n in range(10)]
    unknown_ssrc = bytes([0x80, 96]) + bytes(30)
    home = relays[0]._socket
    for datagram in (*genuine_ssrc, unknown_ssrc, b"\x80", b"\x00\x01" + bytes(18)):
        home.sendto(datagram, relays[1].address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in genuine_ssrc:
            stranger.sendto(datagram, relays[1].address)
    await far.listen(0.4)
    assert strength(await far.listen(0.6), A) > 0.1
    dropped = relays[1].stats().dropped
    assert dropped["link: forged or replayed"] == 10
    assert dropped["link: unknown"] == 1
    assert dropped["link: malformed"] == 2
    assert dropped["no session"] == 10


@pytest.fixture
def link() -> Link:
    return Link(ROOM, "", ("127.0.0.1", 9), ("127.0.0.1", 10), 7, secrets.token_bytes(28))


class Row:
    """What a crowd is told of a row."""

    def __init__(self) -> None:
        self.filled: list[bytes | None] = []

    def fill(self, row: int, payload: bytes, timestamp: int, capture: int | None, marker: bool) -> None:
        self.filled.append(payload)

    def silence(self, row: int) -> None:
        self.filled.append(None)


def packets(link: Link, count: int) -> list[bytes]:
    sender = SrtpContext(AES_128_GCM, link.key, link.ssrc)
    return [sender.protect(build_rtp(RtpPacket(96, n, 960 * n, link.ssrc, bytes([n])))) for n in range(count)]


def test_lost_packet_is_one_tick_of_silence_and_a_late_one_waits(link: Link):
    follow, row, stats = Follow(link), Row(), RelayStats()
    sent = packets(link, 6)
    arrivals = [[0], [], [2], [3, 4], [], [5], []]  # the second is lost, the fifth comes early
    for now, numbers in enumerate(arrivals):
        assert not [reason for n in numbers if (reason := follow.put(sent[n], now, stats))]
        follow.play(row, 960 * now, now, stats)  # type: ignore[arg-type]
    assert row.filled == [b"\0", None, b"\2", b"\3", b"\4", b"\5", None]
    assert (stats.link_packets, stats.link_lost) == (5, 1)


def test_delay_does_not_grow_and_what_is_old_is_not_played(link: Link):
    follow, row, stats = Follow(link), Row(), RelayStats()
    sent = packets(link, 8)
    reasons = [follow.put(sent[n], 0.0, stats) for n in (0, 1, 3, 2, 4, 5, 5)]
    too_many = "link: too many"
    assert reasons == [None, None, too_many, "link: out of order", too_many, too_many, "link: forged or replayed"]
    for _ in range(WAITING_MAX + 1):
        follow.play(row, 0, 0.0, stats)  # type: ignore[arg-type]
    assert row.filled == [b"\4", b"\5", None]


def test_feed_is_a_listener_whose_place_can_be_given_back(link: Link):
    crowd = Crowd()
    feed = Feed(link)
    feed.join(crowd, crowd.new_row())
    assert (len(crowd), feed.place) == (1, 0)
    feed.close(crowd)
    assert (len(crowd), feed.place) == (0, -1)
