"""Sudden loudness: a scream is told, and what people do all the time is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.moderation.loudness import ABOVE, SuddenLoudness
from media.moderation.signals import Kind, Signal

TALK = -26.0
"""dBov of ordinary speech."""


def talked(loudness: SuddenLoudness, seconds: float, begin: float = 0.0) -> float:
    """Let ana and ben talk in turns, by some 5 dB around the mean; return when that ends."""
    now = begin
    while now < begin + seconds:
        who, level = ("ana", TALK + 4) if int(now) % 2 else ("ben", TALK - 5)
        assert loudness.hear({who: level}, now) == []
        now += 0.2
    return now


def heard(loudness: SuddenLoudness, level: float, begin: float, seconds: float) -> list[Signal]:
    """Let cem be that loud, told every 20 ms, and then silent."""
    signals: list[Signal] = []
    for frame in range(round(seconds / 0.02) + 1):
        signals += loudness.hear({"cem": level}, begin + 0.02 * frame)
    return signals + loudness.hear({}, begin + seconds)


def test_a_scream_is_told_once_with_its_reason() -> None:
    loudness = SuddenLoudness()
    end = talked(loudness, 20)
    assert loudness.normal == pytest.approx(TALK, abs=5)
    (signal,) = heard(loudness, -5.0, end, 3.0)
    assert (signal.kind, signal.people, signal.at) == (Kind.LOUDNESS, ("cem",), end)
    assert signal.reason.startswith("cem is ") and "louder than people here" in signal.reason
    assert heard(loudness, -5.0, end + 10, 3.0) == [], "told a moment ago"
    assert len(heard(loudness, -5.0, end + 70, 3.0)) == 1, "and a scream did not become normal"


@pytest.mark.parametrize(
    ("level", "seconds"),
    [(-5.0, 0.3), (TALK + 8, 5.0), (-60.0, 5.0)],
    ids=["a laugh", "a raised voice", "a whisper"],
)
def test_what_is_no_sudden_loudness(level: float, seconds: float) -> None:
    loudness = SuddenLoudness()
    assert heard(loudness, level, talked(loudness, 20), seconds) == []


def test_nothing_is_loud_before_anything_is_normal() -> None:
    loudness = SuddenLoudness()
    assert heard(loudness, -5.0, talked(loudness, 3.0), 3.0) == []
    quiet = SuddenLoudness()
    for second in range(30):
        quiet.hear({"ana": -70.0}, float(second))
    assert heard(quiet, -45.0, 30.0, 3.0) == [], "25 dB more than a whisper is no noise"


@given(st.lists(st.tuples(st.floats(0.02, 1.0), st.floats(-60, -40)), max_size=200))
def test_speech_within_its_own_range_is_never_told(course: list[tuple[float, float]]) -> None:
    loudness, now = SuddenLoudness(), 0.0
    for pause, level in course:
        now += pause
        assert loudness.hear({"ana": max(-60.0, min(level, -60.0 + ABOVE - 0.1))}, now) == []
