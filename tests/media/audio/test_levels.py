import numpy as np
import pytest

from media.audio.levels import HANGOVER_TICKS, Activity, level_dbov
from media.audio.opus import FRAME, RATE


def sine(amplitude: float) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 1000 * np.arange(FRAME) / RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("frame", "dbov"),
    [
        (np.ones(FRAME, np.float32), 0.0),
        (sine(1.0), -3.01),
        (sine(0.1), -23.01),
        (4 * sine(1.0), 0.0),
        (np.zeros(FRAME, np.float32), -127.0),
        (np.full(FRAME, 1e-12, np.float32), -127.0),
        (np.full(FRAME, np.nan, np.float32), -127.0),
        (np.full(120, 0.5, np.float32), -6.02),
    ],
)
def test_level_on_the_scale_of_rfc_6464(frame: np.ndarray, dbov: float) -> None:
    assert level_dbov(frame) == pytest.approx(dbov, abs=0.01)


def run(activity: Activity, levels: list[float]) -> list[tuple[bool, bool]]:
    return [(activity.update(level), activity.talking) for level in levels]


def test_the_first_loud_frame_is_heard_and_the_last_is_followed_by_the_hangover() -> None:
    states = run(Activity(), [-90.0] * 5 + [-45.0] + [-90.0] * 30)
    heard = [audible for audible, _ in states]
    assert heard == [False] * 5 + [True] * (1 + HANGOVER_TICKS) + [False] * (30 - HANGOVER_TICKS)
    assert HANGOVER_TICKS * FRAME / RATE >= 0.2


def test_a_cough_is_heard_but_nobody_is_shown_as_talking() -> None:
    assert not any(talking for _, talking in run(Activity(), [-90.0] * 20 + [-20.0] * 5 + [-90.0] * 20))


def test_talking_needs_forty_percent_of_the_window() -> None:
    states = run(Activity(), [-20.0] * 10)
    assert [talking for _, talking in states].index(True) == 7


def test_talking_lasts_through_the_gaps_between_words_and_ends() -> None:
    activity = Activity()
    run(activity, [-25.0] * 20)
    assert all(talking for _, talking in run(activity, ([-70.0] * 8 + [-25.0] * 8) * 5))
    assert not run(activity, [-70.0] * 20)[-1][1]


def test_quiet_sound_is_mixed_but_not_shown() -> None:
    assert run(Activity(), [-45.0] * 50)[-1] == (True, False)


def test_smoothed_level_rises_at_once_and_falls_slowly_until_idle() -> None:
    activity = Activity()
    assert activity.idle
    activity.update(-20.0)
    assert activity.level == -20.0
    activity.update(-100.0)
    assert activity.level == -40.0
    assert not activity.idle
    run(activity, [-127.0] * 60)
    assert activity.idle
