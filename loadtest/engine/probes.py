"""The probes of one process: they join like anybody else, over HTTP, and then live on the clockwork's thread."""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urljoin

import httpx
import numpy as np

from loadtest.engine.clockwork import Clockwork
from loadtest.engine.member import JoinError
from loadtest.engine.netem import Netem
from loadtest.engine.probe import ListeningProbe, Probe, SpeakingProbe, Witness
from loadtest.voice import TICK, Clip
from media.audio.levels import level_dbov
from media.audio.opus import FRAME, Decoder, Encoder, Pcm
from media.rtc.description import SdpError
from media.rtc.dtls import Identity

TIMEOUT = 15.0
"""Seconds for an HTTP answer, and for a connection."""
LEAD = 0.1
"""Seconds until :func:`soon`, so that the first tick is not late."""


ALIVE = 0.5
"""Seconds between two looks at whether the clockwork's thread still runs."""


class Probes:
    """Makes probes and ends them. Use from one event loop, between :meth:`start` and :meth:`stop`."""

    def __init__(self) -> None:
        self.clockwork = Clockwork()
        self._identity = Identity()
        self._probes: list[tuple[Probe, str]] = []

    def start(self) -> None:
        """Begin."""
        self.clockwork.start()
        self._http = httpx.AsyncClient(timeout=TIMEOUT)

    async def stop(self) -> None:
        """Leave every Space and free everything."""
        for probe, resource in self._probes:
            await self._do(probe.close)
            try:
                await self._http.delete(resource)
            except httpx.HTTPError:
                continue  # the server is gone, and the session with it
        await self._http.aclose()
        self.clockwork.stop()

    async def speaker(
        self, url: str, token: str, clip: Clip, up: Netem | None = None, drift_ppm: float = 0.0
    ) -> SpeakingProbe:
        """Join by WHIP at ``url`` to say ``clip`` over and over; ``up`` is the network on the way to the relay.

        :raises JoinError: it failed, and nothing is left behind.
        """
        probe = SpeakingProbe(self.clockwork, self._identity, clip, up or Netem(0), drift_ppm)
        await self._join(probe, url, token)
        return probe

    async def listener(self, url: str, down: Netem | None = None) -> ListeningProbe:
        """Join by WHEP at ``url``; ``down`` is the network on the way from the relay. Raises as above."""
        probe = ListeningProbe(self.clockwork, self._identity, down or Netem(0))
        await self._join(probe, url, None)
        return probe

    async def witness(self, url: str) -> Witness:
        """Join by WHEP at ``url`` to note packets only. Raises as above."""
        probe = Witness(self.clockwork, self._identity)
        await self._join(probe, url, None)
        return probe

    async def speak(self, speaker: SpeakingProbe, start: float) -> None:
        """Let it begin: its first sample is captured at ``start``, in the future on ``time.monotonic``."""
        await self._do(lambda: speaker.speak(start))

    async def listen(self, listener: ListeningProbe, start: float) -> None:
        """Let it begin: its first sample is played at ``start``."""
        await self._do(lambda: listener.listen(start))

    def check(self) -> None:
        """:raises JoinError: a probe's session has ended, or their thread; no figure is worth anything then."""
        if self.clockwork.failure:
            raise JoinError(f"the probes' thread ended: {self.clockwork.failure!r}")
        for probe, _ in self._probes:
            if probe.ended:
                raise JoinError(f"a probe's session has ended: {probe.ended}")

    async def _join(self, probe: Probe, url: str, token: str | None) -> None:
        headers = {"Content-Type": "application/sdp"} | ({"Authorization": f"Bearer {token}"} if token else {})
        loop = asyncio.get_running_loop()
        connected = asyncio.Event()

        def connect() -> None:
            loop.call_soon_threadsafe(connected.set)

        probe.connected = connect
        try:
            answer = await self._http.post(url, content=probe.client.offer, headers=headers)
            if answer.status_code != 201:
                raise JoinError(f"HTTP {answer.status_code}: {answer.text[:300]}")
            await self._do(lambda: probe.accept(answer.text))
            async with asyncio.timeout(TIMEOUT):
                await connected.wait()
        except httpx.HTTPError as error:
            await self._do(probe.close)
            raise JoinError(f"HTTP: {error or type(error).__name__}") from error
        except (SdpError, TimeoutError) as error:
            await self._do(probe.close)
            raise JoinError(f"connection: {error or 'the relay does not answer'}") from error
        if probe.ended:
            await self._do(probe.close)
            raise JoinError(f"connection: {probe.ended}")
        self._probes.append((probe, urljoin(url, answer.headers["Location"])))

    async def _do(self, action: Callable[[], None]) -> None:
        """Have it done on the clockwork's thread, or here if that has ended; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def act() -> None:
            try:
                action()
            except Exception as error:
                loop.call_soon_threadsafe(done.set_exception, error)
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        self.clockwork.call(act)
        while not done.done():
            await asyncio.wait([done], timeout=ALIVE)
            if not done.done() and not self.clockwork.is_alive():
                return action()
        return done.result()


def speech(clip: Clip) -> Pcm:
    """The sound of a shipped clip, shape (samples,)."""
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet) for packet in clip.packets])


def encode(name: str, sound: Pcm) -> Clip:
    """``sound``, of shape (samples,), whole frames of 20 ms, as Chromium would send it, to be said over and over.

    Mono, 32 kbit/s, complexity 9, in-band FEC for 10 % loss. It is encoded twice and the second pass kept, whose
    first packet follows on the last one of the first: so repeating it makes no break.
    """
    encoder = Encoder(bitrate=32_000, complexity=9, expected_loss=0.1)
    frames = sound.reshape(-1, FRAME)
    for frame in frames:
        encoder.encode(frame)
    packets = tuple(encoder.encode(frame) for frame in frames)
    levels = np.array([round(level_dbov(frame)) for frame in frames], np.int8)
    return Clip(name, packets, levels)


def soon(phase: float) -> float:
    """The next moment but a few that is a multiple of 20 ms plus ``phase`` (seconds) on ``time.monotonic``."""
    return (int((time.monotonic() + LEAD - phase) / TICK) + 1) * TICK + phase
