"""Erlang's formulas against values of the literature and against themselves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.erlang import erlang_b, erlang_c, mean_wait, servers_for, wait_quantile

loads, servers = st.floats(0.01, 50), st.integers(1, 60)


@pytest.mark.parametrize(
    ("load", "count", "share"), [(1, 1, 0.5), (10, 10, 0.2146), (2, 4, 0.0952), (20, 30, 0.0085)]
)
def test_known_values_of_erlang_b(load: float, count: int, share: float) -> None:
    assert erlang_b(load, count) == pytest.approx(share, abs=5e-5)


def test_known_values_of_erlang_c() -> None:
    assert erlang_c(0.5, 1) == pytest.approx(0.5), "M/M/1: the load"
    assert mean_wait(0.5, 1, 60) == pytest.approx(60), "M/M/1: load / (1 - load) services"
    assert erlang_c(2, 3) == pytest.approx(4 / 9)


@given(loads, servers)
def test_one_more_server_never_makes_it_worse(load: float, count: int) -> None:
    assert erlang_c(load, count + 1) <= erlang_c(load, count) <= 1
    assert mean_wait(load, count + 1, 10) <= mean_wait(load, count, 10)


@given(loads, st.floats(1, 1_000), st.floats(0, 1_000), st.floats(0.5, 0.999))
def test_as_many_servers_as_are_needed_and_no_more(load: float, service: float, wait: float, q: float) -> None:
    count = servers_for(load, service, wait, q)
    assert wait_quantile(load, count, service, q) <= wait
    assert count == 1 or wait_quantile(load, count - 1, service, q) > wait


def test_too_much_load_waits_for_ever() -> None:
    assert math.isinf(mean_wait(3, 3, 1)) and math.isinf(wait_quantile(4, 3, 1, 0.5)) and erlang_c(4, 3) == 1
    with pytest.raises(ValueError, match="0 servers"):
        erlang_b(1, 0)
