"""Hosts: what relays share. Cores are theirs alone; the card, the file table and memory are the host's.

One process of the control plane and the relays it starts share the first host's cores; every other core of the
fleet runs one relay, since a relay has one media thread.
"""

from dataclasses import asdict, dataclass, field

from media.relay.placement import LISTENERS_PER_RELAY
from sim.fleet.control_plane import ControlPlane
from sim.fleet.units import FleetError, parse_bytes, parse_count, parse_rate


@dataclass(frozen=True, slots=True)
class Host:
    """One machine."""

    cores: int = 2
    nic_mbit_s: float = 1000.0
    """Rate of its network card, each way."""
    memory_bytes: float = 8e9
    open_files: int = 65_536
    """Descriptors of the process that holds the connections (``media.server.listener.DESCRIPTORS``)."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Equal hosts, numbered from 0, and what runs on them."""

    host: Host = Host()
    hosts: int = 1
    listeners_per_relay: int = LISTENERS_PER_RELAY
    """Sessions of a relay from which on a Space is spread to one more (``--listeners-per-relay``)."""
    control: ControlPlane = field(default_factory=ControlPlane)

    def __post_init__(self) -> None:
        """Refuse what is no fleet; :raises FleetError: which, in one sentence."""
        sizes = {**asdict(self.host), "hosts": self.hosts, "listeners_per_relay": self.listeners_per_relay}
        for name, value in sizes.items():
            if not 0 < value < float("inf"):
                raise FleetError(f"the fleet's {name} is {value:g}; it must be more than 0")
        if self.relays < 1:
            raise FleetError(
                f"{self.hosts} x {self.host.cores} cores leave none for a relay beside "
                f"{self.control.processes} processes of the control plane; give more --cores or --hosts"
            )

    @property
    def relays(self) -> int:
        """One for each core that the control plane leaves."""
        return self.hosts * self.host.cores - self.control.processes

    def host_of(self, relay: int) -> int:
        """The host that a relay runs on; relays are numbered host by host, the control plane's cores left out."""
        return (relay + self.control.processes) // self.host.cores

    def cautions(self) -> tuple[str, ...]:
        """What the fleet assumes that the server does not do yet, as sentences."""
        found: list[str] = []
        if self.hosts > 1:
            found.append(
                "a server starts its relays on its own machine: one Space over several hosts needs relays "
                "that a server reaches over the network"
            )
        if self.control.processes > 1:
            found.append("a Space's rules run in one process: more of them share the Spaces, not the joins of one")
        return tuple(found)


def parse_fleet(
    hosts: str = "1", cores: str = "2", nic: str = "1G", memory: str = "8G", open_files: str = "65536"
) -> Fleet:
    """A fleet from the values of the flags of these names; :raises FleetError: which of them is bad."""
    host = Host(
        cores=parse_count(cores, "--cores"),
        nic_mbit_s=parse_rate(nic, "--nic"),
        memory_bytes=parse_bytes(memory, "--memory"),
        open_files=parse_count(open_files, "--open-files"),
    )
    return Fleet(host, parse_count(hosts, "--hosts"))
