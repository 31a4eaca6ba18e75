"""Puts a speaker's packets back into order and time, and never lets the delay stay behind.

A buffer that waits for a missing packet, as aiortc's does, keeps the time it waited for the rest of the stream.
Here packets wait in order (``media.audio.reorder``) for a cursor that goes on whatever arrives
(``media.audio.cursor``). Only two things move it against the clock, and both are judged by the measured jitter
(``media.audio.delay``): it is set back, to buy delay, when packets came late and waiting for such has become
worth it; and sound is taken out when there is more delay than the jitter asks for (``media.audio.pace``).

This is the face for Python of what is compiled there. A kernel that has many speakers calls the functions.
"""

from math import isnan, nan
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from media.audio.arrivals import Counters
from media.audio.cursor import DECODE, PAUSE, excess, is_due, next_step, shortage, take_due
from media.audio.delay import DelayTarget
from media.audio.packet import octets
from media.audio.reorder import flush, put
from media.audio.speaker import COUNTERS, Speakers
from media.audio.timeline import capture_at

KINDS: tuple[Literal["decode", "fec", "lost", "pause"], ...] = ("decode", "fec", "lost", "pause")
"""What a step may be, in the order of :data:`media.audio.cursor.DECODE` and the others."""


class Step(NamedTuple):
    """What to play next: ``samples`` of it, after leaving out the first ``skip`` that were too late."""

    kind: Literal["decode", "fec", "lost", "pause"]
    samples: int
    payload: bytes = b""
    skip: int = 0
    level: float | None = None
    """Of the packet, in dBov, if its sender says."""


class JitterBuffer:
    """One speaker's packets between network and decoder; no I/O, no clock, no sound.

    Its inputs are ``put``, for each packet as it arrives, and ``next``, whenever the player needs more sound;
    ``Playout`` does both. Times are seconds on one monotonic clock. It belongs to one thread, and its state is a
    record among that of other speakers, or alone.
    """

    def __init__(self, speakers: Speakers | None = None, place: int | None = None) -> None:
        self._speakers = speakers = speakers or Speakers()
        self._place = place = speakers.add() if place is None else place
        self.delay = DelayTarget(speakers, place)

    def __len__(self) -> int:
        """Packets that wait."""
        return int(self._record["waiting"])

    @property
    def _record(self) -> Any:
        return self._speakers.records[self._place]

    @property
    def counters(self) -> Counters:
        """What became of the packets until now."""
        record = self._record
        return Counters(*(int(record[name]) for name in COUNTERS))

    # Packets in

    def put(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        arrival: float,
        capture: int | None = None,
        level: float | None = None,
        ssrc: int = 0,
    ) -> None:
        """Take one packet: 16-bit sequence number, 32-bit timestamp at 48 kHz, Opus payload.

        ``arrival`` is in seconds, ``capture`` the 64-bit NTP time of abs-capture-time and ``level`` the dBov of
        RFC 6464, if the packet had them. Another ``ssrc`` than before begins another stream.
        Nothing raises; whatever cannot be used is counted.
        """
        own = self._speakers
        own.reserve(1)
        _put(
            *(own.records, self._place, own.packets, own.free, ssrc, sequence, timestamp),
            *(octets(payload), len(payload), arrival),
            *(capture is not None, np.uint64(capture or 0), nan if level is None else level),
        )

    # Sound out

    @property
    def playing(self) -> bool:
        """False in a pause, when ``next`` gives nothing but pauses until another packet comes."""
        return bool(self._record["playing"])

    @property
    def empty(self) -> bool:
        """No packet waits."""
        return not self._record["waiting"]

    def position(self, held: int) -> int | None:
        """Timestamp of the next sample to be played, if ``held`` samples were taken and not yet played."""
        record = self._record
        return int(record["cursor"]) - held if record["playing"] else None

    def capture_at(self, timestamp: int) -> int | None:
        """Capture time (64-bit NTP) of the sample at ``timestamp``; None if the speaker sends none."""
        record = self._record
        if not record["captured"]:
            return None
        return capture_at(timestamp, int(record["capture"]), int(record["capture_timestamp"]))

    def excess(self, now: float, held: int) -> int:
        """See :func:`media.audio.cursor.excess`."""
        return _excess(self._speakers.records, self._place, now, held)

    def shortage(self, now: float, held: int, tolerated: int) -> int:
        """See :func:`media.audio.cursor.shortage`."""
        return _shortage(self._speakers.records, self._place, now, held, tolerated)

    def flush(self) -> None:
        """Drop all packets that wait, without counting a loss: nobody is to hear them."""
        flush(self._record, self._speakers.free)

    def next(self, now: float, samples: int) -> Step:
        """The next stretch of sound, at least one sample of it; ``samples`` are wanted to fill the tick.

        A packet is given whole, even if it is longer; a pause or a loss never exceeds ``samples`` by more than
        119 (concealment comes in multiples of 2.5 ms).
        """
        own = self._speakers
        return self._step(*_next(own.records, self._place, own.packets, own.free, now, samples))

    def due(self, now: float) -> Step | None:
        """What ``next`` would give if nothing is out of the ordinary, at a fraction of its cost; else None."""
        own = self._speakers
        step = _due(own.records, self._place, own.packets, now)
        return self._step(*step) if step[1] else None

    def _step(self, kind: int, samples: int, slot: int, skip: int) -> Step:
        if slot < 0:
            return Step(KINDS[kind], samples)
        level = float(self._speakers.packets["level"][slot])
        payload = self.payload(slot, kind == DECODE)
        return Step(KINDS[kind], samples, payload, skip, None if isnan(level) else level)

    def payload(self, slot: int, free: bool = True) -> bytes:
        """What a slot holds, which then is free."""
        own = self._speakers
        if free:
            own.free[0] += 1
            own.free[own.free[0]] = slot
        return own.packets["payload"][slot, : own.packets["size"][slot]].tobytes()


# What Python calls: arrays cross over eight times as fast as a record does.


@njit(nogil=True, cache=True)
def _put(  # pragma: no cover
    records: Any,
    place: int,
    packets: Any,
    free: Any,
    ssrc: int,
    sequence: int,
    timestamp: int,
    data: Any,
    size: int,
    arrival: float,
    captured: bool,
    capture: Any,
    level: float,
) -> None:
    speaker = records[place]
    put(speaker, packets, free, ssrc, sequence, timestamp, data, size, arrival, captured, capture, level)


@njit(nogil=True, cache=True)
def _next(  # pragma: no cover
    records: Any, place: int, packets: Any, free: Any, now: float, samples: int
) -> tuple[int, int, int, int]:
    return next_step(records[place], packets, free, now, samples)


@njit(nogil=True, cache=True)
def _due(records: Any, place: int, packets: Any, now: float) -> tuple[int, int, int, int]:  # pragma: no cover
    speaker = records[place]
    return take_due(speaker, packets) if is_due(speaker, packets, now) else (PAUSE, 0, -1, 0)


@njit(nogil=True, cache=True)
def _excess(records: Any, place: int, now: float, held: int) -> int:  # pragma: no cover
    return excess(records[place], now, held)


@njit(nogil=True, cache=True)
def _shortage(records: Any, place: int, now: float, held: int, tolerated: int) -> int:  # pragma: no cover
    return shortage(records[place], now, held, tolerated)
