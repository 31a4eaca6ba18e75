"""Puts a speaker's packets back into order and time, and never lets the delay stay behind.

A buffer that waits for a missing packet, as aiortc's does, keeps the time it waited for the rest of the stream.
Here time is a cursor on the speaker's own timeline. It moves on with every tick, whatever arrives, so a loss
costs sound and no delay. Only two things move it against the clock, and both are judged by the measured jitter
(``media.audio.delay``): it is set back, to buy delay, when packets came late and waiting for such has become
worth it; and ``Playout`` takes sound out when there is more delay than the jitter asks for.

While nothing plays (at the start, in a talker's pause, after a break) there is no cursor. The next packet sets
it anew, which makes every pause the place where delay is corrected for free.
"""

from math import isnan, nan
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from media.audio.arrivals import Counters, arrive
from media.audio.delay import DelayTarget
from media.audio.packet import DTX_SIZE, RATE, octets, spare_copy_in
from media.audio.speaker import CAPACITY, COUNTERS, TICK, Speakers, free_slot, take_slot
from media.audio.timeline import capture_at

LARGEST_EXCESS = 0.4
"""Seconds of delay too many that are cut in one go instead of being played away faster."""

SOON, SOONEST = 48, 240
"""Samples (1 and 5 ms) by which packets may be needed before the target: for long, and for a moment."""

GIVE_UP = 9_600
"""Samples (0.2 s) without a packet after which the talker counts as paused."""

FEC_ON, FEC_OFF, LOSS_CAP, LOSS_WEIGHT = 0.025, 0.0167, 0.06, 0.02
"""From two losses in 35 packets on, one tick more is waited so that the packet with the spare copy is there;
until about 1.3 s after the last loss. The loss rate is smoothed over 50 packets."""


DECODE, FEC, LOST, PAUSE = range(4)
"""What a step may be, in the order of :data:`KINDS`."""
KINDS: tuple[Literal["decode", "fec", "lost", "pause"], ...] = ("decode", "fec", "lost", "pause")


class Step(NamedTuple):
    """What to play next: ``samples`` of it, after leaving out the first ``skip`` that were too late."""

    kind: Literal["decode", "fec", "lost", "pause"]
    samples: int
    payload: bytes = b""
    skip: int = 0
    level: float | None = None
    """Of the packet, in dBov, if its sender says."""


# Packets in. ``speaker``, ``packets`` and ``free`` are of :class:`media.audio.speaker.Speakers`.


@njit(nogil=True, cache=True)
def _empty(speaker: Any, free: Any) -> None:  # pragma: no cover
    for at in range(speaker.waiting):
        free_slot(free, speaker.slots[at])
    speaker.waiting = 0
    speaker.playing = 0


@njit(nogil=True, cache=True)
def _remove_first(speaker: Any) -> int:  # pragma: no cover
    """The slot of the first packet, which no longer waits."""
    slot = speaker.slots[0]
    speaker.waiting -= 1
    for at in range(speaker.waiting):
        speaker.slots[at] = speaker.slots[at + 1]
    return slot


@njit(nogil=True, cache=True)
def _insert(speaker: Any, packets: Any, free: Any, slot: int) -> None:  # pragma: no cover
    """Let a packet wait in its place; one too many costs the oldest."""
    sequence = packets[slot].sequence
    if sequence < speaker.expected:
        speaker.late += 1
        free_slot(free, slot)
        return
    at = speaker.waiting
    while at > 0 and packets[speaker.slots[at - 1]].sequence > sequence:
        speaker.slots[at] = speaker.slots[at - 1]
        at -= 1
    speaker.slots[at] = slot
    speaker.waiting += 1
    if speaker.waiting > CAPACITY:
        free_slot(free, _remove_first(speaker))
        speaker.discarded += 1


@njit(nogil=True, cache=True)
def put(  # pragma: no cover
    speaker: Any,
    packets: Any,
    free: Any,
    sequence: int,
    timestamp: int,
    data: Any,
    size: int,
    arrival: float,
    captured: bool,
    capture: Any,
    level: float,
) -> None:
    """Take one packet, see :func:`media.audio.arrivals.arrive`."""
    stream = speaker.stream
    first, second = arrive(
        speaker, packets, free, sequence, timestamp, data, size, arrival, captured, capture, level
    )
    if stream != speaker.stream:
        _empty(speaker, free)
        speaker.expected = packets[first].sequence
    if first >= 0:
        _insert(speaker, packets, free, first)
    if second >= 0:
        _insert(speaker, packets, free, second)


@njit(nogil=True, cache=True)
def flush(speaker: Any, free: Any) -> None:  # pragma: no cover
    """See :meth:`JitterBuffer.flush`."""
    _empty(speaker, free)
    speaker.expected = speaker.newest + 1


# Sound out


@njit(nogil=True, cache=True)
def _target(speaker: Any) -> float:  # pragma: no cover
    samples = max(0, TICK - speaker.usual) + (TICK if speaker.for_fec else 0)
    return speaker.target + samples / RATE


@njit(nogil=True, cache=True)
def _too_early(speaker: Any, now: float) -> float:  # pragma: no cover
    """Samples by which what plays at ``now`` is ahead of the target; negative if it is behind."""
    return (_target(speaker) - now) * RATE + speaker.cursor


@njit(nogil=True, cache=True)
def excess(speaker: Any, now: float, held: int) -> int:  # pragma: no cover
    """See :meth:`JitterBuffer.excess`."""
    if not speaker.playing:
        return 0
    return held - TICK * int(np.ceil(_too_early(speaker, now) / TICK - 1e-6))


@njit(nogil=True, cache=True)
def shortage(speaker: Any, now: float, held: int, tolerated: int) -> int:  # pragma: no cover
    """See :meth:`JitterBuffer.shortage`."""
    if not speaker.playing or _too_early(speaker, now) < tolerated:
        return 0
    return -excess(speaker, now, held)


@njit(nogil=True, cache=True)
def _account(speaker: Any, head: Any) -> None:  # pragma: no cover
    """Count what is missing before ``head``, and judge whether to wait for FEC."""
    missing = head.sequence - speaker.expected
    speaker.lost += missing
    loss = speaker.loss * (1 - LOSS_WEIGHT) ** (missing + 1) + LOSS_WEIGHT * missing
    speaker.loss = min(loss, LOSS_CAP)
    if speaker.loss > (FEC_OFF if speaker.for_fec else FEC_ON):
        copied = spare_copy_in(head.payload, head.size)
        speaker.fec_left = 50 if copied else max(speaker.fec_left - 1, 0)
        speaker.for_fec = speaker.fec_left > 0
    else:
        speaker.for_fec = 0


@njit(nogil=True, cache=True)
def _drop(speaker: Any, packets: Any, free: Any) -> None:  # pragma: no cover
    head = packets[speaker.slots[0]]
    _account(speaker, head)
    speaker.expected = head.sequence + 1
    free_slot(free, _remove_first(speaker))


@njit(nogil=True, cache=True)
def _take(speaker: Any, packets: Any, gap: int) -> tuple[int, int, int, int]:  # pragma: no cover
    """Play the first packet, whose timestamp is ``gap`` (zero or negative) ahead of the cursor."""
    slot = _remove_first(speaker)
    head = packets[slot]
    _account(speaker, head)
    speaker.cursor = head.timestamp + head.samples
    speaker.expected = head.sequence + 1
    speaker.dtx = head.size <= DTX_SIZE
    speaker.usual = head.samples
    return DECODE, head.samples + gap, slot, -gap


@njit(nogil=True, cache=True)
def start(speaker: Any, packets: Any, free: Any, now: float) -> bool:  # pragma: no cover
    """Begin to play at the first packet that is neither too old nor too young for the target; True if one is."""
    while speaker.waiting:
        head = packets[speaker.slots[0]]
        age = now - head.timestamp / RATE - _target(speaker)
        if age < 0:
            return False
        if age < TICK / RATE or speaker.waiting == 1:
            speaker.cursor, speaker.playing, speaker.bridged = head.timestamp, 1, 0
            return True
        _drop(speaker, packets, free)
        speaker.discarded += 1
    return False


@njit(nogil=True, cache=True)
def _catch_up(speaker: Any, packets: Any, free: Any, now: float) -> None:  # pragma: no cover
    """Set the cursor back if packets came late and that is worth waiting for, else drop what is too late."""
    if speaker.bridged and speaker.waiting:
        head = packets[speaker.slots[0]]
        wanted = _too_early(speaker, now)
        if wanted > 0:
            back = speaker.cursor - min(speaker.bridged, TICK * int(np.ceil(wanted / TICK)))
            missing = head.sequence - speaker.expected
            earliest = head.timestamp - missing * max(head.samples, speaker.usual, TICK)
            speaker.cursor = min(speaker.cursor, max(back, earliest))
        speaker.bridged = 0
    while speaker.waiting:
        head = packets[speaker.slots[0]]
        if speaker.cursor - head.timestamp <= head.samples // 2:
            break
        _drop(speaker, packets, free)
        speaker.late += 1
        speaker.lost += 1


@njit(nogil=True, cache=True)
def _bridge(speaker: Any, samples: int) -> tuple[int, int, int, int]:  # pragma: no cover
    """Nothing is there: the talker paused, or packets are lost or late, which only the next one can tell."""
    if speaker.dtx or speaker.bridged >= GIVE_UP:
        speaker.playing = 0
        return PAUSE, samples, -1, 0
    samples += -samples % 120
    speaker.cursor += samples
    speaker.bridged += samples
    return LOST, samples, -1, 0


@njit(nogil=True, cache=True)
def _fill(  # pragma: no cover
    speaker: Any, now: float, gap: int, slot: int, head: Any, samples: int
) -> tuple[int, int, int, int]:
    """Play the time before ``head``: a pause if no packet is missing or too few are, else a loss."""
    missing = head.sequence - speaker.expected
    longest = max(head.samples, speaker.usual, TICK)
    if gap > missing * longest:
        speaker.playing = 0
        return PAUSE, min(gap, samples), -1, 0
    spare = head.samples if spare_copy_in(head.payload, head.size) else 0
    too_early = _too_early(speaker, now)
    if speaker.waited_for != speaker.expected and too_early > (TICK // 2 if gap <= spare else 0):
        speaker.waited_for = speaker.expected  # once: what is missing may be late, not lost
        return LOST, samples + -samples % 120, -1, 0
    if gap <= spare:
        speaker.cursor = head.timestamp
        speaker.recovered_by_fec += 1
        return FEC, gap, slot, 0
    samples = min(samples, gap - spare)
    speaker.cursor += samples
    return LOST, samples, -1, 0


@njit(nogil=True, cache=True)
def next_step(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, now: float, samples: int
) -> tuple[int, int, int, int]:
    """As :meth:`JitterBuffer.next`: kind, samples, slot and how many to skip.

    With :data:`DECODE` the slot is the caller's to free; with :data:`FEC` the packet goes on waiting.
    """
    if speaker.playing and _too_early(speaker, now) < -LARGEST_EXCESS * RATE:
        speaker.playing = 0
    if not speaker.playing and not start(speaker, packets, free, now):
        return PAUSE, samples, -1, 0
    _catch_up(speaker, packets, free, now)
    if not speaker.waiting:
        return _bridge(speaker, samples)
    slot = speaker.slots[0]
    gap = packets[slot].timestamp - speaker.cursor
    if gap > 0:
        return _fill(speaker, now, gap, slot, packets[slot], samples)
    return _take(speaker, packets, gap)


@njit(nogil=True, cache=True)
def is_due(speaker: Any, packets: Any, now: float) -> bool:  # pragma: no cover
    """Whether the packet of exactly this tick is there, nothing was made up before it, and it is not too old."""
    if not speaker.playing or speaker.bridged or not speaker.waiting:
        return False
    head = packets[speaker.slots[0]]
    if head.sequence != speaker.expected or head.timestamp != speaker.cursor or head.samples != TICK:
        return False
    return _too_early(speaker, now) >= -LARGEST_EXCESS * RATE


@njit(nogil=True, cache=True)
def take_due(speaker: Any, packets: Any) -> tuple[int, int, int, int]:  # pragma: no cover
    """What :func:`next_step` would give to one of whom :func:`is_due` holds, at a fraction of its cost."""
    return _take(speaker, packets, 0)


@njit(nogil=True, cache=True)
def put_aside(speaker: Any, free: Any, slot: int) -> None:  # pragma: no cover
    """Keep a packet that was taken and not decoded, in the place of the one before."""
    if speaker.spared:
        free_slot(free, speaker.spared - 1)
    speaker.spared = slot + 1


@njit(nogil=True, cache=True)
def take_aside(speaker: Any) -> int:  # pragma: no cover
    """The slot of the packet that was put aside, the caller's to free; -1 if there is none."""
    slot = speaker.spared - 1
    speaker.spared = 0
    return slot


# What Python calls: arrays cross over eight times as fast as a record does.


@njit(nogil=True, cache=True)
def _put(  # pragma: no cover
    records: Any,
    place: int,
    packets: Any,
    free: Any,
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
    put(speaker, packets, free, sequence, timestamp, data, size, arrival, captured, capture, level)


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
    ) -> None:
        """Take one packet: 16-bit sequence number, 32-bit timestamp at 48 kHz, Opus payload.

        ``arrival`` is in seconds, ``capture`` the 64-bit NTP time of abs-capture-time and ``level`` the dBov of
        RFC 6464, if the packet had them.
        Nothing raises; whatever cannot be used is counted.
        """
        own = self._speakers
        own.reserve(1)
        _put(
            *(own.records, self._place, own.packets, own.free, sequence, timestamp, octets(payload), len(payload)),
            *(arrival, capture is not None, np.uint64(capture or 0), nan if level is None else level),
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
        """Samples that could be taken out at once without making packets late more often than now.

        Sound leaves in ticks, so a packet is needed at the tick that contains its first sample: the delay
        between that and the target cannot be used, and does not count. Negative if there is too little delay.
        """
        return _excess(self._speakers.records, self._place, now, held)

    def shortage(self, now: float, held: int, tolerated: int = SOON) -> int:
        """Samples that would have to be added so that packets are needed no sooner than the target.

        0 if they are needed less than ``tolerated`` samples too soon: the target wavers.
        """
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

    # What is left out because nobody would hear it

    def keep(self, payload: bytes) -> None:
        """Put aside a packet that was taken and not decoded, in the place of the one before."""
        own = self._speakers
        own.reserve(1)
        slot = take_slot(own.free)
        packet = own.packets[slot]
        packet["payload"][: len(payload)], packet["size"] = np.frombuffer(payload, np.uint8), len(payload)
        put_aside(self._record, own.free, slot)

    def kept(self) -> bytes:
        """The packet that was put aside, which is then forgotten; empty if there is none."""
        own = self._speakers
        slot = int(own.records["spared"][self._place]) - 1
        own.records["spared"][self._place] = 0
        return self.payload(slot) if slot >= 0 else b""
