"""People with the stock aiortc client, over real UDP to a relay."""

import asyncio
import time
from collections.abc import Callable

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from media.relay.plane import DataPlane
from tests.media.relay.sound import FRAME, RATE, Pcm, tone

Sound = Callable[[int], Pcm]
"""The n-th 20 ms of what someone says."""


def steady(hertz: float) -> Sound:
    """A tone without end."""
    return lambda frame: tone(hertz, frame)


class Microphone(MediaStreamTrack):
    """A sound, 20 ms at a time, on an absolute schedule."""

    kind = "audio"

    def __init__(self, says: Sound) -> None:
        super().__init__()
        self._says = says
        self._frame = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        """The next frame, when it is time for it."""
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._frame * FRAME / RATE - time.monotonic()))
        pcm = (self._says(self._frame) * 32_767).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, self._frame * FRAME
        self._frame += 1
        return frame


class Person:
    """One aiortc connection; :attr:`heard` fills while it is open."""

    def __init__(self, says: Sound | None = None, listens: bool = True) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._says, self._listens = says, listens
        self._frames: list[Pcm] = []
        self._listening: asyncio.Task[None] | None = None
        self.connection.on("track", self._on_track)

    async def join(
        self,
        relay: DataPlane,
        room: str,
        participant: str,
        session: str,
        change_answer: Callable[[str], str] = str,
    ) -> None:
        """Offer, be answered, connect."""
        connection = self.connection
        if self._says:
            direction = "sendrecv" if self._listens else "sendonly"
            connection.addTransceiver(Microphone(self._says), direction=direction)
        else:
            connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await relay.add_session(room, participant, session, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(change_answer(answer), "answer"))
        async with asyncio.timeout(10):
            while connection.connectionState != "connected":
                await asyncio.sleep(0.01)

    def heard(self) -> Pcm:
        """All sound so far, mono float32."""
        return np.concatenate([*self._frames, np.zeros(0, np.float32)])

    def forget(self) -> None:
        """Start listening anew."""
        self._frames.clear()

    async def listen(self, seconds: float) -> Pcm:
        """The sound of the next while; shorter if nothing comes."""
        self.forget()
        await asyncio.sleep(seconds)
        return self.heard()

    async def leave(self) -> None:
        """Close the connection."""
        await self.connection.close()
        if self._listening:
            self._listening.cancel()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.ensure_future(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
            self._frames.append(samples.mean(axis=1).astype(np.float32) / 32_768)
