"""The voices of the swarm: shipped speech, sent in talk-spurts after ITU-T P.59, on a 20 ms schedule.

The speech is encoded beforehand, so a speaker costs one header and one SRTP protect per packet. Between
talk-spurts nothing is sent, as a browser with DTX does: the sequence goes on, the timestamp jumps.
"""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from loadtest.voice import FRAME, TICK, Clip
from media.rtc.client import EXTENSION_IDS, PAYLOAD_TYPE, Client
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI, RtpPacket, build_rtp, ntp_time
from sim.conversation import talk_spurts

_HORIZON = 600.0
"""Seconds of talk-spurts drawn at a time."""


class Voice:
    """One speaker's mouth."""

    def __init__(
        self, client: Client, send: Callable[[bytes], None], clip: Clip, seed: int, continuous: bool
    ) -> None:
        assert client.transport is not None and client.transport.sender is not None
        self._sender = client.transport.sender
        self._ssrc = client.ssrc
        self._send = send
        self._clip = clip
        self._rng = np.random.default_rng(seed)
        self._continuous = continuous
        self._spurts: list[tuple[int, int]] = []
        self._drawn_until = 0
        self._tick = 0
        self._next_packet = int(self._rng.integers(len(clip.packets)))
        self._sequence = int(self._rng.integers(1 << 16))
        self._timestamp = int(self._rng.integers(1 << 32))
        self._spoke = False
        self.packets = 0

    def tick(self, wall: float) -> None:
        """Send this tick's packet, if the person is talking."""
        talking = self._talking()
        self._tick += 1
        self._timestamp = (self._timestamp + FRAME) & 0xFFFF_FFFF
        if talking:
            at = self._next_packet
            extensions = {
                EXTENSION_IDS[AUDIO_LEVEL_URI]: bytes([0x80 | min(127, -int(self._clip.levels[at]))]),
                EXTENSION_IDS[CAPTURE_TIME_URI]: ntp_time(wall).to_bytes(8, "big"),
            }
            payload, marker = self._clip.packets[at], not self._spoke
            packet = RtpPacket(
                PAYLOAD_TYPE, self._sequence, self._timestamp, self._ssrc, payload, marker, extensions
            )
            self._send(self._sender.protect(build_rtp(packet)))
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._next_packet = (at + 1) % len(self._clip.packets)
            self.packets += 1
        self._spoke = talking

    def _talking(self) -> bool:
        if self._continuous:
            return True
        while self._spurts and self._tick >= self._spurts[0][1]:
            self._spurts.pop(0)
        if not self._spurts:
            spurts = talk_spurts(self._rng, _HORIZON)
            ticks = np.round(spurts / TICK).astype(int)
            self._spurts = [
                (self._drawn_until + start, self._drawn_until + start + length) for start, length in ticks.tolist()
            ]
            self._drawn_until += int(_HORIZON / TICK)
        return bool(self._spurts) and self._spurts[0][0] <= self._tick


class Voices:
    """All speakers of one engine, on one thread with an absolute schedule."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._clips = clips
        self._voices: dict[int, Voice] = {}
        self._lock = threading.Lock()
        self._stopping = self._hushed = False
        self._late_max = 0.0
        self._thread = threading.Thread(target=self._run, name="voices", daemon=True)

    def start(self) -> None:
        """Begin the schedule."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping = True
        self._thread.join()

    def add(self, key: int, client: Client, send: Callable[[bytes], None], seed: int, continuous: bool) -> None:
        """Let a connected client speak; ``seed`` decides what it says and when."""
        voice = Voice(client, send, self._clips[seed % len(self._clips)], seed, continuous)
        with self._lock:
            self._voices[key] = voice

    def hush(self, hushed: bool) -> None:
        """Let all speakers hold their breath, or go on."""
        self._hushed = hushed

    def remove(self, key: int) -> None:
        """Fall silent; when this returns, the client's SRTP context is no longer used here."""
        with self._lock:
            self._voices.pop(key, None)

    @property
    def packets(self) -> int:
        """Packets sent by those who speak now."""
        with self._lock:
            return sum(voice.packets for voice in self._voices.values())

    def take_late_max(self) -> float:
        """Largest lateness of a tick in seconds since the last call."""
        late, self._late_max = self._late_max, 0.0
        return late

    def _run(self) -> None:
        due = time.monotonic() + TICK
        while not self._stopping:
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
                now = time.monotonic()
            self._late_max = max(self._late_max, now - due)
            wall = time.time() - (now - due)
            with self._lock:
                for voice in () if self._hushed else self._voices.values():
                    voice.tick(wall)
            due += TICK
