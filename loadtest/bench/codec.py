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

TARGETS = (Target("celt_0_mos_less_silk_6", ">=", 0.0), Target("celt_0_cost_of_silk_6", "<=", 0.5))
KINDS = {
    "silk": (True, False, (0, 1, 3, 6, 10)),
    "celt": (False, False, (0, 1, 2, 3, 5)),
    "filtered_celt": (False, True, (0, 3)),
}
"""With FEC, with the filter for microphones, and at which complexities."""
EXPECTED_LOSS = 0.06
"""What the relay's encoders reckon with at least while they make spare copies."""
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
    ways = [(name, fec, filtered, each) for name, (fec, filtered, many) in KINDS.items() for each in many]
    with bar() as progress:
        for name, fec, filtered, complexity in progress.track(ways, description="encoding"):
            costs, scores, sizes = [], [], []
            for sound in voices:
                encoder = Encoder(complexity=complexity, fec=fec, expected_loss=EXPECTED_LOSS, filtered=filtered)
                decoder = Decoder()
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
    figures["celt_0_mos_less_silk_6"] = figures["celt_0_mos"] - figures["silk_6_mos"]
    figures["celt_0_cost_of_silk_6"] = figures["celt_0_us"] / figures["silk_6_us"]
    return figures


def _sound(number: int, seconds: float) -> NDArray[np.float32]:
    """A voice with half a second of silence around, as ViSQOL wants it."""
    decoder = Decoder()
    spoken = [decoder.decode(each) for each in clips()[number].packets[: round(seconds * 50)]]
    return np.concatenate([_SILENCE] * 25 + spoken + [_SILENCE] * 25)
