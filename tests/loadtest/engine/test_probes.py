"""From probe to probe over a real relay: what one says the other hears, when it should, and as it should."""

import asyncio
import time
from collections.abc import AsyncIterator

import aioice.ice
import httpx
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from loadtest.engine.chirp import CYCLE, add_chirps
from loadtest.engine.chirp_ear import ChirpEar, Delay
from loadtest.engine.member import JoinError
from loadtest.engine.netem import Netem, UniformLoss
from loadtest.engine.probe import ListeningProbe, SpeakingProbe
from loadtest.engine.probes import Probes, encode, soon, speech
from loadtest.lab import Server
from loadtest.venue import Host, Venue
from loadtest.voice import TICK, Clip, clips
from media.audio.opus import FRAME, Pcm

CODECS = 2 * 0.0065
"""Seconds that two encoders look ahead: the speaker's and the relay's."""


@pytest.fixture
async def probes() -> AsyncIterator[Probes]:
    made = Probes()
    made.start()
    yield made
    await made.stop()
    assert made.clockwork.failure is None


@pytest.fixture(scope="module")
def clip() -> Clip:
    return encode("chirps", add_chirps(0.3 * speech(clips()[0])[: 8 * CYCLE]))


async def pair(
    probes: Probes, venue: Venue, clip: Clip, up: Netem | None = None, down: Netem | None = None
) -> tuple[SpeakingProbe, ListeningProbe]:
    speaker = await probes.speaker(venue.whip, venue.speaker_tokens[0], clip, up)
    listener = await probes.listener(venue.whep, down)
    await probes.speak(speaker, soon(0.0))
    await probes.listen(listener, soon(0.01))
    return speaker, listener


async def hear(speaker: SpeakingProbe, listener: ListeningProbe, seconds: float) -> list[Delay]:
    await asyncio.sleep(seconds)
    ear = ChirpEar(lambda sample: speaker.start + sample * speaker.period / FRAME)
    return ear.put(*listener.take())


async def test_probe_hears_probe_with_a_plausible_delay_that_all_clocks_agree_on(
    probes: Probes, venue: Venue, clip: Clip
):
    speaker, listener = await pair(probes, venue, clip)
    delays = await hear(speaker, listener, 4.0)
    probes.check()
    seconds = np.array([each.seconds for each in delays[2:]])
    assert seconds.size >= 8
    usual = float(np.nanmedian(seconds))
    assert TICK + CODECS < usual < 0.3
    added = np.array([arrival - speaker.left_with(capture) for arrival, capture in listener.marks])
    assert added.size >= 10
    assert np.mean(added > 0) > 0.8, "nothing leaves before it is there, unless a probe was held up"
    assert TICK + CODECS + np.median(added) < usual + 0.001, "what the relay adds is part of mouth to ear"


async def test_what_comes_too_late_to_be_played_is_not_lost(probes: Probes, venue: Venue, clip: Clip):
    _, listener = await pair(probes, venue, clip, down=Netem(3, jitter=0.3, reorders=True))
    await asyncio.sleep(2.0)
    listener.down = Netem(0)
    await asyncio.sleep(0.5)
    assert listener.playout.counters.lost > 0, "not there when they were to be played"
    assert listener.lost == 0, "but all of them came"


class StockEar:
    """The stock aiortc client as a listener; keeps when it was given what, as a sound card would play it."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.on("track", lambda track: setattr(self, "task", asyncio.ensure_future(self.play(track))))
        self.frames: list[tuple[float, Pcm]] = []

    async def join(self, url: str) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        async with httpx.AsyncClient() as http:
            answer = await http.post(url, content=offer, headers={"Content-Type": "application/sdp"})
        await self.connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        async with asyncio.timeout(10):
            while self.connection.connectionState != "connected":
                await asyncio.sleep(0.01)

    async def play(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            pcm = frame.to_ndarray().reshape(-1, len(frame.layout.channels)).mean(axis=1) / 32_768
            self.frames.append((time.monotonic(), pcm.astype(np.float32)))

    async def leave(self) -> None:
        await self.connection.close()
        self.task.cancel()


async def test_the_stock_client_hears_the_same_chirps_later_by_what_it_buffers(
    monkeypatch: pytest.MonkeyPatch, probes: Probes, venue: Venue, clip: Clip
):
    """aiortc plays when it has 4 packets, where a probe waits for what the jitter asks for."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    stock = StockEar()
    await stock.join(venue.whep)
    speaker, listener = await pair(probes, venue, clip)
    delays = await hear(speaker, listener, 4.0)
    await stock.leave()
    usual = float(np.nanmedian([each.seconds for each in delays[2:]]))
    steady = [(when, pcm) for when, pcm in stock.frames if when > speaker.start + 1.0]
    begun = min(when - number * TICK for number, (when, _) in enumerate(steady))
    ear = ChirpEar(lambda sample: speaker.start + sample * speaker.period / FRAME)
    theirs = float(np.nanmedian([each.seconds for each in ear.put(begun, np.concatenate([p for _, p in steady]))]))
    assert usual - TICK < theirs < usual + 0.2


async def test_a_slow_way_up_is_heard_and_is_not_the_relays(probes: Probes, venue: Venue, clip: Clip):
    speaker, listener = await pair(probes, venue, clip, up=Netem(1, delay=0.3), down=Netem(2, delay=0.1))
    delays = await hear(speaker, listener, 4.0)
    assert 0.4 + TICK + CODECS < float(np.nanmedian([each.seconds for each in delays[4:]])) < 0.7
    added = np.array([arrival - speaker.left_with(capture) for arrival, capture in listener.marks])
    assert 0.1 < float(np.nanmedian(added)) < 0.3, "from the relay's port to the listener's ear, network included"


@pytest.mark.parametrize("way", ["up", "down"])
async def test_losses_cost_sound_where_they_happen(probes: Probes, venue: Venue, clip: Clip, way: str):
    path = Netem(5, UniformLoss(0.2))
    speaker, listener = await pair(
        probes, venue, clip, up=path if way == "up" else None, down=path if way == "down" else None
    )
    await hear(speaker, listener, 1.5)
    left = np.array(speaker.left[:])
    assert 0 < path.lost < path.sent
    if way == "up":
        assert np.isnan(left[: path.sent - 1]).sum() == pytest.approx(path.lost, abs=1)
    else:
        assert not np.isnan(left[:-1]).any()
        assert listener.playout.counters.lost > 0


async def test_a_fast_clock_is_heard_as_one(probes: Probes, venue: Venue, clip: Clip):
    speaker = await probes.speaker(venue.whip, venue.speaker_tokens[0], clip, drift_ppm=10_000)
    await probes.speak(speaker, soon(0.0))
    await asyncio.sleep(1.0)
    elapsed = time.monotonic() - speaker.start
    assert len(speaker.left) == pytest.approx(elapsed / (TICK / 1.01), abs=5)


async def test_a_session_that_ends_is_told(probes: Probes, host: Host, venue: Venue, clip: Clip):
    await pair(probes, venue, clip)
    host.close()
    async with asyncio.timeout(30):
        with pytest.raises(JoinError, match="a probe's session has ended"):
            while True:
                probes.check()
                await asyncio.sleep(0.05)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_probes_whose_thread_has_ended_say_so_and_can_still_be_ended(venue: Venue, clip: Clip):
    probes = Probes()
    probes.start()
    _, listener = await pair(probes, venue, clip)

    def fail() -> None:
        raise ZeroDivisionError

    probes.clockwork.call(fail)
    async with asyncio.timeout(10):
        probes.clockwork.join()
        with pytest.raises(JoinError, match="ZeroDivisionError"):
            probes.check()
        await probes.stop()
    assert listener.client.transport and listener.client.transport.sender is None, "everything is freed"


async def test_probes_that_cannot_join_say_why(probes: Probes, server: Server, venue: Venue, clip: Clip):
    with pytest.raises(JoinError, match="HTTP 401"):
        await probes.speaker(venue.whip, "nonsense", clip)
    with pytest.raises(JoinError, match="HTTP 404"):
        await probes.speaker(f"{server.base}/spaces/none/whip", venue.speaker_tokens[0], clip)
    with pytest.raises(JoinError, match="HTTP: "):
        await probes.listener("http://127.0.0.1:9/spaces/none/whep")
