"""What the relay counts: plain numbers the media thread writes and anybody may read.

The media thread only adds; a reader takes copies (:meth:`RelayStats.copy`) and subtracts one from the next.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import accumulate

STAGES = ("jitter buffer", "tick late", "decode", "mix", "encode", "link", "fan-out", "tick")
"""Where a packet's time goes, from in to out. "tick late" is the start of a tick after its due time; "link" is
what a frame from the room's home waits for the tick of this relay. That and "jitter buffer" are observed once for
each frame, the others once a tick, for all rooms."""

BUCKETS = tuple(
    unit * step
    for unit in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    for step in (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
)
"""Upper bounds in seconds, 10 µs to 0.8 s; neighbours differ by a third at most, and by a fifth where a tick of
20 ms begins to be full."""


@dataclass
class Histogram:
    """Counts of durations by :data:`BUCKETS`; the last count is of all that is longer."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def count(self, places: Iterable[tuple[int, int]], seconds: float) -> None:
        """Count many: (index in ``counts``, how many) of each, and how long they are together."""
        for place, times in places:
            self.counts[place] += times
        self.total += seconds

    def add(self, other: "Histogram") -> None:
        """Count all that ``other`` has counted."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def cumulative(self) -> list[tuple[float, int]]:
        """(upper bound in seconds, how many were at most that long), as Prometheus wants it, up to infinity."""
        return list(zip([*BUCKETS, float("inf")], accumulate(self.counts), strict=True))

    def quantile(self, share: float) -> float:
        """Seconds below which ``share`` (0..1) of the durations lie, linear in a bucket; 0 if there are none."""
        wanted = share * sum(self.counts)
        below, lower = 0, 0.0
        for upper, count in zip([*BUCKETS, BUCKETS[-1]], self.counts, strict=True):
            if count and below + count >= wanted:
                return lower + (upper - lower) * (wanted - below) / count
            below, lower = below + count, upper
        return 0.0


RECEPTION = ("loss_ratio", "jitter_seconds", "round_trip_seconds")
"""What a listener's receiver reports say."""
HISTOGRAMS = ("stages", "reception")
"""Fields of :class:`RelayStats` that hold histograms by name."""


@dataclass
class RelayStats:
    """One relay since it started, unless a line says "now"."""

    processes: int = 1
    """Relays that these are the figures of, now."""
    sealers: Counter[str] = field(default_factory=Counter[str])
    """Those by what seals their packets, now (:func:`media.rtc.selftest.sealer`)."""
    listeners: int = 0
    """Sessions that hear, now."""
    speakers: int = 0
    """Participants whose sound may enter a mix, with a session to bring it, now."""
    rooms: int = 0
    """Mixed here, now."""
    linked_rooms: int = 0
    """Whose mix comes from another relay, now."""
    links: int = 0
    """To other relays, now."""
    link_packets: int = 0
    """Received from other relays, authentic."""
    link_lost: int = 0
    """Missing between those."""
    sessions: int = 0
    """Now, those still connecting included."""
    sessions_up: int = 0
    sessions_down: Counter[str] = field(default_factory=Counter[str])
    """By reason (see :data:`media.relay.plane.DownReason`)."""
    packets: int = 0
    """RTP packets sent."""
    octets: int = 0
    """UDP payload bytes sent."""
    send_failures: int = 0
    datagrams: int = 0
    """Received."""
    checks: int = 0
    """Consent checks answered without Python."""
    reports: int = 0
    """Compounds of reports read without Python."""
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Received datagrams that were not used, by reason."""
    ticks: int = 0
    ticks_skipped: int = 0
    """Ticks left out because the machine stood still for longer than the schedule forgives."""
    talker_ticks: int = 0
    """Sum over ticks of the talkers in them; divided by ``ticks`` it is how many talk at once."""
    mixes: int = 0
    """Frames encoded."""
    recorder_refused: int = 0
    """Ticks that the recorder had no room for: a hole in the evidence of all rooms that were recorded."""
    cpu_seconds: float = 0.0
    """CPU time of the media thread."""
    process_cpu_seconds: float = 0.0
    """CPU time of the relay's own process with all its threads; 0 where it has none of its own."""
    resident_bytes: int = 0
    """Memory of the relay's own process, now; 0 likewise."""
    tick_late_max: float = 0.0
    """Largest lateness of a tick in seconds, in the last whole second."""
    faults: int = 0
    """Unexpected errors, each logged with its traceback; anything but 0 is a bug."""
    speaker_frames: Counter[str] = field(default_factory=Counter[str])
    """Frames pulled from speakers, by kind: speech, fec, concealed, silence."""
    stages: dict[str, Histogram] = field(default_factory=lambda: {stage: Histogram() for stage in STAGES})
    reception: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in RECEPTION})
    """Over listeners, now: what each said last."""

    def copy(self) -> "RelayStats":
        """A copy that the media thread does not write to."""
        return deepcopy(self)

    def past(self) -> "RelayStats":
        """What stays of a relay that has ended: all but what is "now"."""
        fresh = RelayStats()
        return replace(self.copy(), **dict.fromkeys(_PRESENT, 0), sealers=fresh.sealers, reception=fresh.reception)


_PRESENT = (
    "processes",
    "listeners",
    "speakers",
    "rooms",
    "linked_rooms",
    "links",
    "sessions",
    "resident_bytes",
    "tick_late_max",
)


def total(parts: Iterable[RelayStats]) -> RelayStats:
    """Several relays as if they were one: sums, and the largest lateness of a tick."""
    whole = RelayStats(processes=0)
    for part in parts:
        for name, value in vars(part).items():
            if name == "tick_late_max":
                whole.tick_late_max = max(whole.tick_late_max, value)
            elif name in HISTOGRAMS:
                for key, histogram in value.items():
                    getattr(whole, name)[key].add(histogram)
            else:
                setattr(whole, name, getattr(whole, name) + value)
    return whole
