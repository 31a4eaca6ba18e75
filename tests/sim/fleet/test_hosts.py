"""Fleets from flags, and the sentences that refuse them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.listener import RESERVE
from sim.fleet.control_plane import ControlPlane
from sim.fleet.hosts import Fleet, Host, parse_fleet
from sim.fleet.units import FleetError, parse_bytes, parse_rate


@pytest.mark.parametrize(
    ("text", "mbit"), [("10G", 1e4), ("2.5 Gbit/s", 2500), ("940M", 940), ("1000000", 1), ("100kbps", 0.1)]
)
def test_rates_are_read_as_they_are_written_on_cards(text: str, mbit: float) -> None:
    assert parse_rate(text) == pytest.approx(mbit)


@pytest.mark.parametrize("text", ["", "G", "-1G", "10X", "1e9G", "10GB", "0G", "nan", "10 G G"])
def test_what_is_no_rate_is_refused_with_its_flag(text: str) -> None:
    with pytest.raises(FleetError, match=r"^--nic is "):
        parse_rate(text)


def test_sizes_have_decimal_and_binary_prefixes() -> None:
    assert parse_bytes("16G") == 16e9
    assert parse_bytes("16GiB") == 16 * 2**30
    with pytest.raises(FleetError, match="--memory"):
        parse_bytes("16Gbit/s")


@given(st.integers(1, 20), st.integers(2, 64), st.integers(1, 2))
def test_every_core_beside_the_control_plane_runs_one_relay(hosts: int, cores: int, processes: int) -> None:
    if hosts * cores <= processes:
        return
    fleet = Fleet(Host(cores=cores), hosts, control=ControlPlane(processes))
    on = [fleet.host_of(relay) for relay in range(fleet.relays)]
    assert on == sorted(on)
    assert max(on, default=0) == hosts - 1
    assert on.count(0) == cores - processes
    assert all(on.count(host) == cores for host in range(1, hosts))


def test_a_fleet_from_flags() -> None:
    fleet = parse_fleet("4", "8", "10G")
    assert (fleet.relays, fleet.host.nic_mbit_s) == (31, 10_000)
    assert any("several hosts" in each for each in fleet.cautions())
    assert not Fleet().cautions()
    for flags in (("0",), ("1.5",), ("1", "x")):
        with pytest.raises(FleetError, match=r"^--(hosts|cores) is "):
            parse_fleet(*flags)
    with pytest.raises(FleetError, match="leave none for a relay"):
        parse_fleet("1", "1")


def test_connections_are_those_that_the_server_lets_in() -> None:
    control = ControlPlane()
    assert control.base_files == RESERVE
    assert control.connections(1024) == 1024 - 128 - 64
    assert control.connections(65_536) == 65_536 - 2048 - 64
    assert control.connections(128) == 128 - 16 - 32
