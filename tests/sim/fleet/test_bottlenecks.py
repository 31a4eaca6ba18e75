"""What breaks first, against what can be computed by hand."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.fleet.bottlenecks import (
    API,
    CARD,
    CORE,
    FILES,
    JOINS,
    MEMORY,
    RESOURCES,
    TICK,
    Limits,
    Load,
    bottlenecks,
    usage,
)
from sim.fleet.control_plane import ControlPlane
from sim.fleet.cost import LinearCost
from sim.fleet.hosts import Fleet, Host
from sim.fleet.relaxations import hosts_for, relaxations
from sim.fleet.units import FleetError
from sim.relay import CostModel

COST = LinearCost(CostModel(base_s=0.02, packet_s=4e-6, join_s=1.5e-3, talker_s=0.01, bytes_per_packet=100.0))
LOAD = Load(joins_per_listener_s=0.01)
LIMITS = Limits()


def knees(fleet: Fleet, load: Load = LOAD, limits: Limits = LIMITS) -> dict[str, int | None]:
    return {each.resource: each.listeners for each in bottlenecks(fleet, load, limits, COST)}


def test_every_resource_has_its_knee_and_the_first_is_in_front() -> None:
    found = bottlenecks(Fleet(), LOAD, Limits(), COST)
    assert {each.resource for each in found} == {*RESOURCES}
    numbers = [each.listeners for each in found if each.listeners is not None]
    assert numbers == sorted(numbers)


def test_one_relay_of_one_host_is_what_a_line_says() -> None:
    fleet = Fleet(Host(cores=2, nic_mbit_s=100.0))
    found = knees(fleet)
    assert found[TICK] == 18.0 / 4e-3 + 1
    assert found[CORE] == int((0.65 - 0.03) / (50 * 4e-6)) + 1
    assert found[CARD] == int(65.0 / (50 * 142 * 8e-6)) + 1
    assert found[FILES] == int(0.9 * ControlPlane().connections(65_536)) + 1


def test_the_home_fills_first_so_its_core_breaks_as_if_it_were_alone() -> None:
    tight = Limits(core_share=0.2)
    assert knees(Fleet(Host(cores=9)), limits=tight)[CORE] == knees(Fleet(Host(cores=2)), limits=tight)[CORE]
    spread = knees(Fleet(Host(cores=9), listeners_per_relay=500), limits=tight)[CORE]
    assert spread is not None and spread > 4_000


def test_a_card_is_shared_by_the_relays_of_its_host() -> None:
    one = Fleet(Host(cores=9, nic_mbit_s=100.0), listeners_per_relay=200)
    two = replace(one, host=replace(one.host, cores=5), hosts=2)
    alone, shared = knees(two)[CARD], knees(one)[CARD]
    assert alone is not None and shared is not None
    assert shared == int(65.0 / (50 * 142 * 8e-6)) + 1
    assert shared < alone <= 2 * shared


@pytest.mark.parametrize(
    ("resource", "fleet", "load"),
    [
        (JOINS, Fleet(Host(cores=5), listeners_per_relay=50), Load(joins_per_listener_s=2.0)),
        (CARD, Fleet(Host(nic_mbit_s=5.0)), LOAD),
        (FILES, Fleet(Host(open_files=128)), LOAD),
        (MEMORY, Fleet(Host(memory_bytes=352e6)), LOAD),
        (API, Fleet(), Load(joins_per_listener_s=0.001, calls_per_listener_s=2.0)),
    ],
)
def test_what_is_scarce_is_named_first(resource: str, fleet: Fleet, load: Load) -> None:
    assert bottlenecks(fleet, load, Limits(), COST)[0].resource == resource


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(2, 8), st.integers(50, 3000), st.integers(1, 8000))
def test_use_never_shrinks_while_listeners_come(hosts: int, cores: int, limit: int, listeners: int) -> None:
    fleet = Fleet(Host(cores=cores), hosts, limit)
    few = usage(fleet, LOAD, Limits(), COST, listeners)
    many = usage(fleet, LOAD, Limits(), COST, listeners + 97)
    assert all(many[each][0] >= few[each][0] - 1e-12 for each in RESOURCES)


def test_a_relaxation_gains_where_it_concerns_what_breaks_first() -> None:
    fleet = Fleet(Host(cores=4, nic_mbit_s=50.0), listeners_per_relay=100)
    found = {each.change: each for each in relaxations(fleet, LOAD, Limits(), COST, target=2_000)}
    assert found["a card twice as fast"].gain > 0
    assert found["a card twice as fast"].hosts_saved is not None
    assert found["twice the open files"].gain == 0
    assert found["packets of 40 ms"].gain > 0
    assert [each.gain for each in relaxations(fleet, LOAD, Limits(), COST)] == sorted(
        (each.gain for each in found.values()), reverse=True
    )


def test_hosts_for_a_target_are_the_fewest() -> None:
    fleet = Fleet(Host(cores=4, nic_mbit_s=50.0), listeners_per_relay=100)
    hosts = hosts_for(fleet, LOAD, Limits(), COST, 2_000)
    assert hosts is not None and hosts > 1
    for number, enough in ((hosts, True), (hosts - 1, False)):
        first = bottlenecks(replace(fleet, hosts=number), LOAD, Limits(), COST)[0].listeners
        assert first is not None and (first > 2_000) is enough
    filled_first = replace(fleet, listeners_per_relay=1500)
    assert hosts_for(filled_first, LOAD, Limits(), COST, 2_000) is None, "the first host's card is full by then"
    assert hosts_for(fleet, replace(LOAD, joins_per_listener_s=1.0), Limits(), COST, 2_000) is None


def test_limits_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(FleetError, match=r"core_share is 1\.5"):
        Limits(core_share=1.5)
    with pytest.raises(FleetError, match="tick_p99_ms"):
        Limits(tick_p99_ms=-1)
