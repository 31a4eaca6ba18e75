"""A relay's process as the control plane sees it: events in turns, hangs noticed, compiling told."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from numba import njit
from numba.core.event import unregister

from media.relay.compile_progress import INTERVAL, CompileProgress
from media.relay.control import Control
from media.relay.fleet import RelayFleet
from media.relay.liveness import SILENCE
from media.relay.messages import Splitter, event_frame, frame
from media.relay.plane import RELAY_LOST, PlaneEvent, RelayLostError, SessionDown
from media.relay.port import bind
from media.relay.remote import MESSAGES, RemoteRelay, _Wire
from media.relay.warming import LateCompiles, Warming, kernel_count
from media.rtc.client import Client
from tests.media.relay.world import ROOM
from tests.media.rtc.pair import identity


def down(number: int) -> SessionDown:
    return SessionDown(ROOM, "lea", str(number), "room closed")


async def test_thousands_of_events_are_taken_a_few_in_each_turn_and_in_order():
    taken: list[int] = []
    wire = _Wire(lambda _, __, *fields: taken.append(int(fields[2])), lambda: None)
    wire.data_received(b"".join(event_frame(down(number)) for number in range(2_000)))
    counts = [len(taken)]
    wire.connection_lost(None)
    assert not wire.gone.done(), "what was said before the end is heard first"
    while not wire.gone.done():
        await asyncio.sleep(0)
        counts.append(len(taken))
    assert max(later - before for before, later in pairwise(counts)) == MESSAGES
    assert counts[0] == MESSAGES and taken == list(range(2_000))


async def test_message_that_cannot_be_taken_does_not_keep_the_next_back():
    taken: list[str] = []

    def take(kind: str) -> None:
        if kind == "odd":
            raise ValueError("made for this test")
        taken.append(kind)

    wire = _Wire(take, lambda: None)
    with pytest.raises(ValueError, match="made for this test"):
        wire.data_received(frame("odd") + frame("even"))
    await asyncio.sleep(0)
    assert taken == ["even"]


@pytest.fixture
async def fleet() -> AsyncIterator[RelayFleet]:
    """Two processes; the first is full with one session."""
    made = RelayFleet("127.0.0.1", 0, 2, listeners_per_relay=1)
    await made.start()
    yield made
    await made.stop()


async def add(fleet: RelayFleet, participant: str, session: str) -> str:
    return await fleet.add_session(ROOM, participant, session, Client(identity(1), "recvonly").offer)


async def test_relay_that_hangs_is_ended_and_its_rooms_move(fleet: RelayFleet):
    events: list[PlaneEvent] = []
    fleet.subscribe(events.append)
    await fleet.open_room(ROOM)
    await add(fleet, "lea", "one")
    await add(fleet, "max", "two")
    home = fleet._rooms[ROOM].home
    assert home is not None
    process = fleet.slots[home].relay
    assert process is not None
    async with asyncio.timeout(60):
        while fleet.stats().sessions < 2:
            await fleet.refresh()
    os.kill(process.pid, signal.SIGSTOP)
    muted = asyncio.create_task(fleet.mute(ROOM, "ana", True))
    await fleet.refresh()
    assert fleet.stats().sessions == 2, "monitoring says what is known"
    with pytest.raises(RelayLostError, match="did not answer any more and was ended; join again"):
        await process.open_room("another")
    await muted
    await fleet.settle()
    moved = fleet._rooms[ROOM].home
    assert moved is not None and moved != home
    downs = [event for event in events if isinstance(event, SessionDown)]
    assert downs == [SessionDown(ROOM, "lea", "one", RELAY_LOST)], "the other relay's listener heard on"
    await add(fleet, "lea", "three")
    async with asyncio.timeout(60):
        while fleet.slots[home].restarts == 0:
            await asyncio.sleep(0.05)


async def test_event_loop_that_stands_still_itself_ends_no_relay(fleet: RelayFleet):
    pids = [slot.relay.pid for slot in fleet.slots if slot.relay]
    time.sleep(2 * SILENCE)
    await asyncio.sleep(SILENCE)
    await fleet.open_room(ROOM)
    assert [slot.relay.pid for slot in fleet.slots if slot.relay] == pids


async def test_relay_that_hangs_while_it_starts_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("media.relay.remote.STARTING_SILENCE", 1.0)
    relay = RemoteRelay(port := _port())
    starting = asyncio.create_task(relay.start())
    await asyncio.sleep(0)
    os.kill(relay.pid, signal.SIGSTOP)
    with pytest.raises(RelayLostError, match="did not answer"):
        await starting
    port.close()


def _port() -> socket.socket:
    return bind("127.0.0.1", 0)


async def test_relay_says_that_it_lives_and_what_it_compiles(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("media.relay.warming.INTERVAL", 0.01)
    ours, theirs = socket.socketpair()
    ended: list[int] = []
    warming = Warming(Control(theirs), ended.append)

    def messages(until: str) -> list[list[object]]:
        splitter, got = Splitter(), []
        while not got or got[-1][0] != until:
            splitter.feed(ours.recv(1 << 16))
            while (message := splitter.next()) is not None:
                got.append(message)
        return got

    @njit
    def kernel(value: int) -> int:
        return value + 1

    with warming:
        assert messages("alive")
        assert kernel(1) == 2
        kind, number, total, name = messages("compiling")[-1]
        assert (kind, number, name) == ("compiling", 1, "kernel")
        assert total == kernel_count() > 50
        ours.close()
        async with asyncio.timeout(20):
            while not ended:
                await asyncio.sleep(0.01)
    assert ended[0] == 0, "without a parent it goes on no longer"


async def test_kernel_that_is_compiled_late_is_told_before_the_silence(caplog: pytest.LogCaptureFixture):
    ours, theirs = socket.socketpair()
    late = LateCompiles(Control(theirs))

    @njit
    def kernel(value: int) -> int:
        return value + 2

    try:
        assert kernel(1) == 3
    finally:
        unregister("numba:compile", late)
    splitter = Splitter()
    splitter.feed(ours.recv(1 << 16))
    assert splitter.next() == ["compiling", 1, 1, "kernel"]
    assert "the kernel kernel is compiled while the relay runs" in caplog.text


def test_progress_is_a_line_now_and_then_in_the_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    now = 0.0
    progress = CompileProgress("relay 0", terminal=False, clock=lambda: now)
    for number in range(1, 101):
        progress.show(number, 100, f"kernel{number}")
        now += INTERVAL / 10
    progress.close()
    first, *lines = [record.message for record in caplog.records]
    assert "only the first start does" in first
    assert lines == [f"relay 0 compiles kernel {number} of 100: kernel{number}" for number in range(1, 101, 10)]


def test_progress_is_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    progress = CompileProgress("relay 0", terminal=True)
    progress.show(1, 4, "first")
    progress.show(4, 4, "last")
    progress.close()
    assert "relay 0: compiling: 100%" in capsys.readouterr().err
    assert "compiles kernel" not in caplog.text
