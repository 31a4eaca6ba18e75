"""An evening over several relays: nobody is lost, and the worst second is that of a full relay."""

import numpy as np
import pytest

from sim.fleet.cost import LinearCost, joined_ticks
from sim.fleet.evening import spread_evening
from sim.fleet.hosts import Fleet, Host
from sim.relay import CostModel, Demand

COST = LinearCost(CostModel(base_s=0.02, packet_s=4e-6, join_s=1.5e-3, talker_s=0.01, bytes_per_packet=100.0))
FLEET = Fleet(Host(cores=2), hosts=2, listeners_per_relay=100)


def demand(listeners: list[int], joins: list[int]) -> Demand:
    n = len(listeners)
    return Demand(np.array(listeners), np.array(joins), np.ones(n), np.full(n, 0.5))


def test_everybody_is_somewhere_in_every_second() -> None:
    rng = np.random.default_rng(1)
    listeners, joins, there = list[int](), list[int](), 0
    for _ in range(200):
        come = int(rng.integers(0, 20))
        there = int(rng.integers(max(0, there + come - 15), there + come + 1))
        joins.append(come)
        listeners.append(there)
    found = spread_evening(demand(listeners, joins), FLEET, seed=2)
    assert found.sessions.sum(axis=1).tolist() == listeners
    assert found.joins.sum(axis=1).tolist() == joins
    assert (np.diff(found.sessions, axis=0) == (found.joins - found.leaves)[1:]).all()
    assert (found.sessions >= 0).all() and found.home.sum(axis=1).tolist() == [1] * 200
    assert (found.links.sum(axis=1) <= FLEET.relays - 1).all()


def test_the_worst_second_is_of_the_home_that_is_full_not_of_the_mean_relay() -> None:
    found = spread_evening(demand([50, 120, 120], [50, 70, 0]), FLEET, seed=3)
    assert found.sessions.tolist() == [[50, 0, 0], [100, 20, 0], [100, 20, 0]]
    assert found.links.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    worst, second, relay = found.worst(COST)
    assert (second, relay) == (1, 0)
    assert worst == pytest.approx(0.02 + 0.01 + (75 + 1) * 50 * 4e-6 + 50 * 1.5e-3)
    assert found.worst(COST, always=False)[0] < worst
    gone = spread_evening(demand([50, 0], [50, 0]), FLEET, seed=3)
    assert gone.cpu(COST, leave_s=1e-3)[1, 0] - gone.cpu(COST)[1, 0] == pytest.approx(0.05)


def test_cards_carry_what_their_relays_send() -> None:
    found = spread_evening(demand([250, 250], [250, 0]), FLEET, seed=4)
    assert found.card_mbit_s(FLEET, COST).tolist()[1] == pytest.approx(
        [100 * 50 * 142 * 8e-6, 150 * 50 * 142 * 8e-6]
    )


def test_speakers_are_at_the_home_and_stay() -> None:
    found = spread_evening(demand([150, 0], [150, 0]), FLEET, seed=5, speakers=3)
    assert found.sessions.tolist() == [[100, 53, 0], [3, 0, 0]]


def test_joins_in_the_same_tick_share_what_waking_costs() -> None:
    cold = LinearCost(COST.model, cold_s=2e-3)
    assert joined_ticks(0.0) == 0
    assert joined_ticks(0.1) == pytest.approx(0.1, rel=1e-2)
    assert joined_ticks(1e4) == pytest.approx(50)
    assert cold.cpu(0.0, 100.0) - COST.cpu(0.0, 100.0) == pytest.approx(2e-3 * joined_ticks(100.0))
