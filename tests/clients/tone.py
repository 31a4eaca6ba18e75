"""Proof that what was heard is the tone that was spoken."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.audio.opus import Decoder, Encoder
from tests.media.relay.sound import FRAME, RATE, loudest, tone

Pcm = npt.NDArray[np.float32]
LOUD = 0.05
"""Amplitude of the tone in a window, from which on it counts as heard; it is spoken with 0.3."""


@dataclass(frozen=True)
class Heard:
    """A tone in what a listener heard, in windows of 20 ms."""

    seconds: float
    """For how long the tone was there."""
    share: float
    """Of the windows from the first in which it was there to the last."""
    loudest: float
    """Hertz of the strongest line between those."""


def heard_in(pcm: Pcm, hertz: float) -> Heard:
    """Look for a tone."""
    count = pcm.size // FRAME
    windows = pcm[: count * FRAME].reshape(count, FRAME)
    carrier = np.exp(-2j * np.pi * hertz * np.arange(FRAME) / RATE)
    loud = np.flatnonzero(np.abs(windows @ carrier) * 2 / FRAME > LOUD)
    if not loud.size:
        return Heard(0.0, 0.0, loudest(pcm) if pcm.size else 0.0)
    spoken = windows[loud[0] : loud[-1] + 1]
    return Heard(loud.size * FRAME / RATE, loud.size / len(spoken), loudest(np.concatenate(list(spoken))))


def opus_tone(hertz: float, seconds: float) -> bytes:
    """Opus packets of 20 ms, each after its length in two bytes."""
    encoder = Encoder()
    packets = [encoder.encode(tone(hertz, frame)) for frame in range(round(seconds * RATE / FRAME))]
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)


def from_opus(recorded: bytes) -> Pcm:
    """Decode what :func:`opus_tone` writes."""
    decoder, at, frames = Decoder(), 0, list[Pcm]()
    while at < len(recorded):
        length = int.from_bytes(recorded[at : at + 2], "big")
        frames.append(decoder.decode(recorded[at + 2 : at + 2 + length]))
        at += 2 + length
    return mono(frames)


def from_samples(recorded: bytes) -> Pcm:
    """Read 16-bit samples of one channel at 48 kHz."""
    return np.frombuffer(recorded[: len(recorded) // 2 * 2], "<i2").astype(np.float32) / 32_768


def to_bytes(pcm: Pcm) -> bytes:
    """Write what :func:`from_samples` reads."""
    return (pcm * 32_767).astype("<i2").tobytes()


def mono(frames: Iterable[Pcm]) -> Pcm:
    """All frames one after the other."""
    return np.concatenate([*frames, np.zeros(0, np.float32)]).astype(np.float32)
