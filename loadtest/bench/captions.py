"""Captions on one core: Spaces in which somebody talks all the time, when words are shown, and how right they are.

Speech that people read aloud is encoded with Opus at 32 kbit/s and given to the captioner in real time, on a
simulated clock: packets arrive every 20 ms, and one core decodes and recognises them one after the other, each
taking the processor time that it really took. Spaces begin at different places of the same programme. A Space
more is one too many if words are shown later than the target, or if a Space is paused.

A word is shown as soon as it and all before it stand in a line, partial or final; it ended when Whisper base says
so of the whole recording.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jiwer
import numpy as np

from loadtest.bench.captioning import Programme, Run, plain, programme_of
from loadtest.bench.noises import noises
from loadtest.bench.read_aloud import read_aloud
from loadtest.bench.result import Target
from loadtest.bench.stand import bar
from media.captions.captioner import PARTIAL_FAST_MS, PARTIAL_MS
from media.captions.models import TIERS, ModelError, find_model
from media.captions.whisper import Whisper

_GUESS: Final = 0.8
"""Share of the core from which on phrases begin to wait."""
LATEST: Final = 2.5
"""Seconds in which 95 of 100 words are to be shown."""
TARGETS: Final = (
    Target("spaces_per_core", ">=", 6),
    Target("first_shown_p95_s", "<=", LATEST),
    Target("wer", "<=", 0.06),
    Target("invented", "==", 0),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--model", choices=list(TIERS), default="tiny", help="which is measured (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of the programme (%(default)s)")
    parser.add_argument("--spaces", type=int, default=16, metavar="N", help="that are tried at most (%(default)s)")
    parser.add_argument("--noise", type=float, default=8.0, metavar="S", help="of each noise (%(default)s)")
    parser.add_argument("--no-partials", action="store_true", help="show phrases only when they are over")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures: seconds, and shares of words; ``first_shown_*`` and ``wer`` while ``spaces_per_core`` talk."""
    with tempfile.TemporaryDirectory() as cache:
        try:
            judge = Whisper(find_model("base", Path(cache)), "base")
            whisper = judge if chosen.model == "base" else Whisper(find_model(chosen.model, Path(cache)), "tiny")
        except ModelError as error:
            raise OSError(str(error)) from None
        return await asyncio.to_thread(_measure, chosen, judge, whisper)


def _measure(chosen: argparse.Namespace, judge: Whisper, whisper: Whisper) -> dict[str, Any]:
    partial = None if chosen.no_partials else PARTIAL_MS if chosen.model == "base" else PARTIAL_FAST_MS
    programme = programme_of(read_aloud(), chosen.seconds, judge)
    alone = _run(whisper, programme, 1, partial)
    best = _most(lambda spaces: _run(whisper, programme, spaces, partial), alone, chosen.spaces)
    invented = [name for name, sound in noises(chosen.noise) if _says_something(whisper, sound)]
    said = _plain(programme.text)
    errors = jiwer.process_words([said] * best.spaces, [_plain(text) for text in best.texts])
    return {
        "spaces_per_core": best.spaces,
        "first_shown_p50_s": best.first_shown(50),
        "first_shown_p95_s": best.first_shown(95),
        "alone_first_shown_p95_s": alone.first_shown(95),
        "wer": errors.wer,
        "words": len(said.split()),
        "core_s_per_s": alone.load,
        "dropped_partials": best.dropped_partials,
        "invented": len(invented),
        "noises": [{"noise": name} for name in invented],
        "model": whisper.name,
    }


def _most(run: Callable[[int], Run], alone: Run, limit: int) -> Run:
    """Return the run with the most Spaces that one core can do: near a guess, up while it can, else down."""
    spaces = max(1, min(limit, int(_GUESS / alone.load)))
    with bar() as progress:
        task = progress.add_task("Spaces at once", total=None)
        best = alone
        tried = alone if spaces == 1 else run(spaces)
        while _in_time(tried) and spaces < limit:
            best, spaces = tried, spaces + 1
            tried = run(spaces)
            progress.advance(task)
        while not _in_time(tried) and best is alone and spaces > 2:
            spaces -= 1
            tried = run(spaces)
            progress.advance(task)
    return tried if _in_time(tried) else best


def _in_time(run: Run) -> bool:
    return not run.paused and run.first_shown(95) <= LATEST


def _run(whisper: Whisper, programme: Programme, spaces: int, partial: int | None) -> Run:
    run = Run(whisper, programme, spaces, partial, time.process_time)
    run.play()
    return run


def _says_something(whisper: Whisper, sound: np.ndarray) -> bool:
    run = Run(whisper, Programme.of_sound(sound), 1, PARTIAL_MS, time.process_time)
    run.play()
    return bool(run.shown)


def _plain(text: str) -> str:
    return " ".join(plain(word) for word in text.split())
