"""Mouth to ear through the relay's and the listener's jitter buffer in series, after a storm, in virtual time.

The networks are a little uneven, as a machine's wake-ups are, so that targets waver and stragglers come.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from media.audio.opus import FRAME, RATE
from tests.media.audio.conftest import Line

TICK = FRAME / RATE
CALM, STORM, AFTER = 8.0, 30.0, 12.0
NEAR = TICK + 0.0005


def unevenness(rng: np.random.Generator) -> float:
    """Seconds that a packet is late on a good network: 0.2 ms, and up to 4 ms one time in a hundred."""
    return rng.exponential(0.0002) + (0.004 * rng.random() if rng.random() < 0.01 else 0.0)


def stormy(rng: np.random.Generator) -> Callable[[int], float | None]:
    """A tenth is lost, in bursts of three, and the others jitter by 150 ms and overtake each other."""
    bad = False

    def way(i: int) -> float | None:
        nonlocal bad
        if not CALM <= i * TICK < CALM + STORM:
            return 0.02 + unevenness(rng)
        bad = rng.random() > 1 / 3 if bad else rng.random() < 0.1 / 3 / 0.9
        return None if bad else 0.02 + 0.15 * rng.random() + unevenness(rng)

    return way


def positions(line: Line, stream, way: Callable[[int], float | None], until: float) -> NDArray[np.float64]:
    """Play; for each tick, the media time in seconds of its first sample."""
    played: list[float] = []

    def note(now: float) -> None:
        if line.frames:
            played.append(now - TICK - line.playout.delay - line.playout.buffer.delay.floor)

    line.play(stream(until, way, timestamp=0), until, note)
    return np.array(played)


def mouth_to_ear(stream, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When a tick of the listener was, and how long ago its sound was said."""
    rng = np.random.default_rng(seed)
    until = CALM + STORM + AFTER
    relay, listener = Line(phase=TICK * rng.random()), Line(phase=TICK * rng.random())
    said = positions(relay, stream, stormy(rng), until)
    heard = positions(listener, stream, lambda _: relay.phase + 0.001 + unevenness(rng), until)
    ticks = np.minimum((heard / TICK + 1e-6).astype(int), said.size - 1)
    now = listener.phase + TICK * np.arange(heard.size)
    return now, now - said[ticks] - (heard - ticks * TICK)


@pytest.mark.parametrize("seed", range(8))
def test_two_seconds_after_a_storm_sound_is_where_it_was_and_stays_there(stream, seed: int) -> None:
    now, delay = mouth_to_ear(stream, seed)
    usual = np.median(delay[(now > 2.0) & (now < CALM)])
    storm, over = (now > CALM + 1.0) & (now < CALM + STORM), now > CALM + STORM + 2.0
    assert np.median(delay[storm]) > usual + 0.1
    assert np.abs(delay[over] - usual).max() <= NEAR
    rest = (delay[-1] - usual) / TICK  # whole ticks, nothing between them
    assert rest == pytest.approx(round(rest), abs=1e-3)
