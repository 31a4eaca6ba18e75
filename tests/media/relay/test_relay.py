"""The relay's shell: port, thread, refusals, and what it counts."""

import asyncio
import socket
import threading
from bisect import bisect_left

import numpy as np
import pytest

from media.relay.plane import OfferError, PlaneError, SessionDown
from media.relay.port import local_ips
from media.relay.relay import Relay
from media.relay.stats import BUCKETS, Histogram, RelayStats
from media.rtc.client import Client
from media.rtc.sdp import parse_sdp
from tests.media.relay.conftest import Join
from tests.media.relay.world import ROOM
from tests.media.rtc.offers import CHROMIUM
from tests.media.rtc.pair import identity


async def test_port_that_is_taken_is_refused_and_left_alone(relay: Relay):
    host, port = relay.address
    second = Relay(host, port)
    with pytest.raises(OSError, match="Address already in use"):
        await second.start()
    assert not second.ready and relay.ready


async def test_stopped_relay_frees_its_port_and_takes_no_commands():
    first = Relay()
    await first.start()
    host, port = first.address
    await first.stop()
    with pytest.raises(PlaneError, match="not running"):
        await first.open_room(ROOM)
    second = Relay(host, port)
    await second.start()
    await second.stop()
    assert not any(thread.name == "media" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("offer", "reason"),
    [("", "v=0"), ("v=0\n", "no audio section"), (CHROMIUM.replace("actpass", "sideways"), "a=setup")],
)
async def test_unusable_offer_is_refused_in_a_sentence(relay: Relay, offer: str, reason: str):
    with pytest.raises(OfferError, match=reason):
        await relay.add_session(ROOM, "ana", "one", offer)
    assert relay.stats().sessions == 0


async def test_session_for_a_closed_room_is_refused(relay: Relay):
    with pytest.raises(PlaneError, match="not open"):
        await relay.add_session("nowhere", "ana", "one", Client(identity(1), "recvonly").offer)


async def test_public_addresses_are_the_candidates():
    relay = Relay(public_ips=("192.0.2.1", "198.51.100.1"))
    await relay.start()
    await relay.open_room(ROOM)
    answer = await relay.add_session(ROOM, "ana", "one", Client(identity(1), "recvonly").offer)
    port = relay.address[1]
    await relay.stop()
    assert parse_sdp(answer).audio.candidates == [("192.0.2.1", port), ("198.51.100.1", port)]


def test_bound_address_is_the_only_candidate_unless_it_is_every_address():
    assert local_ips("127.0.0.1") == ("127.0.0.1",)
    assert "127.0.0.1" in local_ips("0.0.0.0")


async def test_stopping_says_goodbye_to_everyone(join: Join):
    relay = Relay()
    await relay.start()
    await relay.open_room(ROOM)
    downs: list[object] = []
    relay.subscribe(downs.append)
    await relay.add_session(ROOM, "ana", "one", Client(identity(1), "recvonly").offer)
    await relay.stop()
    assert downs == [SessionDown(ROOM, "ana", "one", "shutdown")]


async def test_fault_is_counted_and_the_thread_goes_on(relay: Relay, join: Join, monkeypatch, caplog):
    listener = await join("lea")
    core = relay._core
    tick = core.tick

    def broken_once(*arguments: object) -> None:
        monkeypatch.setattr(core, "tick", tick)
        raise RuntimeError("a fault made for this test")

    monkeypatch.setattr(core, "tick", broken_once)
    await asyncio.sleep(0.1)
    stats = relay.stats()
    assert stats.faults == 1 and "goes on after a fault" in caplog.text
    before = stats.ticks
    await asyncio.sleep(0.2)
    assert relay.stats().ticks > before
    assert listener.connection.connectionState == "connected"
    core.stats.faults = 0


async def test_flood_of_junk_does_not_stop_the_ticks(relay: Relay, join: Join):
    listener = await join("lea")
    before = relay.stats()
    noise = np.random.default_rng(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outsider:
        for _ in range(5_000):
            outsider.sendto(noise.bytes(40), relay.address)
        outsider.sendto(bytes(5_000), relay.address)
        outsider.setblocking(False)
        await asyncio.sleep(0.3)
        with pytest.raises(BlockingIOError):
            outsider.recv(100)
    after = relay.stats()
    assert after.ticks > before.ticks
    dropped, received = after.dropped.total() - before.dropped.total(), after.datagrams - before.datagrams
    assert dropped > 0
    assert received - dropped <= 5, "checks and reports of the listener"
    assert listener.connection.connectionState == "connected"


async def test_commands_from_many_tasks_all_run_in_order(relay: Relay):
    await asyncio.gather(*(relay.open_room(f"room {n}") for n in range(50)))
    await asyncio.gather(*(relay.close_room(f"room {n}") for n in range(50)))
    await asyncio.sleep(0.05)
    assert relay.stats().rooms == 1


def test_histogram_gives_quantiles_within_a_bucket():
    histogram = Histogram()
    values = np.random.default_rng(1).lognormal(-6, 1, 5000)
    for value in values:
        histogram.observe(float(value))
    assert histogram.total == pytest.approx(values.sum())
    for share in (0.1, 0.5, 0.9, 0.99):
        exact = float(np.quantile(values, share))
        index = bisect_left(BUCKETS, exact)
        assert BUCKETS[index - 1] * 0.99 <= histogram.quantile(share) <= BUCKETS[index] * 1.01
    assert histogram.cumulative()[-1] == (float("inf"), 5000)
    counts = [count for _, count in histogram.cumulative()]
    assert counts == sorted(counts)


def test_histogram_of_nothing_and_of_more_than_it_can_tell():
    histogram = Histogram()
    assert histogram.quantile(0.5) == 0.0
    histogram.observe(100.0)
    assert histogram.quantile(0.5) == BUCKETS[-1]


def test_copy_of_the_counters_stands_still():
    stats = RelayStats()
    copy = stats.copy()
    stats.dropped["x"] += 1
    stats.stages["tick"].observe(0.1)
    stats.ticks += 1
    assert copy.dropped["x"] == copy.ticks == sum(copy.stages["tick"].counts) == 0
