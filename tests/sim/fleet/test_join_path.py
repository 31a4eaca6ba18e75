"""Joins through their processes, against what queueing theory says of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.fleet.join_path import TICK_S, JoinPath, first_packets, sustained
from sim.fleet.units import FleetError


def test_a_join_alone_takes_its_work_its_latency_and_part_of_a_tick() -> None:
    path = JoinPath(server_s=0.002, relay_s=0.003, client_s=0.001, latency_s=0.01)
    took = first_packets(path, np.arange(200.0), seed=1)
    assert took.min() >= 0.016
    assert took.max() <= 0.016 + TICK_S
    assert took.mean() == pytest.approx(0.016 + TICK_S / 2, abs=2.58 * TICK_S / np.sqrt(12 * 200))


def test_waiting_in_front_of_one_process_is_that_of_m_d_1() -> None:
    """Pollaczek and Khinchine: mean wait ρ s / 2 (1 - ρ) with constant service."""
    service, rho, joins = 0.004, 0.7, 20_000
    arrivals = np.cumsum(np.random.default_rng(2).exponential(service / rho, joins))
    path = JoinPath(server_s=service, relay_s=0.0, latency_s=0.0)
    waits = first_packets(path, arrivals, seed=3) - service - TICK_S / 2
    blocks = waits.reshape(20, -1).mean(axis=1)
    expected = rho * service / (2 * (1 - rho))
    assert abs(blocks.mean() - expected) < 2.861 * blocks.std(ddof=1) / np.sqrt(20)  # Student, 19, 99 %


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (JoinPath(server_s=0.001, relay_s=0.0005), 1000),
        (JoinPath(server_s=0.001, relay_s=0.004, relays=2), 500),
        (JoinPath(server_s=0.001, relay_s=0.001, cores=1), 500),
        (JoinPath(server_s=0.001, relay_s=0.001, cores=1, busy=0.5), 250),
        (JoinPath(server_s=0.001, relay_s=0.001, client_s=0.005, cores=2), 200),
        (JoinPath(server_s=0.001, relay_s=0.001, client_s=0.001, cores=1, clients_apart=True), 500),
        (JoinPath(server_s=0.001, relay_s=0.001, client_s=0.005, cores=1, clients_apart=True, busy=0.1), 200),
    ],
)
def test_what_is_offered_beyond_the_limit_is_served_at_the_limit(path: JoinPath, limit: float) -> None:
    assert path.limit == pytest.approx(limit)
    assert sustained(path, 2000, 3 * limit, seed=4) == pytest.approx(limit, rel=0.03)
    assert sustained(path, 2000, 0.5 * limit, seed=4) == pytest.approx(0.5 * limit, rel=0.03)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 3), st.integers(1, 2))
def test_nobody_is_served_sooner_than_the_work_takes(arrivals: list[float], relays: int, cores: int) -> None:
    path = JoinPath(client_s=0.001, latency_s=0.002, relays=relays, cores=cores)
    took = first_packets(path, arrivals, seed=5)
    assert (took >= path.work_s + path.latency_s - 1e-9).all()
    ends = np.asarray(arrivals) + took
    assert ends.max() <= max(arrivals) + len(arrivals) * path.work_s + path.latency_s + TICK_S + 1e-9


def test_a_path_that_nobody_can_take_is_refused() -> None:
    with pytest.raises(FleetError, match="cost some time"):
        JoinPath(server_s=0.0, relay_s=0.0)
    with pytest.raises(FleetError, match="not busy"):
        JoinPath(cores=1, busy=1.0)
