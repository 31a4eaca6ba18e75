"""An evening over several relays: nobody is lost, and the worst second is that of a full relay."""

import numpy as np
import pytest

from sim.fleet.cost import LinearCost
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
    assert (found.sessions >= 0).all() and found.home.sum(axis=1).tolist() == [1] * 200
    assert (found.links.sum(axis=1) <= FLEET.relays - 1).all()


def test_the_worst_second_is_of_the_home_that_is_full_not_of_the_mean_relay() -> None:
    found = spread_evening(demand([50, 120, 120], [50, 70, 0]), FLEET, seed=3)
    assert found.sessions.tolist() == [[50, 0, 0], [100, 20, 0], [100, 20, 0]]
    assert found.links.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    worst, second, relay = found.worst(COST)
    assert (second, relay) == (1, 0)
    assert worst == pytest.approx(0.02 + 0.01 + 101 * 50 * 4e-6 + 50 * 1.5e-3)
    assert found.worst(COST, always=False)[0] < worst


def test_cards_carry_what_their_relays_send() -> None:
    found = spread_evening(demand([250], [250]), FLEET, seed=4)
    assert found.card_mbit_s(FLEET, COST).tolist()[0] == pytest.approx(
        [100 * 50 * 142 * 8e-6, 150 * 50 * 142 * 8e-6]
    )
