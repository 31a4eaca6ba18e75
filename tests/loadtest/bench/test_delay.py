"""What the benchmark makes of chirps: quantiles of the calm, the way back after a storm, growth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from loadtest.bench.delay import HOLD, NEAR, UNHEARD, figures, recovery

BEGUN, STORM, OVER, END = 0.0, 20.0, 30.0, 60.0


def chirps(delay: float = 0.07) -> NDArray[np.float64]:
    """Rows of (mouth, seconds): one every 0.25 s for a minute."""
    mouths = np.arange(0.0, END, 0.25)
    return np.column_stack((mouths, np.full_like(mouths, delay)))


def told(*pairs: NDArray[np.float64]) -> dict[str, float]:
    return figures(pairs, BEGUN, STORM, OVER, END)


def test_a_steady_delay_is_told_as_it_is():
    found = told(chirps(), chirps())
    assert found["mouth_to_ear_p50_ms"] == pytest.approx(70)
    assert found["mouth_to_ear_p95_ms"] == pytest.approx(70)
    assert found["recovery_s"] == 0.0
    assert found["growth_ms"] == pytest.approx(0)
    assert found["calm_unheard"] == found["storm_unheard"] == 0


def test_what_is_not_heard_in_the_calm_counts_as_a_second():
    deaf = chirps()
    deaf[deaf[:, 0] < 2.0, 1] = np.nan
    found = told(deaf)
    assert found["mouth_to_ear_p95_ms"] == 1e3 * UNHEARD
    assert found["calm_unheard"] == pytest.approx(0.1)


def test_the_pair_that_grew_most_counts():
    grown = chirps()
    grown[grown[:, 0] >= 40.0, 1] += 0.03
    assert told(chirps(), grown, chirps())["growth_ms"] == pytest.approx(30)


def test_the_slowest_pair_says_when_the_storm_was_over():
    slow = chirps()
    slow[(slow[:, 0] >= STORM) & (slow[:, 0] < OVER + 1.0), 1] = 0.25
    assert told(chirps(), slow)["recovery_s"] == pytest.approx(1.0 + 0.07)


def test_a_chirp_that_is_missed_again_soon_is_no_recovery():
    again = chirps()
    again[again[:, 0] < OVER + 1.0, 1] = 0.25
    again[again[:, 0] == OVER + 4.0, 1] = np.nan
    assert recovery(again, OVER, 0.07, HOLD) == pytest.approx(4.25 + 0.07)


def test_what_moves_long_after_it_was_back_is_told_apart():
    again = chirps()
    again[(again[:, 0] >= STORM) & (again[:, 0] < OVER + 1.0), 1] = 0.25
    again[again[:, 0] == END - 5.0, 1] += 0.021
    found = told(again)
    assert found["recovery_s"] == pytest.approx(END - 4.75 + 0.07 - OVER)
    assert found["back_s"] == pytest.approx(1.0 + 0.07)
    assert found["away_later"] == pytest.approx(1 / 100)


def test_a_delay_that_stays_is_told_by_how_long_it_was_looked_at():
    stays = chirps()
    stays[stays[:, 0] >= STORM, 1] = 0.25
    assert recovery(stays, OVER, 0.07) == pytest.approx(stays[-1, 0] - OVER)


def test_what_moves_when_the_storm_is_long_over_is_no_part_of_it():
    calm = chirps()
    calm[calm[:, 0] >= OVER + 10.0, 1] = 0.1
    assert recovery(calm, OVER, 0.07, HOLD) == 0.0


def test_what_was_said_in_the_storm_and_heard_after_it_counts():
    late = chirps()
    late[late[:, 0] == OVER - 0.25, 1] = 0.3
    assert recovery(late, OVER, 0.07) == pytest.approx(0.07)


def test_exactly_a_tick_later_is_near_however_chirps_waver():
    tick = chirps()
    tick[tick[:, 0] >= OVER, 1] += NEAR + 0.0001
    assert recovery(tick, OVER, 0.07) == 0.0
