"""What the fleet's benchmarks compute from what they measure: costs that are known come out again."""

import numpy as np
import pytest

from loadtest.bench.fleet_evening import RELAYS, SPEAKERS, Seconds, fitted, planned
from loadtest.bench.fleet_failover import with_latency
from loadtest.bench.fleet_joins import Cost
from loadtest.bench.fleet_joins import fitted as fitted_path
from loadtest.bench.process_cpu import Cpu
from loadtest.bench.provocation import Steps, step_sizes
from loadtest.bench.saturation import cost_when_busy
from sim.fleet.bottlenecks import CARD, CORE, TICK
from sim.fleet.cost import joined_ticks
from sim.fleet.evening import spread_evening
from sim.fleet.hosts import Fleet, Host
from sim.fleet.join_path import JoinPath, first_packets
from sim.relay import Demand


def test_costs_of_a_relay_are_found_in_its_seconds() -> None:
    rng = np.random.default_rng(1)
    shape = 60, RELAYS
    sessions, joins, leaves = rng.uniform(0, 100, shape), rng.uniform(0, 60, shape), rng.uniform(0, 60, shape)
    home = np.zeros(shape)
    home[:, 0] = SPEAKERS
    exact = 0.02 + 8e-6 * 50 * sessions + 2e-3 * joins + 1e-3 * joined_ticks(joins) + 2e-4 * leaves + 0.01 * home
    found = fitted(Seconds(exact * rng.normal(1.0, 0.02, shape), sessions, joins, leaves))
    assert found.cost.model.packet_s == pytest.approx(8e-6, rel=0.1)
    assert found.cost.model.join_s == pytest.approx(2e-3, rel=0.2)
    assert float(found.cost.cpu(2_500.0, 90.0, 2.0)) == pytest.approx(
        0.02 + 0.02 + 0.18 + 1e-3 * joined_ticks(90.0) + 0.02, rel=0.03
    )


def test_the_worst_of_noisy_seconds_is_beyond_the_worst_of_the_mean() -> None:
    n = 200
    demand = Demand(np.full(n, 50), np.eye(1, n, dtype=np.int64)[0] * 50, np.ones(n), np.ones(n))
    evening = spread_evening(demand, Fleet(Host(cores=RELAYS + 1)), seed=1)
    rng = np.random.default_rng(2)
    sessions = rng.uniform(0, 100, (60, RELAYS))
    exact = 0.02 + 8e-6 * 50 * sessions
    nothing = np.zeros_like(sessions)
    quiet = fitted(Seconds(exact, sessions, nothing, nothing))
    noisy = fitted(Seconds(exact * rng.normal(1.0, 0.1, exact.shape), sessions, nothing, nothing))
    worst = evening.worst(quiet.cost)[0]
    assert planned(evening, quiet) == pytest.approx(worst, rel=1e-6)
    assert planned(evening, noisy) > 1.05 * worst


def test_a_join_costs_less_at_a_core_that_is_always_busy() -> None:
    """A cost of 2 ms, and 3 ms more for a join that finds its core idle: u = j (c + w (1 - u))."""

    def cost(rate: float) -> Cost:
        busy = rate * 5e-3 / (1 + rate * 3e-3)
        each = 2e-3 + 3e-3 * (1 - busy)
        return Cost(rate, Cpu(each / 4, (each * 3 / 4,), 1e-3), 0.0, 0.03)

    path = fitted_path([cost(rate) for rate in (50.0, 120.0, 200.0)])
    assert path.server_s == pytest.approx(0.5e-3)
    assert path.relay_s == pytest.approx(1.5e-3)
    assert path.client_s == pytest.approx(1e-3)
    assert path.limit == pytest.approx(500)


def test_a_cost_that_does_not_fall_is_the_mean_and_one_load_is_all_there_is() -> None:
    assert cost_when_busy([2.0], [0.5]) == 2.0
    assert cost_when_busy([1.0, 2.0, 3.0], [0.2, 0.4, 0.6]) == 2.0
    assert cost_when_busy([10.0, 1.0], [0.5, 0.6]) == pytest.approx(0.3)


def test_the_latency_of_a_burst_is_found_again() -> None:
    path = JoinPath(latency_s=0.0, relays=3, cores=2, busy=0.3, client_s=1e-3)
    known = JoinPath(latency_s=0.123, relays=3, cores=2, busy=0.3, client_s=1e-3)
    took = float(np.median(first_packets(known, np.zeros(40), 1, [0] * 40)))
    assert with_latency(path, 40, took).latency_s == pytest.approx(0.123, abs=0.003)
    assert with_latency(path, 40, 0.0).latency_s == 0.0


def test_knees_lie_where_a_line_or_the_first_loss_says() -> None:
    steps = Steps()
    for listeners in step_sizes(100):
        noise = 0.01 * (listeners % 3 - 1)
        lost = 5.0 if listeners > 120 else 0.0
        steps.add(listeners, {CORE: listeners / 104 + noise, TICK: 0.3, CARD: lost})
    assert steps.knee(TICK) is None
    assert steps.knee(CORE) == pytest.approx(104, rel=0.02)
    card = steps.knee(CARD)
    assert card is not None and 115 < card < 126
    assert steps.first() == (CORE, steps.knee(CORE))
    assert Steps([1], {CARD: [0.0]}).first() == ("", 0.0)


def test_steps_surround_the_knee_and_only_grow() -> None:
    assert step_sizes(1) == [1]
    sizes = step_sizes(60)
    assert sizes == sorted(set(sizes)) and sizes[0] < 60 < sizes[-1]
