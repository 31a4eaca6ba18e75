"""How speech sounds through the relay while packets are lost on the way to it, or on the way from it.

Every case has a Space of its own with one who speaks and one who listens, and all of them run at the same time, on
the same speech. Losses are uniform or come in bursts of three packets in the mean (Gilbert-Elliott). The score of
a case is the mean over its pieces of speech, of which each meets other losses; :mod:`loadtest.bench.quality` says
what a score is. Speakers send as Chromium does, with in-band FEC; what that does not recover, the relay conceals
(uplink), or the listening probe (downlink). If the machine stood still meanwhile, every case has lost more than it
should: ``disturbed`` says so.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, product
from typing import Any, Literal

import numpy as np
from rich.progress import Progress

from loadtest.bench.probing import STILL, Probing, probing
from loadtest.bench.quality import score
from loadtest.bench.result import Target
from loadtest.bench.stand import bar, now
from loadtest.engine.netem import BurstLoss, Netem, UniformLoss
from loadtest.engine.probe import TICK, ListeningProbe, SpeakingProbe
from loadtest.engine.probes import encode, soon, speech
from loadtest.voice import Clip, clips
from media.audio.opus import FRAME, RATE, Pcm

TARGETS = (Target("drop_at_5pct", "<=", 0.5),)
LOSSES = (0.01, 0.03, 0.05, 0.1)
BURST = 3.0
"""Packets in a burst of losses, in the mean."""
SKIPPED = 1.0
"""Seconds left out at the begin of a clip."""
SPOKEN = 8.0
"""Seconds of speech in a piece; ViSQOL is made for 5 to 10."""
QUIET = 0.5
"""Seconds of silence before a piece, and after it."""
PIECE = round((SPOKEN + 2 * QUIET) * RATE)
LATEST = 0.6
"""Seconds of mouth to ear that a piece may take; the next one is silent until then."""

Direction = Literal["up", "down"]
Pattern = Literal["uniform", "bursts"]


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument(
        "--losses", type=float, nargs="*", default=LOSSES, metavar="SHARE", help="besides 0 (%(default)s)"
    )
    parser.add_argument(
        "--pieces", type=int, default=6, metavar="N", help="of speech, 9 s each, 6 at most (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all losses (%(default)s)")
    parser.add_argument("--plot", metavar="FILE", help="draw score over loss into this PNG")


@dataclass(frozen=True)
class Case:
    """One network."""

    direction: Direction
    pattern: Pattern
    loss: float
    """Share of the packets."""

    def path(self, seed: int) -> Netem:
        """The network of the direction that is meant."""
        return Netem(seed, BurstLoss(self.loss, BURST) if self.pattern == "bursts" else UniformLoss(self.loss))


def seeded(case: Case, seed: int, packets: int) -> Netem:
    """The case's network, from the first seed not below ``seed`` whose first ``packets`` lose what the case says.

    To a fiftieth of it, that is: in a minute of packets chance would make 5 % anything from 4 to 6, in bursts from
    2 to 8, and cases could not be compared.
    """
    for number in count(seed):
        trial = case.path(number)
        for _ in range(packets):
            trial.send(0.0)
        if abs(trial.lost - case.loss * packets) <= max(1.0, 0.02 * case.loss * packets):
            return case.path(number)
    raise AssertionError("seeds do not end")


@dataclass
class Pair:
    """Who speaks and who listens in one case."""

    case: Case
    path: Netem
    speaker: SpeakingProbe
    listener: ListeningProbe

    def pieces(self, count: int) -> list[Pcm]:
        """What was heard while each piece was said, up to ``LATEST`` after its end."""
        begun, sound = self.listener.take()
        starts = [round((self.speaker.start + n * PIECE / RATE - begun) * RATE) for n in range(count)]
        return [sound[start : start + PIECE + round(LATEST * RATE)] for start in starts]


def cases(losses: Sequence[float]) -> list[Case]:
    """Lossless first, then each loss in each direction and pattern."""
    directions: tuple[Direction, ...] = ("up", "down")
    patterns: tuple[Pattern, ...] = ("uniform", "bursts")
    return [Case("up", "uniform", 0.0), *(Case(*each) for each in product(directions, patterns, losses))]


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: MOS-LQO; ``table`` holds each case: score, those of its pieces, share of packets really lost."""
    said = programme(chosen.pieces)
    clip = encode("programme", np.concatenate(said))
    networks = cases(sorted({*chosen.losses, 0.05} - {0.0}))
    async with probing("sound", len(networks)) as built:
        with bar() as progress:
            pairs = await _join(built, networks, clip, chosen.seed, progress)
            latest = built.watch()
            await _speak(built, pairs, progress)
            heard = [pair.pieces(chosen.pieces) for pair in pairs]
            disturbed = latest() > STILL
    with bar() as progress:
        task = progress.add_task("scoring", total=len(pairs) * chosen.pieces)
        table = []
        for pair, sounds in zip(pairs, heard, strict=True):
            scores = []
            for one, other in zip(said, sounds, strict=True):
                scores.append(await asyncio.to_thread(score, one, other))
                progress.advance(task)
            table.append(_row(pair, scores))
    if chosen.plot:
        from loadtest.bench.pictures import draw_sound  # matplotlib is there where somebody draws

        draw_sound(chosen.plot, table)
    lossless = table[0]["score"]
    at_5 = next(row for row in table if (row["direction"], row["pattern"], row["loss"]) == ("up", "uniform", 0.05))
    return {
        "lossless": lossless,
        "drop_at_5pct": lossless - at_5["score"],
        "worst": min(row["score"] for row in table),
        "disturbed": disturbed,
        "table": table,
    }


def programme(pieces: int) -> list[Pcm]:
    """Pieces of shipped speech, one voice each, of shape (432000,), with silence around."""
    quiet = np.zeros(round(QUIET * RATE), np.float32)
    begin, length = round(SKIPPED * RATE), round(SPOKEN * RATE)
    return [np.concatenate((quiet, speech(each)[begin : begin + length], quiet)) for each in clips()[:pieces]]


async def _join(built: Probing, networks: Sequence[Case], clip: Clip, seed: int, progress: Progress) -> list[Pair]:
    pairs = []
    for number, case in enumerate(progress.track(networks, description="joining")):
        venue, path = built.venues[number], seeded(case, seed + 1000 * number, len(clip.packets))
        up, down = (path, None) if case.direction == "up" else (None, path)
        speaker = await built.probes.speaker(venue.whip, venue.speaker_tokens[0], clip, up)
        pairs.append(Pair(case, path, speaker, await built.probes.listener(venue.whep, down)))
    return pairs


async def _speak(built: Probing, pairs: Sequence[Pair], progress: Progress) -> None:
    """Let all say the programme once, evenly spread over a tick so that they do not wait for each other."""
    for number, pair in enumerate(pairs):
        phase = number * TICK / len(pairs)
        await built.probes.listen(pair.listener, soon(phase))
        await built.probes.speak(pair.speaker, soon(phase))
    seconds = len(pairs[0].speaker.clip.packets) * FRAME / RATE
    task, begun = progress.add_task("speaking", total=seconds), now()
    while (spoken := now() - begun) < seconds + 2 * LATEST:
        built.probes.check()
        progress.update(task, completed=min(spoken, seconds))
        await asyncio.sleep(0.2)


def _row(pair: Pair, scores: Sequence[float]) -> dict[str, Any]:
    case = pair.case
    return {
        "direction": case.direction,
        "pattern": case.pattern,
        "loss": case.loss,
        "score": round(float(np.mean(scores)), 3),
        "scores": [round(each, 3) for each in scores],
        "lost": round(pair.path.lost / pair.path.sent, 4),
    }
