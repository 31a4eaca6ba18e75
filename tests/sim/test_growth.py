"""The crowd against queueing theory: every assertion is that an interval over replications contains theory."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from sim.experiment import mean_interval
from sim.fields import ScenarioError
from sim.growth import Growth, Kind, bursts, draw_dwell, draw_turnout, expected_arrivals, grow
from sim.listeners import grow_each
from sim.scenario import Collapse, Dwell, Scenario, load
from sim.streams import Purpose, stream

REPLICATIONS = 120


def survival(dwell: Dwell, age: np.ndarray) -> np.ndarray:
    browses = stats.lognorm.sf(age, dwell.browser_sigma, scale=dwell.browser_median_s)
    stays = stats.lognorm.sf(age, dwell.stayer_sigma, scale=dwell.stayer_median_s)
    return dwell.browser_share * browses + (1 - dwell.browser_share) * stays


def expected_present(scenario: Scenario) -> np.ndarray:
    """Mean occupancy at the end of each second: the arrival intensity folded with the survival of stays, and
    word of mouth fed back second by second."""
    word = scenario.word_of_mouth
    arrivals = expected_arrivals(scenario).sum(axis=0)
    seconds = arrivals.size
    stay = survival(scenario.dwell, np.arange(seconds) + 0.5)
    present, sharing = np.zeros(seconds), 0.0
    for second in range(seconds):
        arrivals[second] += sharing * word.joins_per_listener_hour / 3600
        present[second] = arrivals[: second + 1] @ stay[: second + 1][::-1]
        sharing += (present[second] - sharing) / word.delay_s
    return present


def occupancy(scenario: Scenario, at: np.ndarray, n: int = REPLICATIONS, model=grow) -> np.ndarray:
    return np.array([model(scenario, 7, replication=number).present(at) for number in range(n)], dtype=float)


TIMES = np.array([30.0, 120.0, 300.0, 600.0, 899.0])


def assert_contains(values: np.ndarray, theory: np.ndarray) -> None:
    for column, truth in zip(values.T, theory, strict=True):
        _, low, high = mean_interval(column, level=0.999)
        assert low <= truth <= high


def test_occupancy_is_that_of_an_infinite_server_queue(small: Scenario) -> None:
    found = occupancy(small, TIMES)
    theory = expected_present(small)[(TIMES - 1).astype(int)]
    assert_contains(found, theory)
    # M(t)/G/infinity occupancy is Poisson: variance equals mean
    scatter = found.var(axis=0, ddof=1) / theory * (REPLICATIONS - 1)
    low, high = stats.chi2.ppf([0.0005, 0.9995], REPLICATIONS - 1)
    assert np.all((scatter > low) & (scatter < high))


def test_word_of_mouth_feeds_back_as_the_mean_field_says(small: Scenario) -> None:
    word = dataclasses.replace(small.word_of_mouth, joins_per_listener_hour=4.0, delay_s=60.0)
    loud = dataclasses.replace(small, word_of_mouth=word)
    theory = expected_present(loud)[(TIMES - 1).astype(int)]
    assert_contains(occupancy(loud, TIMES), theory)
    assert theory[-1] > 1.3 * expected_present(small)[-1]


def test_an_audience_that_does_not_fit_into_memory_is_refused_before_it_comes(small: Scenario) -> None:
    with pytest.raises(ScenarioError, match=r"at --scale 1e.* fit into memory"):
        grow(small, 1, scale=1e9)
    word = dataclasses.replace(small.word_of_mouth, joins_per_listener_hour=10_000.0, delay_s=1.0)
    with pytest.raises(ScenarioError, match="goes on growing; make word_of_mouth"):
        grow(dataclasses.replace(small, word_of_mouth=word), 1)


def test_littles_law(small: Scenario) -> None:
    whole = grow(small, 3)
    times, level = whole.steps()
    area = float(np.sum(np.diff(times) * level[:-1]))
    assert area == pytest.approx(whole.dwell_s.sum())
    # in expectation: listener-seconds are arrivals times the mean stay within the Space
    edges = np.arange(small.length_s)
    stays = np.cumsum(survival(small.dwell, edges + 0.5))[::-1]
    expected = float(expected_arrivals(small).sum(axis=0) @ stays)
    sums = np.array([grow(small, 3, replication=number).dwell_s.sum() for number in range(REPLICATIONS)])
    assert_contains(sums[:, None], np.array([expected]))


@pytest.mark.parametrize("name", ["product-launch", "match-companion", "candidacy-2023"])
def test_who_came_left_or_is_present(name: str) -> None:
    scenario = load(name)
    crowd = grow(scenario, 1, scale=0.05)
    listeners, joins = crowd.per_second()
    assert joins.sum() == crowd.arrival_s.size
    assert np.all(np.diff(crowd.arrival_s) >= 0)
    assert np.all(crowd.dwell_s >= 0)
    assert np.all(crowd.arrival_s + crowd.dwell_s <= scenario.length_s + 1e-9)
    for minute in (1, 10, 30):
        at = minute * 60.0
        came = np.count_nonzero(crowd.arrival_s <= at)
        left = np.count_nonzero(crowd.arrival_s + crowd.dwell_s <= at)
        assert crowd.present(at) == came - left == listeners[minute * 60 - 1]
    assert crowd.peak() >= listeners.max()
    assert np.all(listeners >= 0)


def test_stays_are_the_mixture_of_browsers_and_stayers() -> None:
    dwell = load().dwell
    drawn = draw_dwell(np.random.default_rng(1), dwell, 20_000)
    assert stats.kstest(drawn, lambda age: 1 - survival(dwell, np.asarray(age))).pvalue > 0.01


def test_turnout_changes_the_evening_and_not_the_mean() -> None:
    scenario = load()
    factors = np.array([draw_turnout(scenario, 1, number) for number in range(2000)])
    assert_contains(factors[:, None], np.array([1.0]))
    assert np.log(factors).std() == pytest.approx(scenario.turnout.spread, rel=0.1)


def test_a_guest_lights_up_the_bubble_of_their_followers() -> None:
    scenario = load()
    guest = scenario.events[0]
    expected = expected_arrivals(scenario)[Kind.EVENT]
    start = int(guest.minute * 60)
    assert expected[:start].sum() == 0
    size = 800_000 * scenario.bubble.online_share * scenario.bubble.click_rate
    assert expected.sum() == pytest.approx(size, rel=0.01)


def test_the_candidacy_of_2023() -> None:
    scenario = load("candidacy-2023")
    crowd = grow(scenario, 1)
    listeners, joins = crowd.per_second()
    event = scenario.events[0]
    assert isinstance(event, Collapse)
    dead = int(event.minute * 60)
    reopens = dead + int(event.down_min * 60)
    assert joins.max() == pytest.approx(11_000, rel=0.25)
    assert 380_000 <= listeners[dead - 1] <= 668_000
    assert np.all(listeners[dead : reopens - 1] == 0)
    assert 100_000 <= listeners[reopens:].max() <= 400_000
    assert np.bincount(crowd.kind, minlength=5)[Kind.RETURN] <= event.return_share * listeners[dead - 1] * 1.01
    assert bursts(scenario)[0].until == dead


def test_cohorts_and_single_listeners_have_the_same_law(small: Scenario) -> None:
    word = dataclasses.replace(small.word_of_mouth, joins_per_listener_hour=3.0, delay_s=60.0)
    collapse = Collapse("collapse", 6.0, 1.0, 30_000, 0.5, 60.0, 0.8)
    scenario = dataclasses.replace(small, word_of_mouth=word, events=(collapse,))
    runs: dict[str, list[Growth]] = {
        "cohorts": [grow(scenario, 1, replication=number) for number in range(60)],
        "each": [grow_each(scenario, 2, replication=number) for number in range(60)],
    }
    at = np.array([60.0, 300.0, 359.0, 400.0, 480.0, 700.0, 890.0])
    cohorts, each = (np.array([crowd.present(at) for crowd in found], dtype=float) for found in runs.values())
    for first, second in zip(cohorts.T, each.T, strict=True):
        if first.any() or second.any():
            assert stats.ttest_ind(first, second, equal_var=False).pvalue > 0.001
    peaks = [[crowd.peak() for crowd in found] for found in runs.values()]
    assert stats.ks_2samp(*peaks).pvalue > 0.001
    for kind in Kind:
        counts = [[np.count_nonzero(crowd.kind == kind) for crowd in found] for found in runs.values()]
        assert stats.ttest_ind(*counts, equal_var=False).pvalue > 0.001


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    scenario = load()
    one, two, other = grow(scenario, 5), grow(scenario, 5), grow(scenario, 6)
    assert one.arrival_s.tobytes() == two.arrival_s.tobytes()
    assert one.dwell_s.tobytes() == two.dwell_s.tobytes()
    assert one.arrival_s.tobytes() != other.arrival_s.tobytes()
    assert one.arrival_s.tobytes() != grow(scenario, 5, replication=1).arrival_s.tobytes()


def test_purposes_do_not_disturb_each_other(small: Scenario) -> None:
    shorter = dataclasses.replace(small.dwell, stayer_median_s=60.0)
    one, two = grow(small, 1), grow(dataclasses.replace(small, dwell=shorter), 1)
    assert np.array_equal(one.arrival_s, two.arrival_s)  # common random numbers: only the stays differ
    assert not np.array_equal(one.dwell_s, two.dwell_s)
    draws = [stream(1, purpose).random(2000) for purpose in Purpose]
    correlation = np.corrcoef(draws)[~np.eye(len(draws), dtype=bool)]
    assert np.abs(correlation).max() < 4 / np.sqrt(2000)
    with pytest.raises(ValueError, match="seed is -1"):
        stream(-1, Purpose.TALK)
