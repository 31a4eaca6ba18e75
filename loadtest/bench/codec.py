"""What an encoded frame costs and how it sounds, for each way the relay can encode; the choice in media.relay."""

import argparse
import asyncio
import time
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtest.bench.quality import score
from loadtest.bench.result import Target
from loadtest.bench.stand import bar
from loadtest.voice import clips
from media.audio.opus import FRAME, Decoder, Encoder

TARGETS = (Target("celt_3_mos_less_silk_6", ">=", 0.0), Target("celt_3_cost_of_silk_6", "<=", 0.5))
KINDS = {"silk": (True, (0, 1, 3, 6, 10)), "celt": (False, (0, 1, 3, 5))}
"""With FEC and without, at which complexities."""
_SILENCE = np.zeros(FRAME, np.float32)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--seconds", type=float, default=6.0, metavar="S", help="of each voice (%(default)s)")
    parser.add_argument("--voices", type=int, default=3, metavar="N", help="how many (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: median µs a frame and mean ViSQOL (speech) of the voices at 32 kbit/s, against what went in."""
    return await asyncio.to_thread(_run, chosen)


def _run(chosen: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    voices = [_sound(number, chosen.seconds) for number in range(min(chosen.voices, len(clips())))]
    ways = [(name, fec, each) for name, (fec, complexities) in KINDS.items() for each in complexities]
    with bar() as progress:
        for name, fec, complexity in progress.track(ways, description="encoding"):
            costs, scores, sizes = [], [], []
            for sound in voices:
                encoder, decoder = Encoder(complexity=complexity, fec=fec), Decoder()
                heard = []
                for frame in sound.reshape(-1, FRAME):
                    begun = time.perf_counter()
                    packet = encoder.encode(frame)
                    costs.append(time.perf_counter() - begun)
                    sizes.append(len(packet))
                    heard.append(decoder.decode(packet))
                heard += [decoder.decode(encoder.encode(_SILENCE))]
                scores.append(score(sound, np.concatenate(heard)))
            figures[f"{name}_{complexity}_us"] = 1e6 * median(costs)
            figures[f"{name}_{complexity}_mos"] = mean(scores)
            figures[f"{name}_{complexity}_bytes"] = mean(sizes)
    figures["celt_3_mos_less_silk_6"] = figures["celt_3_mos"] - figures["silk_6_mos"]
    figures["celt_3_cost_of_silk_6"] = figures["celt_3_us"] / figures["silk_6_us"]
    return figures


def _sound(number: int, seconds: float) -> NDArray[np.float32]:
    """A voice with half a second of silence around, as ViSQOL wants it."""
    decoder = Decoder()
    spoken = [decoder.decode(each) for each in clips()[number].packets[: round(seconds * 50)]]
    return np.concatenate([_SILENCE] * 25 + spoken + [_SILENCE] * 25)
