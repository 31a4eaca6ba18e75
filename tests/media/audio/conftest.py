"""A speaker, a network and a player in virtual time, for the tests of jitter buffer and playout."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest

from media.audio.opus import FRAME, RATE, Decoder, Encoder
from media.audio.playout import Frame, Playout

TICK = FRAME / RATE


def voice(seconds: float, seed: int = 1) -> np.ndarray:
    """Pulses at a drifting pitch: enough like a vowel for concealment and FEC to have something to do."""
    n = np.arange(int(seconds * RATE))
    pitch = 120 + 20 * np.sin(2 * np.pi * 1.3 * n / RATE)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 25))
    noise = np.random.default_rng(seed).standard_normal(n.size)
    return (0.15 * sound + 0.002 * noise).astype(np.float32)


class CheapDecoder:
    """Stands in for libopus where hours are simulated: a steady tone, as long as the packet says.

    Ticks that are out of the ordinary are compiled, and go on with libopus' decoder, ``real``.
    """

    def __init__(self, real: Decoder) -> None:
        self.real = real

    def decode(self, payload: bytes) -> np.ndarray:
        from media.audio.opus import packet_samples

        return np.full(packet_samples(payload), 0.1, np.float32)

    def decode_fec(self, next_payload: bytes, samples: int) -> np.ndarray:
        return np.full(samples, 0.1, np.float32)

    def conceal(self, samples: int) -> np.ndarray:
        return np.full(samples, 0.1, np.float32)

    def reset(self) -> None:
        pass


@dataclass
class Packet:
    sequence: int
    timestamp: int
    payload: bytes
    sent: float
    arrival: float | None = None  # None: lost
    capture: int | None = None


@dataclass(repr=False)
class Line:
    """A speaker's stream through a network into a ``Playout``; ``play`` runs it tick by tick."""

    playout: Playout = field(default_factory=Playout)
    phase: float = 0.007
    frames: list[Frame] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    ticks: int = 0

    def play(self, packets: Iterable[Packet], until: float, each: Callable[[float], None] | None = None) -> None:
        waiting = sorted((p for p in packets if p.arrival is not None), key=lambda p: p.arrival)
        index = 0
        while (now := self.phase + self.ticks * TICK) < until:
            while index < len(waiting) and waiting[index].arrival <= now:
                p = waiting[index]
                self.playout.put(p.sequence & 0xFFFF, p.timestamp & 0xFFFFFFFF, p.payload, p.arrival, p.capture)
                index += 1
            if each is not None:
                each(now)
            self.frames.append(self.playout.pull(now))
            self.delays.append(self.playout.delay)
            self.ticks += 1

    def delay(self, start: float, end: float) -> float:
        """Median delay in seconds of the frames played between two times."""
        first, last = (round((t - self.phase) / TICK) for t in (start, end))
        return float(np.median(self.delays[first:last]))

    def kinds(self, start: float = 0.0, end: float = 1e9) -> dict[str, int]:
        counts: dict[str, int] = {}
        for i, frame in enumerate(self.frames):
            if start <= self.phase + i * TICK < end:
                counts[frame.kind] = counts.get(frame.kind, 0) + 1
        return counts

    def heard(self) -> np.ndarray:
        return np.concatenate([frame.pcm for frame in self.frames])


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def cheap_line() -> Line:
    made = Line()
    made.playout._decoder = CheapDecoder(made.playout._decoder)
    return made


@pytest.fixture(scope="session")
def speech_payloads() -> list[bytes]:
    """10 s of something voiced, 32 kbit/s with FEC."""
    encoder, sound = Encoder(expected_loss=0.1), voice(10.0)
    return [encoder.encode(sound[i : i + FRAME]) for i in range(0, sound.size, FRAME)]


@pytest.fixture(scope="session")
def stream(speech_payloads: list[bytes]):
    """Makes packets that leave every 20 ms and take ``way`` seconds; keep or change them in the test."""

    def make(
        seconds: float,
        way: Callable[[int], float | None] | float = 0.03,
        sequence: int = 1000,
        timestamp: int = 5000,
        drift: float = 0.0,
        start: float = 0.0,
        fec: bool = True,
    ) -> list[Packet]:
        packets = []
        for i in range(round(seconds / TICK)):
            sent = start + i * TICK * (1 + drift)
            delay = way(i) if callable(way) else way
            payload = speech_payloads[i % len(speech_payloads)] if fec else bytes([31 << 3]) + b"x" * 60
            arrival = None if delay is None else sent + delay
            packets.append(Packet(sequence + i, timestamp + FRAME * i, payload, sent, arrival))
        return packets

    return make


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Compile or load the kernels before hypothesis looks at the clock."""
    made = Playout()
    for tick in range(5):
        made.put(tick, tick * FRAME, Encoder().encode(np.zeros(FRAME)), tick * TICK)
        made.pull(tick * TICK + 0.005)
    made.buffer.due(0.1)
    made.buffer.next(0.1, FRAME)
    made.buffer.excess(0.1, 0)
    made.buffer.shortage(0.1, 0, 0)
