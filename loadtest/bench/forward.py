"""Whether packets of someone who talks alone should reach listeners untouched: what it saves, how it sounds."""

import argparse
import asyncio
import time
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtest.bench.quality import score
from loadtest.bench.result import Target
from loadtest.voice import clips
from media.audio.opus import FRAME, Decoder, Encoder

TARGETS = (Target("forwarded_mos", ">=", 4.0),)
ALONE, TOGETHER = 60, 15
"""Ticks that one voice talks alone, and that both talk, in turn: 1.2 s and 0.3 s."""
AFTER = 5 * 240
"""Samples (25 ms) after a switch in which the sound is judged, 5 ms at a time."""
LOUD = 0.003
"""Windows quieter than this (root of the mean square) are not judged."""

Sound = NDArray[np.float32]


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--seconds", type=float, default=12.0, help="of conversation (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: µs a tick of one decode and one encode, and what listeners hear when it changes who encodes.

    ``*_switch_error_db`` is the 95th percentile of the level's error against the sum of both voices, in the 5 ms
    windows after a switch; ``*_mos`` is ViSQOL of the whole conversation.
    """
    return await asyncio.to_thread(_run, round(chosen.seconds * 50))


def _run(ticks: int) -> dict[str, Any]:
    voices = [clips()[number].packets for number in (0, 1)]
    ears = [Decoder(), Decoder()]
    mixer, always, by_turns = Encoder(fec=False, complexity=3), Decoder(), Decoder()
    always_encoder = Encoder(fec=False, complexity=3)
    said, mixed, forwarded, costs, switches = [], [], [], [], []
    before: int | None = None
    last = np.zeros(FRAME, np.float32)
    for tick in range(ticks):
        talking = _talking(tick)
        packets = [voices[who][tick % len(voices[who])] for who in talking]
        begun = time.perf_counter()
        sound = np.sum([ears[who].decode(packet) for who, packet in zip(talking, packets, strict=True)], axis=0)
        packet = always_encoder.encode(sound)
        if len(talking) == 1:
            costs.append(time.perf_counter() - begun)
        mixed.append(always.decode(packet))
        source = talking[0] if len(talking) == 1 else 2
        if source == 2:
            if before != 2:
                mixer.encode(last)  # so that the encoder goes on from what was heard
            packets = [mixer.encode(sound)]
        if before is not None and source != before:
            switches.append(tick * FRAME)
        forwarded.append(by_turns.decode(packets[0]))
        said.append(sound)
        before, last = source, sound
    reference = np.concatenate(said)
    figures: dict[str, Any] = {"decode_and_encode_us": 1e6 * median(costs), "switches": len(switches)}
    for name, parts in (("mixed", mixed), ("forwarded", forwarded)):
        heard = np.concatenate(parts)
        figures[f"{name}_switch_error_db"] = _errors(reference, heard, switches)
        figures[f"{name}_mos"] = score(reference[: -2 * FRAME], heard)
    return figures


def _talking(tick: int) -> tuple[int, ...]:
    turn, within = divmod(tick, ALONE + TOGETHER)
    return (0, 1) if within >= ALONE else (turn % 2,)


def _errors(reference: Sound, heard: Sound, switches: list[int]) -> float:
    """Of the loudness of windows after switches; each may be up to 7 ms late, which is the codec's own delay."""
    errors: list[float] = []
    for switch in switches:
        for start in range(switch, switch + AFTER, 240):
            loudness = [_rms(reference[start - late : start - late + 240]) for late in range(0, 336, 24)]
            got = _rms(heard[start : start + 240])
            if max(loudness) > LOUD:
                errors.append(min(abs(20 * np.log10((got + 1e-6) / (each + 1e-6))) for each in loudness))
    return float(np.quantile(errors, 0.95))


def _rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))
