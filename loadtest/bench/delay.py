"""How long sound takes: what the relay adds, from mouth to ear, after a storm of loss and jitter, after a while.

Several pairs of probes, each in a Space of its own on the one relay, spread their clocks evenly over the 20 ms of
a tick: how long a packet waits for the tick depends on that alone, and one pair would show one case of it.

- *Added by the relay*: from the moment a speaker's packet is in the relay's socket to the moment the packet that
  carries its first sample is in a listener's, by the kernel's time stamp. abs-capture-time, which the relay
  carries through, says which those are.
- *Mouth to ear*: by chirps in the sound (:mod:`loadtest.engine.chirp`), four a second in each Space, between the
  clocks that :mod:`loadtest.engine.probe` defines. A chirp that was not heard counts as one second.
- *Recovery*: from the end of the storm until a chirp is heard that is, like all others until the end of the run,
  within 20 ms of the median before the storm. To a quarter of a second, since no chirp comes in between; the
  slowest pair counts. If the machine stood still after the storm (``disturbed``), that was another storm:
  ``back_s`` says from when on it was near for 5 s, and ``away_later`` how much of what was said later was not.
- *Growth*: the median of the last minute over that of the first, of the pair that grew most. In short runs half of
  what the storm leaves takes the minute's place.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtest.bench.probing import STILL, Probing, probing
from loadtest.bench.result import Target
from loadtest.bench.stand import bar, now
from loadtest.engine.chirp_ear import ChirpEar, Delay
from loadtest.engine.hearing import chirping
from loadtest.engine.netem import NO_LOSS, BurstLoss, Netem
from loadtest.engine.probe import TICK, ListeningProbe, SpeakingProbe
from loadtest.engine.probes import soon
from loadtest.recorder import RelayProbe
from loadtest.voice import Clip
from media.audio.opus import FRAME

TARGETS = (
    Target("relay_p50_ms", "<=", 35.0),
    Target("relay_p99_ms", "<=", 60.0),
    Target("mouth_to_ear_p95_ms", "<=", 120.0),
    Target("recovery_s", "<=", 2.0),
    Target("growth_ms", "<=", 5.0),
)
SETTLE = 3.0
"""Seconds after the last join before anything is measured."""
TAIL = 1.5
"""Seconds after the end until the last chirp has been heard and looked for."""
STORM_LOSS, STORM_BURST, STORM_JITTER = 0.1, 3.0, 0.15
"""The storm, on the way to the relay: share of packets lost, mean burst in packets, largest jitter in seconds.
Jitter is independent from packet to packet, so that most of them arrive in another order."""
NEAR, TOLD = 0.02, 0.0005
"""Seconds from the median before the storm that count as being back, and to how many a chirp tells them. A jitter
buffer that needs one tick more than before is exactly 20 ms later."""
HOLD = 5.0
"""Seconds for which it has to stay near for ``back_s``."""
MINUTE = 60.0
UNHEARD = 1.0


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument(
        "--minutes", type=float, default=2.5, help="in all, from the first figure on (%(default)s)"
    )
    parser.add_argument("--storm", type=float, default=30.0, metavar="S", help="how long it lasts (%(default)s s)")
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="of probes, in N Spaces (%(default)s)")
    parser.add_argument(
        "--drift-ppm",
        type=float,
        default=0.0,
        metavar="PPM",
        help="by which speakers' clocks are fast (%(default)s); delays then wander within a tick",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the storm (%(default)s)")
    parser.add_argument("--plot", metavar="FILE", help="draw delay over time into this PNG")


@dataclass
class Pair:
    """One who speaks and one who listens, and what came of it."""

    speaker: SpeakingProbe
    listener: ListeningProbe
    ear: ChirpEar
    delays: list[Delay] = field(default_factory=list)

    def hear(self) -> None:
        """Look for chirps in what was played since the last call."""
        self.delays += self.ear.put(*self.listener.take())

    def relay(self, begin: float, end: float) -> list[float]:
        """Seconds that the relay added, for each marked packet that left it between two moments."""
        marks = [mark for mark in [*self.listener.marks] if begin <= mark[0] < end]
        return [arrival - self.speaker.left_with(capture) for arrival, capture in marks]


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures; the two quantiles of mouth to ear are of the calm time before the storm."""
    clip = chirping()
    async with probing("delay", chosen.pairs) as built:
        pairs = [await _pair(built, number, chosen, clip) for number in range(chosen.pairs)]
        total = MINUTE * chosen.minutes
        edge = min(MINUTE, max(1.0, (total - chosen.storm) / 2))
        relay = RelayProbe(built.server.base)
        with bar() as progress:
            task = progress.add_task("settling", total=SETTLE + total + TAIL)

            async def wait(until: float, what: str) -> None:
                progress.update(task, description=what)
                while (left := until - now()) > 0:
                    await asyncio.sleep(min(0.2, left))
                    built.probes.check()
                    for pair in pairs:
                        pair.hear()
                    progress.update(task, completed=SETTLE + now() - begun)

            begun = now() + SETTLE
            await wait(begun, "settling")
            relay.row()
            before = built.probes.clockwork.late().size
            await wait(begun + edge, "calm")
            relay.row()
            for pair in pairs:
                storm(pair.speaker.up, True)
            await wait(begun + edge + chosen.storm, "storm")
            for pair in pairs:
                storm(pair.speaker.up, False)
            ended, latest_after = now(), built.watch()
            await wait(max(begun + total, ended + edge), "after the storm")
            end = now()
            disturbed = latest_after() > STILL
            await wait(end + TAIL, "the last chirps")
        late = built.probes.clockwork.late(before)
        added = np.array([each for pair in pairs for each in pair.relay(begun, begun + edge)])
    delays = [np.array(pair.delays) for pair in pairs]
    if chosen.plot:
        from loadtest.bench.pictures import draw_delay  # matplotlib is there where somebody draws

        draw_delay(chosen.plot, delays, begun, begun + edge, ended, end)
    return figures(delays, begun, begun + edge, ended, end) | {
        "relay_p50_ms": 1e3 * float(np.nanquantile(added, 0.5)),
        "relay_p99_ms": 1e3 * float(np.nanquantile(added, 0.99)),
        "relay_max_ms": 1e3 * float(np.nanmax(added)),
        "relay_packets": int(np.isfinite(added).sum()),
        "jitter_buffer_p50_ms": relay.stage_ms("jitter buffer", 0.5),
        "tick_late_p99_ms": relay.stage_ms("tick late", 0.99),
        "tick_p99_ms": relay.stage_ms("tick", 0.99),
        "probe_late_p99_ms": 1e3 * float(np.quantile(late, 0.99)),
        "disturbed": disturbed,
        "pairs": chosen.pairs,
        "minutes": chosen.minutes,
    }


def storm(path: Netem, blows: bool) -> None:
    """Let it begin, or end; what is under way then still arrives late."""
    path.loss = BurstLoss(STORM_LOSS, STORM_BURST) if blows else NO_LOSS
    path.jitter = STORM_JITTER if blows else 0.0
    path.reorders = True


def figures(
    delays: Sequence[NDArray[np.float64]], begun: float, storm_begun: float, storm_ended: float, ended: float
) -> dict[str, float]:
    """What chirps say of each pair, as rows of (mouth, seconds), which are those of :class:`Delay`."""
    edge = storm_begun - begun
    calm = [_between(each, begun, storm_begun) for each in delays]
    last = [_between(each, ended - edge, ended) for each in delays]
    stormy = np.concatenate([_between(each, storm_begun, storm_ended) for each in delays])
    usual = [float(np.median(_heard(each))) for each in calm]
    counted = np.concatenate([_heard(each) for each in calm])
    grown = [float(np.median(_heard(after))) - before for before, after in zip(usual, last, strict=True)]

    def slowest(hold: float) -> float:
        paired = zip(delays, usual, strict=True)
        return max(recovery(each[each[:, 0] < ended], storm_ended, median, hold) for each, median in paired)

    later = [
        ~_near(_between(each, storm_ended + HOLD, ended), median)
        for each, median in zip(delays, usual, strict=True)
    ]
    return {
        "mouth_to_ear_p50_ms": 1e3 * float(np.quantile(counted, 0.5)),
        "mouth_to_ear_p95_ms": 1e3 * float(np.quantile(counted, 0.95)),
        "recovery_s": slowest(np.inf),
        "back_s": slowest(HOLD),
        "growth_ms": 1e3 * max(grown),
        "away_later": sum(map(np.count_nonzero, later)) / max(1, sum(map(len, later))),
        "storm_p95_ms": 1e3 * float(np.nanquantile(stormy, 0.95)),
        "storm_unheard": float(np.isnan(stormy).mean()),
        "calm_unheard": float(np.isnan(np.concatenate(calm)).mean()),
    }


def recovery(delays: NDArray[np.float64], ended: float, usual: float, hold: float = np.inf) -> float:
    """Seconds from the end of the storm until what is heard is near the usual delay, and stays there.

    For ``hold`` seconds, or to the end. ``delays`` has rows (mouth, seconds), in order. If it never stays there:
    the time for which it was looked at.
    """
    mouths, seconds = delays.T
    after = np.where(np.isnan(seconds), mouths, mouths + seconds) > ended
    away = mouths[after & ~_near(seconds, usual)]
    marks = np.concatenate(([ended], away))
    last = marks[np.argmax(np.diff(marks, append=np.inf) > hold)] if np.isfinite(hold) else marks[-1]
    if last == ended:
        return 0.0
    back = int(np.searchsorted(mouths, last, "right"))
    return float((mouths[back] + seconds[back] if back < mouths.size else mouths[-1]) - ended)


def _near(seconds: NDArray[np.float64], usual: float) -> NDArray[np.bool_]:
    """Which delays are near the usual one; what was not heard is not."""
    return np.abs(seconds - usual) <= NEAR + TOLD


async def _pair(built: Probing, number: int, chosen: argparse.Namespace, clip: Clip) -> Pair:
    """Join; clocks differ by an even share of a tick, and those of speaker and listener by another."""
    venue, share = built.venues[number], TICK / chosen.pairs
    path = Netem(chosen.seed + number)
    speaker = await built.probes.speaker(venue.whip, venue.speaker_tokens[0], clip, path, chosen.drift_ppm)
    listener = await built.probes.listener(venue.whep)
    await built.probes.speak(speaker, soon(number * share))
    await built.probes.listen(listener, soon((2 * number % chosen.pairs + 0.5) * share))
    return Pair(speaker, listener, ChirpEar(lambda n: speaker.start + n * speaker.period / FRAME))


def _between(delays: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Seconds from mouth to ear of what was said between two moments."""
    return delays[(delays[:, 0] >= begin) & (delays[:, 0] < end), 1]


def _heard(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """A chirp that was not heard counts as one second."""
    return np.nan_to_num(seconds, nan=UNHEARD)
