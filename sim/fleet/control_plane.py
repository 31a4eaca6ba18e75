"""The control plane: the server's processes, what a join, a call and an event cost them, and their database.

Signaling, rules and the store run in one process on one core. Its costs were measured on a 2-core AMD EPYC
virtual machine (README, Measured): a join takes 1.25 ms of the process (twin.md §1), 1,500 API calls a second fill
a core (``bench api``), half of them writing to the database.
"""

from dataclasses import dataclass

from sim.fleet.units import FleetError


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Server processes and what each unit of work costs one of them, in CPU seconds."""

    processes: int = 1
    join_s: float = 1.25e-3
    """A join: HTTP, rights, the offer handed to a relay, presence and the store."""
    call_s: float = 0.5e-3
    """An API call without its write."""
    event_s: float = 10e-6
    """An event written to one reader's stream (?)."""
    write_s: float = 0.3e-3
    """A write in the database, batched with others (?)."""
    writes_per_call: float = 0.5
    """As ``bench api`` mixes calls."""
    base_files: int = 64
    """Descriptors for the database, relays and files (``media.server.listener.RESERVE``)."""
    backlog_share: float = 0.125
    """Of the descriptors, kept for connections that wait (``media.server.listener.backlog``)."""
    backlog_most: int = 2048
    base_bytes: float = 110e6
    """Resident memory of a process without sessions; ``bench start`` finds 281 MB with one relay."""
    session_bytes: float = 5e3
    """Memory of one session in the server's process (?)."""

    def __post_init__(self) -> None:
        """Refuse what is no control plane; :raises FleetError: which, in one sentence."""
        if self.processes < 1:
            raise FleetError(f"the control plane has {self.processes} processes; it needs at least one")
        if min(self.join_s, self.call_s) <= 0 or min(self.event_s, self.write_s, self.writes_per_call) < 0:
            raise FleetError("the costs of the control plane must be more than 0")

    def cpu(self, joins_per_s: float, calls_per_s: float = 0.0, events_per_s: float = 0.0) -> float:
        """CPU seconds a second of all its processes."""
        return self.join_s * joins_per_s + self.call_cpu_s * calls_per_s + self.event_s * events_per_s

    @property
    def call_cpu_s(self) -> float:
        """CPU seconds of an API call with its share of writes."""
        return self.call_s + self.write_s * self.writes_per_call

    @property
    def joins_per_s(self) -> float:
        """Joins a second that fill all processes, with nothing else to do."""
        return self.processes / self.join_s

    def connections(self, open_files: int) -> int:
        """Connections that one process may hold of so many descriptors, as ``media.server.listener.capacity``."""
        backlog = min(self.backlog_most, int(open_files * self.backlog_share))
        return open_files - backlog - min(self.base_files, open_files // 4)
