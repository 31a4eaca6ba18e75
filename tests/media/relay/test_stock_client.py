"""The relay as the stock aiortc client hears it, over real UDP."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

import aiortc.rtcrtpsender
import numpy as np
import pytest

from media.relay.plane import Levels, PlaneEvent, SessionDown, SessionUp
from media.relay.relay import Relay
from media.rtc import crowd, freshness
from tests.media.relay.conftest import Join
from tests.media.relay.people import Sound, steady
from tests.media.relay.sound import FRAME, RATE, Pcm, loudest, onsets, strength, tone
from tests.media.relay.wire import Wire
from tests.media.relay.world import ROOM

A, B = 440.0, 1000.0
SETTLE = 1.0
"""Seconds until a stock client plays what it is sent."""


def present(pcm: Pcm, hertz: float) -> bool:
    """A tone is there."""
    return strength(pcm, hertz) > 0.1


def absent(pcm: Pcm, hertz: float) -> bool:
    """A tone is not there."""
    return strength(pcm, hertz) < 0.01


async def test_tone_spoken_is_the_tone_heard(relay: Relay, join: Join):
    events: list[PlaneEvent] = []
    relay.subscribe(events.append)
    await join("ana", steady(A), listens=False)
    listener = await join("lea")
    await asyncio.sleep(SETTLE)
    pcm = await listener.listen(1.0)
    assert pcm.size >= 0.7 * RATE
    assert abs(loudest(pcm) - A) < 3
    assert [event.participant for event in events if isinstance(event, SessionUp)] == ["ana", "lea"]
    assert any(isinstance(event, Levels) and "ana" in event.dbov for event in events)


async def test_two_speakers_are_both_heard_and_neither_hears_itself(join: Join):
    ana, ben, listener = await join("ana", steady(A)), await join("ben", steady(B)), await join("lea")
    await asyncio.sleep(SETTLE)
    of_lea, of_ana, of_ben = await asyncio.gather(listener.listen(1.0), ana.listen(1.0), ben.listen(1.0))
    assert present(of_lea, A) and present(of_lea, B)
    assert present(of_ana, B) and absent(of_ana, A)
    assert present(of_ben, A) and absent(of_ben, B)


SILENCERS: dict[str, Callable[[Relay], Awaitable[None]]] = {
    "mute": lambda relay: relay.mute(ROOM, "ana", True),
    "revoke": lambda relay: relay.let_talk(ROOM, "ana", False),
    "remove": lambda relay: relay.drop_participant(ROOM, "ana"),
    "end": lambda relay: relay.close_room(ROOM),
}


@pytest.mark.parametrize("silence", SILENCERS.values(), ids=SILENCERS)
async def test_sound_ends_with(relay: Relay, join: Join, silence: Callable[[Relay], Awaitable[None]]):
    await join("ana", steady(A), listens=False)
    listener = await join("lea")
    await asyncio.sleep(SETTLE)
    assert present(await listener.listen(0.5), A)
    await silence(relay)
    pcm = await listener.listen(1.5)
    windows = [pcm[at : at + FRAME] for at in range(0, pcm.size - FRAME, FRAME)]
    still = sum(strength(window, A) > 0.05 for window in windows) * FRAME / RATE
    assert still < 0.4, "what the client has in its own buffer plays out, and no more"


async def test_stock_client_is_told_when_its_session_is_deleted(relay: Relay, join: Join):
    listener = await join("lea")
    await relay.drop_session("session-1")
    async with asyncio.timeout(30):
        while listener.connection.connectionState != "closed":
            await asyncio.sleep(0.01)


def bursts(hertz: float) -> Sound:
    """200 ms of a tone every 500 ms, and in between a hum that keeps packets coming."""
    return lambda frame: tone(hertz if frame % 25 < 10 else 15.0, frame)


LOSSES = {
    "one lost packet": lambda number: number == 150,
    "five per cent lost": lambda number: 125 <= number < 275 and random.Random(number).random() < 0.05,
}


@pytest.mark.parametrize("loses", LOSSES.values(), ids=LOSSES)
async def test_bursts_are_heard_to_the_last_after(join: Join, wire: Wire, loses: Callable[[int], bool]):
    """That no delay stays is held in virtual time (test_network.py): a client that stalls is late by itself."""
    wire.up = lambda number, _: loses(number)
    await join("ana", bursts(600.0), listens=False, wire=wire)
    listener = await join("lea")
    await asyncio.sleep(0.5)
    pcm = await listener.listen(8.0)
    assert wire.lost >= 1
    starts = np.array(onsets(pcm, 600.0)) / RATE
    assert starts.size >= pcm.size / RATE / 0.5 - 4
    assert starts[-1] > pcm.size / RATE - 1.5


async def test_numbers_wrap_around_on_the_way_in_and_out(monkeypatch: pytest.MonkeyPatch, join: Join):
    monkeypatch.setattr(aiortc.rtcrtpsender, "random_sequence_number", lambda: 65_500)
    monkeypatch.setattr(aiortc.rtcrtpsender, "random32", lambda: (1 << 32) - 60_000)
    high = {16: 65_500, 32: (1 << 32) - 60_000}
    monkeypatch.setattr(crowd.secrets, "randbits", lambda bits: high.get(bits) or secrets.randbelow(1 << bits))
    await join("ana", steady(A), listens=False)
    listener = await join("lea")
    await asyncio.sleep(0.5)
    pcm = await listener.listen(2.5)
    windows = [pcm[at : at + 5 * FRAME] for at in range(RATE // 2, pcm.size - 5 * FRAME, 5 * FRAME)]
    assert len(windows) >= 15
    assert min(strength(window, A) for window in windows) > 0.1


async def test_listener_that_vanishes_is_dropped(
    monkeypatch: pytest.MonkeyPatch, relay: Relay, join: Join, wire: Wire
):
    monkeypatch.setattr(freshness, "LIFE_TIMEOUT", 7.0)  # aiortc checks every 4 to 6 s
    downs: list[SessionDown] = []
    relay.subscribe(lambda event: downs.append(event) if isinstance(event, SessionDown) else None)
    await join("lea", wire=wire)
    stays = await join("max")
    async with asyncio.timeout(30):
        while relay.stats().listeners < 2:  # the client is connected a moment before the relay is
            await asyncio.sleep(0.02)
    wire.cut = True
    async with asyncio.timeout(40):
        while not downs:
            await asyncio.sleep(0.05)
    assert [(down.participant, down.reason) for down in downs] == [("lea", "consent lost")]
    await asyncio.sleep(0.05)
    assert relay.stats().listeners == 1
    assert stays.connection.connectionState == "connected"
