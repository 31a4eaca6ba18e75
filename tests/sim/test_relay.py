import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.relay import CostModel, Demand, serve

COST = CostModel(base_s=0.03, packet_s=6e-6, join_s=2.5e-3, talker_s=0.012, bytes_per_packet=120.0)


def demand(listeners: list[int], joins: list[int], talking: float = 1.0) -> Demand:
    n = len(listeners)
    return Demand(np.array(listeners), np.array(joins), np.full(n, talking), np.full(n, talking))


def test_capacity_is_the_inverse_of_cost() -> None:
    listeners = COST.listeners(0.65)
    assert COST.cpu(listeners * 50, 0.0, 1.0) == pytest.approx(0.65)
    assert COST.listeners(0.01) == 0
    assert COST.egress_mbit_s(1000) == pytest.approx(1000 * 50 * (120 + 42) * 8 / 1e6)


def test_an_idle_relay_costs_what_the_model_says() -> None:
    found = serve(demand([100, 200, 200], [100, 100, 0]), COST)
    assert found["cpu_s"].to_list() == pytest.approx(
        list(COST.cpu(np.array([0, 5000, 10000]), [100, 100, 0], 1.0))
    )
    assert found["waiting"].sum() == 0
    assert found["late_share"].sum() == 0
    assert found["t"].to_list() == [1.0, 2.0, 3.0]


def test_a_join_storm_makes_people_wait_and_is_worked_off() -> None:
    storm = demand([5000] + [5000] * 19, [5000] + [0] * 19)
    one, four = serve(storm, COST, 1), serve(storm, COST, 4)
    assert one["join_wait_s"][0] > 5 * four["join_wait_s"][0]
    assert one["utilisation"].max() <= 1.0
    assert four["waiting"][-1] == 0
    assert four["listeners"][-1] == 5000
    # one relay cannot stream to 5,000: it stops taking people in when its core is full
    assert one["waiting"][-1] > 0


def test_packets_there_is_no_cpu_for_are_late() -> None:
    found = serve(demand([6000] * 3, [0] * 3), COST, 1)
    assert found["late_share"].min() > 0.4
    assert found["utilisation"].to_list() == pytest.approx([1.0] * 3)


def test_a_relay_that_is_quiet_in_silence_sends_less() -> None:
    quiet = CostModel(**{**COST.to_json(), "talking": 0.62})
    pause = demand([100] * 2, [0] * 2, talking=0.5)
    assert serve(pause, quiet)["packets"].to_list() == [2500, 2500]
    assert serve(pause, COST)["packets"].to_list() == [5000, 5000]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.integers(1, 4))
def test_every_join_is_served_or_waiting(joins: list[int], relays: int) -> None:
    found = serve(demand(np.cumsum(joins).tolist(), joins), COST, relays)
    served = found["joins"].cum_sum().to_numpy()
    assert np.array_equal(served + found["waiting"].to_numpy(), np.cumsum(joins))
    assert np.all(found["cpu_s"].to_numpy() <= relays + 1e-9)
    assert np.array_equal(found["listeners"].to_numpy() + found["waiting"].to_numpy(), np.cumsum(joins))


def test_no_relay_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one relay"):
        serve(demand([1], [1]), COST, 0)
