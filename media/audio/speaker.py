"""What a relay keeps of its speakers, as tables that compiled functions run over.

A relay of many rooms has hundreds of speakers to serve in a tick of 20 ms. So the state of jitter buffer, delay
and levels is no Python object but a record, each rule is one compiled function on such a record, and the classes
(``JitterBuffer``, ``DelayTarget``, ``Activity``, ``Playout``) are what Python sees of it.

Payloads wait in slots that all speakers share, the one that was freed last being used first: it is still in the
cache, and a speaker of whom two packets wait takes two.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.audio.packet import RATE

TICK = RATE // 50
"""Samples played per tick of 20 ms."""

CAPACITY = 256
"""Packets of a speaker held at most; 0.64 s of the shortest ones, and far more than is ever late of usual ones."""

WINDOW = 256
"""Packets whose transits are remembered: 5 s of 20 ms packets."""

SEEN = 1024
"""Sequence numbers of which it is known whether they have come; a power of two."""

SILENCE_DBOV = -127.0
"""The lowest level of RFC 6464 §3, also that of digital silence."""

PLAYS_MAX = 16
"""Packets that a tick can begin to play: eight of the shortest are 20 ms, and a correction takes twice that."""

PAYLOAD_MAX = 2048
"""Bytes; a payload that is larger has come through no network that we know."""

COUNTERS = (
    *(
        "received",
        "malformed",
        "duplicate",
        "late",
        "lost",
        "recovered_by_fec",
        "concealed",
        "discarded",
        "resets",
    ),
)
"""See :class:`media.audio.arrivals.Counters`."""

SPEAKER: np.dtype[Any] = np.dtype(
    [
        # media.audio.reorder, media.audio.cursor
        ("cursor", "i8"),  # timestamp of the next sample to be played, if "playing"
        ("expected", "i8"),  # sequence number
        ("waited_for", "i8"),
        ("bridged", "i8"),  # samples
        ("waiting", "i8"),  # how many of "slots" are taken
        ("usual", "i8"),  # samples of a packet
        ("fec_left", "i8"),
        ("loss", "f8"),
        ("playing", "u1"),
        ("dtx", "u1"),
        ("for_fec", "u1"),
        # media.audio.tick, media.audio.render, media.audio.pace
        ("muted", "u1"),
        ("spare", "u1"),
        ("gain", "f4"),
        ("held", "i8"),  # samples
        ("made_up", "i8"),
        ("patience", "i8"),
        ("impatience", "i8"),
        ("removable", "i8"),  # samples to take out in this tick
        ("lacking", "i8"),  # samples to put in
        ("resets_known", "i8"),
        ("told", "f8"),  # dBov; NaN: not told
        ("delay", "f8"),  # s
        ("spared", "i8"),  # slot + 1; 0: none
        ("decoder", "u8"),  # address of libopus' state; 0: closed, or not libopus
        # media.audio.levels
        ("level", "f8"),
        ("ticks_left", "i8"),
        ("loud", "i8"),  # one bit a tick, the latest lowest
        ("audible", "u1"),
        ("talking", "u1"),
        # whoever has the tables; of this tick's frame: "heard" to "frame_capture"
        ("talks", "u1"),
        ("leaving", "u1"),
        ("heard", "u1"),
        ("turned", "u1"),
        ("outcome", "u1"),
        ("loudness", "f8"),  # dBov
        ("frame_capture", "u8"),  # 64-bit NTP; 0: not known
        ("played", "i8"),  # how many packets; they stay in their slots until the next ones come
        ("plays", "i8", PLAYS_MAX),  # slots
        ("room", "i8"),
        ("next", "i8"),  # place + 1 of another one in the room; 0: none
        ("minus", "i8"),  # stream + 1 of what they hear while they talk; 0: none
        ("budget", "f8"),
        ("budget_at", "f8"),
        # media.audio.delay: transits in seconds
        ("target", "f8"),
        ("floor", "f8"),
        ("lowest", "f8"),
        ("highest", "f8"),
        ("transits", "i8"),
        ("turn", "i8"),  # how many were ever remembered since they were forgotten
        # media.audio.arrivals
        ("stream", "i8"),  # how many there have been
        ("ssrc", "i8"),  # of the one that goes on
        ("newest", "i8"),
        ("newest_timestamp", "i8"),
        ("newest_arrival", "f8"),
        ("stray", "i8"),  # slot + 1; 0: none
        ("capture", "u8"),
        ("capture_timestamp", "i8"),
        ("captured", "u1"),
        *((name, "i8") for name in COUNTERS),
        ("seen", "u1", SEEN),
        ("slots", "i8", CAPACITY + 1),  # by sequence number
        ("sorted", "f8", WINDOW),
        ("order", "f8", WINDOW),
    ],
    align=True,
)

PACKET: np.dtype[Any] = np.dtype(
    [
        ("sequence", "i8"),
        ("timestamp", "i8"),
        ("samples", "i8"),
        ("size", "i8"),
        ("arrival", "f8"),
        ("level", "f8"),  # dBov of RFC 6464; NaN: not told
        ("capture", "u8"),  # 64-bit NTP
        ("captured", "u1"),
        ("payload", "u1", PAYLOAD_MAX),
    ],
    align=True,
)
"""A packet that waits. A stray packet has its numbers as they came, others those of endless counters."""

HELD_SPACE = 8_192
"""Samples: nearly two ticks and the longest packet, 120 ms, which is decoded behind them."""

_FIRST_SLOTS = 16


@njit(nogil=True, cache=True)
def take_slot(free: Any) -> int:  # pragma: no cover
    """A free slot, -1 if there is none. ``free``: int64, how many there are and then which."""
    left = free[0]
    if left == 0:
        return -1
    free[0] = left - 1
    return free[left]


@njit(nogil=True, cache=True)
def free_slot(free: Any, slot: int) -> None:  # pragma: no cover
    """Return a slot."""
    free[0] += 1
    free[free[0]] = slot


class Speakers:
    """The tables. Whoever has them calls compiled functions with ``*speakers.tables``; never keep an array."""

    def __init__(self, places: int = 1) -> None:
        self.records: NDArray[Any] = np.zeros(places, SPEAKER)
        self.packets: NDArray[Any] = np.zeros(_FIRST_SLOTS, PACKET)
        self.free: NDArray[np.int64] = np.arange(_FIRST_SLOTS, -1, -1, dtype=np.int64)
        self.free[0] = _FIRST_SLOTS
        self.frames: NDArray[np.float32] = np.zeros((places, TICK), np.float32)
        """This tick's sound of each speaker."""
        self.held: NDArray[np.float32] = np.zeros((places, HELD_SPACE), np.float32)
        """Sound of each speaker for later ticks, as many samples as the record's "held"."""
        self._free_places = list(range(places - 1, -1, -1))

    def add(self) -> int:
        """A place for a speaker, whose record is as new."""
        if not self._free_places:
            size = len(self.records)
            self.records, self.frames = doubled(self.records), doubled(self.frames)
            held, self.held = self.held, np.zeros((2 * size, HELD_SPACE), np.float32)
            for place in np.flatnonzero(self.records["held"]).tolist():
                self.held[place] = held[place]
            self._free_places = list(range(2 * size - 1, size - 1, -1))
        place = self._free_places.pop()
        record = self.records[place]
        record["waited_for"], record["usual"], record["gain"] = -1, TICK, 1.0
        record["told"], record["level"] = np.nan, SILENCE_DBOV
        return place

    def remove(self, place: int) -> None:
        """Free the place, and the slots of all packets that wait there."""
        record = self.records[place]
        kept = [int(record[name]) - 1 for name in ("stray", "spared") if record[name]]
        for slot in [*record["slots"][: record["waiting"]].tolist(), *kept]:
            free_slot(self.free, slot)
        self.records[place] = np.zeros(1, SPEAKER)[0]
        self._free_places.append(place)

    def reserve(self, slots: int) -> None:
        """See to it that so many packets can be taken."""
        while self.free[0] < slots:
            size = len(self.packets)
            self.packets = doubled(self.packets)
            self.free = np.concatenate((self.free, np.zeros(size, np.int64)))
            for slot in range(2 * size - 1, size - 1, -1):
                free_slot(self.free, slot)


def doubled(table: NDArray[Any]) -> NDArray[Any]:
    """Twice the places, in the same record layout."""
    larger = np.zeros((2 * len(table), *table.shape[1:]), table.dtype)
    larger[: len(table)] = table
    return larger
