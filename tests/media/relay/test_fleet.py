"""Relays as processes: the interface over a socket, a death that only its own listeners notice, no orphans."""

import asyncio
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path

import aioice.ice
import pytest

from media.relay.fleet import RelayFleet
from media.relay.messages import Splitter, frame, link_of, stats_of
from media.relay.plane import (
    Link,
    OfferError,
    PlaneError,
    PlaneEvent,
    RelayLostError,
    SessionDown,
    SessionUp,
)
from media.relay.port import PortTakenError, bind
from media.relay.remote import RemoteRelay
from media.relay.stats import Histogram, RelayStats, total
from media.rtc.client import Client
from tests.media.relay.people import Person, steady
from tests.media.relay.sound import strength
from tests.media.relay.world import ROOM
from tests.media.rtc.pair import identity

A = 440.0


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves it out; here it is all there is."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture
async def fleet() -> AsyncIterator[RelayFleet]:
    """Two processes, of which the first is full with two sessions; nothing is left of them."""
    made = RelayFleet("127.0.0.1", 0, 2, listeners_per_relay=2)
    await made.start()
    yield made
    pids = [slot.relay.pid for slot in made.slots if slot.relay]
    await made.refresh()
    assert made.stats().faults == 0
    await made.stop()
    assert not [pid for pid in pids if alive(pid)]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def offer() -> str:
    return Client(identity(1), "recvonly").offer


async def until(condition: object) -> None:
    async with asyncio.timeout(20):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_a_space_on_two_processes_outlives_either(fleet: RelayFleet):
    events: list[PlaneEvent] = []
    fleet.subscribe(events.append)
    await fleet.open_room(ROOM)
    await fleet.let_talk(ROOM, "ana", True)
    ana, lea, max_, kim = Person(steady(A)), Person(), Person(), Person()
    await ana.join(fleet, ROOM, "ana", "ana")
    await lea.join(fleet, ROOM, "lea", "lea")
    await max_.join(fleet, ROOM, "max", "max")
    assert [fleet.load(index) for index in (0, 1)] == [2, 1]
    assert {event.session for event in events if isinstance(event, SessionUp)} == {"ana", "lea", "max"}
    await max_.listen(0.4)
    assert strength(await max_.listen(0.5), A) > 0.1

    await fleet.refresh()
    before = fleet.stats()
    assert (before.processes, before.sessions, before.rooms, before.linked_rooms) == (2, 3, 1, 1)
    assert before.process_cpu_seconds > before.cpu_seconds > 0 and before.resident_bytes > 1 << 20

    home = fleet.slots[0].relay
    assert home is not None
    os.kill(home.pid, signal.SIGKILL)
    await until(lambda: fleet.load(0) == 0)
    lost = {(event.session, event.reason) for event in events if isinstance(event, SessionDown)}
    assert lost == {("ana", "relay lost"), ("lea", "relay lost")}
    await fleet.settle()
    again = Person(steady(A))
    await again.join(fleet, ROOM, "ana", "ana again")  # her right and the room have moved to the other relay
    assert fleet.load(1) == 2
    await max_.listen(0.4)
    assert strength(await max_.listen(0.5), A) > 0.1, "who was on the other relay hears on, on the same session"

    await until(lambda: fleet.slots[0].relay)
    assert fleet.slots[0].restarts == 1
    await kim.join(fleet, ROOM, "kim", "kim")
    assert fleet.load(0) == 1, "the new process takes listeners, on a link from the new home"
    await kim.listen(0.4)
    assert strength(await kim.listen(0.5), A) > 0.1
    await fleet.refresh()
    after = fleet.stats()
    assert (after.processes, after.sessions) == (2, 3)
    assert after.packets > before.packets and after.ticks > before.ticks, "counters never go back"
    await fleet.close_room(ROOM)
    await until(lambda: fleet.load(0) == fleet.load(1) == 0)
    for person in (ana, lea, max_, kim, again):
        await person.leave()


async def test_commands_refusals_and_a_goodbye_over_the_socket():
    relay = RemoteRelay(bind("127.0.0.1", 0))
    await relay.start()
    downs: list[PlaneEvent] = []
    relay.subscribe(downs.append)
    with pytest.raises(PlaneError, match="not open"):
        await relay.add_session(ROOM, "lea", "one", offer())
    await relay.open_room(ROOM)
    with pytest.raises(OfferError, match="no audio"):
        await relay.add_session(ROOM, "lea", "one", "v=0\n")
    answers = await asyncio.gather(*(relay.add_session(ROOM, "lea", str(n), offer()) for n in range(20)))
    assert len(set(answers)) == 20
    assert all(f" {relay.address[1]} typ host" in answer for answer in answers)
    await relay.drop_session("0")
    assert downs == [SessionDown(ROOM, "lea", "0", "deleted")]
    await relay.drop_participant(ROOM, "lea")
    await until(lambda: len(downs) == 20)
    await relay.add_session(ROOM, "lea", "last", offer())
    await relay.stop()
    assert downs[-1] == SessionDown(ROOM, "lea", "last", "shutdown")
    assert not alive(relay.pid)
    with pytest.raises(RelayLostError):
        await relay.open_room(ROOM)


async def test_relay_that_is_killed_fails_what_waits_for_it_and_is_reaped():
    lost = asyncio.Event()
    relay = RemoteRelay(bind("127.0.0.1", 0), on_lost=lost.set)
    await relay.start()
    os.kill(relay.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(relay.open_room(ROOM))
    await asyncio.sleep(0)
    os.kill(relay.pid, signal.SIGKILL)
    with pytest.raises(RelayLostError, match="join again"):
        await waiting
    await asyncio.wait_for(lost.wait(), 30)
    assert not relay.ready and not alive(relay.pid)


async def test_relay_whose_parent_is_gone_ends():
    relay = RemoteRelay(bind("127.0.0.1", 0))
    await relay.start()
    relay._transport.abort()  # type: ignore[attr-defined]
    await asyncio.wait_for(relay._watching, 10)
    assert not alive(relay.pid)


async def test_port_that_is_taken_is_named_and_the_others_are_free_again():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        fleet = RelayFleet("127.0.0.1", port - 1, 2)
        with pytest.raises(PortTakenError) as refused:
            fleet.bind()
        assert refused.value.port == port
        bind("127.0.0.1", port - 1).close()


async def test_start_that_is_given_up_leaves_no_process():
    before = children()
    fleet = RelayFleet("127.0.0.1", 0, 2)
    starting = asyncio.create_task(fleet.start())
    await asyncio.sleep(0.3)
    starting.cancel()
    await asyncio.wait([starting])
    assert not fleet.ready and not fleet.slots
    assert children() == before


@pytest.mark.parametrize("piece", [1, 7, 1 << 16, 1 << 20])
def test_messages_survive_the_way(piece: int):
    link = Link(ROOM, "ana", ("127.0.0.1", 1), ("127.0.0.1", 2), 3, bytes(range(28)))
    stats = RelayStats(sessions=3, cpu_seconds=0.1, dropped=Counter({"no session": 5}))
    stats.stages["tick"].observe(0.1)
    stream = b"".join((frame(1, "feed", link), frame("done", 1, stats), frame("ä" * 7_000), frame("cut")[:-1]))
    splitter = Splitter()
    for start in range(0, len(stream), piece):
        splitter.feed(stream[start : start + piece])
    got = [message for _ in range(4) if (message := splitter.next())]
    assert link_of(got[0][2]) == link
    assert stats_of(got[1][2]) == stats
    assert got[2:] == [["ä" * 7_000]]


def test_several_relays_are_as_one():
    one = RelayStats(ticks=5, listeners=2, tick_late_max=0.1, dropped=Counter(a=1))
    other = RelayStats(ticks=7, listeners=3, tick_late_max=0.2, dropped=Counter(a=1, b=2))
    for stats in (one, other):
        stats.stages["mix"] = Histogram()
        stats.stages["mix"].observe(0.5)
    whole = total([one, other])
    assert (whole.processes, whole.ticks, whole.listeners, whole.tick_late_max) == (2, 12, 5, 0.2)
    assert whole.dropped == Counter(a=2, b=2)
    assert (sum(whole.stages["mix"].counts), whole.stages["mix"].total) == (2, 1.0)
    past = whole.past()
    assert (past.processes, past.ticks, past.listeners, past.tick_late_max) == (0, 12, 0, 0)
    assert {field.name for field in fields(RelayStats)} == set(vars(total([])))


def children() -> set[str]:
    """Processes of this one, a server of other tests among them."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
