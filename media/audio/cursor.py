"""What to play next: a cursor on the speaker's own timeline, which moves on with every tick.

Whatever arrives, time goes on, so a loss costs sound and no delay. The cursor is set back only to buy delay, when
packets came late and waiting for such has become worth it. While nothing plays (at the start, in a talker's pause,
after a break) there is none, and the next packet sets it anew.
"""

from typing import Any

import numpy as np
from numba import njit

from media.audio.packet import DTX_SIZE, RATE, spare_copy_in
from media.audio.reorder import remove_first
from media.audio.speaker import PLAYS_MAX, TICK, free_slot

LARGEST_EXCESS = 0.4
"""Seconds of delay too many that are cut in one go instead of being played away faster."""

GIVE_UP = 9_600
"""Samples (0.2 s) without a packet after which the talker counts as paused."""

FEC_ON, FEC_OFF, LOSS_CAP, LOSS_WEIGHT = 0.025, 0.0167, 0.06, 0.02
"""From two losses in 35 packets on, one tick more is waited so that the packet with the spare copy is there;
until about 1.3 s after the last loss. The loss rate is smoothed over 50 packets."""

DECODE, FEC, LOST, PAUSE = range(4)
"""What a step may be."""


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
    """Samples that could be taken out at once without making packets late more often than now.

    ``held`` were taken and not yet played. Sound leaves in ticks, so a packet is needed at the tick that contains
    its first sample: the delay between that and the target cannot be used, and does not count. Negative if there
    is too little delay.
    """
    if not speaker.playing:
        return 0
    return held - TICK * int(np.ceil(_too_early(speaker, now) / TICK - 1e-6))


@njit(nogil=True, cache=True)
def shortage(speaker: Any, now: float, held: int, tolerated: int) -> int:  # pragma: no cover
    """Samples that would have to be added so that packets are needed no sooner than the target.

    0 if they are needed less than ``tolerated`` samples too soon: the target wavers.
    """
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
    free_slot(free, remove_first(speaker))


@njit(nogil=True, cache=True)
def _take(speaker: Any, packets: Any, gap: int) -> tuple[int, int, int, int]:  # pragma: no cover
    """Play the first packet, whose timestamp is ``gap`` (zero or negative) ahead of the cursor."""
    slot = remove_first(speaker)
    if speaker.played < PLAYS_MAX:
        speaker.plays[speaker.played] = slot
        speaker.played += 1
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
    """The next stretch of sound, of which ``samples`` are wanted: kind, samples, slot and how many to skip.

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
