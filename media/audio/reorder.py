"""Packets back into order: each waits in its place until it is played, or is dropped unheard.

``speaker``, ``packets`` and ``free`` are those of :class:`media.audio.speaker.Speakers`: the record, all slots,
and the list of free ones. A speaker's record names the slots of the packets that wait, first to last.
"""

from typing import Any

from numba import njit

from media.audio.arrivals import arrive
from media.audio.speaker import CAPACITY, free_slot


@njit(nogil=True, cache=True)
def empty(speaker: Any, free: Any) -> None:  # pragma: no cover
    """Drop all that waits, and play no more."""
    for at in range(speaker.waiting):
        free_slot(free, speaker.slots[at])
    speaker.waiting = 0
    speaker.playing = 0


@njit(nogil=True, cache=True)
def remove_first(speaker: Any) -> int:  # pragma: no cover
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
        free_slot(free, remove_first(speaker))
        speaker.discarded += 1


@njit(nogil=True, cache=True)
def put(  # pragma: no cover
    speaker: Any,
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
    """Take one packet, see :func:`media.audio.arrivals.arrive`."""
    stream = speaker.stream
    first, second = arrive(
        speaker, packets, free, ssrc, sequence, timestamp, data, size, arrival, captured, capture, level
    )
    if stream != speaker.stream:
        empty(speaker, free)
        speaker.expected = packets[first].sequence
    if first >= 0:
        _insert(speaker, packets, free, first)
    if second >= 0:
        _insert(speaker, packets, free, second)


@njit(nogil=True, cache=True)
def flush(speaker: Any, free: Any) -> None:  # pragma: no cover
    """Drop all that waits, without counting a loss: nobody is to hear it."""
    empty(speaker, free)
    speaker.expected = speaker.newest + 1


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
