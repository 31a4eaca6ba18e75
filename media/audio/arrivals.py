"""Takes packets as they come off the network, and says where each belongs on its speaker's timeline.

Numbers wrap around, packets come twice or in the wrong order, and now and then a speaker starts anew with other
numbers altogether. All of that is settled here, so that the jitter buffer deals with one endless stream.
"""

from dataclasses import dataclass
from typing import Any

from numba import njit

from media.audio.delay import forget, observe
from media.audio.packet import RATE, samples_in
from media.audio.speaker import PAYLOAD_MAX, SEEN, free_slot, take_slot
from media.audio.timeline import unwrap

FORGET_AFTER = 5.0
"""Seconds without a packet after which old transits say nothing: 5 s at 200 ppm are 1 ms."""

JUMP_PACKETS = 1_000
"""Sequence numbers (20 s) beyond which a packet belongs to another stream (RFC 3550 A.1: MAX_DROPOUT 3000)."""

JUMP_SECONDS = 1.0
"""Transit beyond that of recent packets by which a timestamp belongs to another timeline."""


@dataclass(slots=True)
class Counters:
    """What became of a speaker's packets. Everything counts packets, except ``concealed``."""

    received: int = 0
    malformed: int = 0
    """Not an Opus packet, or one that libopus refused."""
    duplicate: int = 0
    late: int = 0
    """Arrived when their time had passed; they are counted in ``lost`` as well."""
    lost: int = 0
    """Were not there in time."""
    recovered_by_fec: int = 0
    concealed: int = 0
    """Ticks that were made up, in part or in whole."""
    discarded: int = 0
    """Good packets thrown away: too many, too old after a stall, or stray ones of another stream."""
    resets: int = 0
    """New streams after the first: by another SSRC, or by a jump of sequence number or timestamp."""


@njit(nogil=True, cache=True)
def _jumped(speaker: Any, sequence: int, timestamp: int, arrival: float) -> bool:  # pragma: no cover
    """Whether a packet belongs to another stream than those before it."""
    if abs(unwrap(sequence, speaker.newest, 16) - speaker.newest) > JUMP_PACKETS:
        return True
    transit = arrival - unwrap(timestamp, speaker.newest_timestamp, 32) / RATE
    return not (speaker.lowest - JUMP_SECONDS <= transit <= speaker.highest + JUMP_SECONDS)


@njit(nogil=True, cache=True)
def _begin(speaker: Any, ssrc: int, sequence: int, timestamp: int) -> None:  # pragma: no cover
    speaker.stream += 1
    speaker.ssrc = ssrc
    forget(speaker)
    speaker.newest, speaker.newest_timestamp = sequence - 1, timestamp
    speaker.seen[:] = 0
    speaker.captured = 0


@njit(nogil=True, cache=True)
def _place(speaker: Any, packets: Any, free: Any, slot: int) -> int:  # pragma: no cover
    """Put a packet on the endless counters; its slot, or -1 if it has come before."""
    packet = packets[slot]
    sequence = unwrap(packet.sequence, speaker.newest, 16)
    timestamp = unwrap(packet.timestamp, speaker.newest_timestamp, 32)
    ahead = sequence - speaker.newest
    if ahead > 0:
        for missing in range(speaker.newest + 1, sequence):
            speaker.seen[missing % SEEN] = 0
        speaker.newest, speaker.newest_timestamp = sequence, timestamp
    elif speaker.seen[sequence % SEEN]:
        speaker.duplicate += 1
        free_slot(free, slot)
        return -1
    speaker.seen[sequence % SEEN] = 1
    if packet.arrival - speaker.newest_arrival > FORGET_AFTER:
        forget(speaker)
    speaker.newest_arrival = packet.arrival
    observe(speaker, packet.arrival - timestamp / RATE)
    if packet.captured:
        speaker.capture, speaker.capture_timestamp, speaker.captured = packet.capture, timestamp, 1
    packet.sequence, packet.timestamp = sequence, timestamp
    return slot


@njit(nogil=True, cache=True)
def arrive(  # pragma: no cover
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
) -> tuple[int, int]:
    """The slots of the packets that are new by this one's arrival: one, none, or two when a new stream has begun.

    Another SSRC is another stream (RFC 3550 §3), whose sequence numbers and timestamps have nothing to do with
    those before: it begins with its first packet. Within one SSRC, a jump has to be confirmed by a second packet.

    ``speaker``, ``packets`` and ``free`` are of :class:`media.audio.speaker.Speakers`, ``data`` (uint8) is the
    payload, the rest as in :meth:`media.audio.jitter.JitterBuffer.put`: ``capture`` is uint64, and ``level`` NaN
    if the packet has none. A place without a slot is -1.
    """
    speaker.received += 1
    samples = samples_in(data, size)
    if samples < 0 or size > PAYLOAD_MAX:
        speaker.malformed += 1
        return -1, -1
    slot = take_slot(free)
    if slot < 0:
        speaker.discarded += 1
        return -1, -1
    packet = packets[slot]
    packet.sequence, packet.timestamp, packet.samples, packet.size = sequence, timestamp, samples, size
    packet.arrival, packet.captured, packet.capture, packet.level = arrival, captured, capture, level
    for at in range(size):
        packet.payload[at] = data[at]
    stray = speaker.stray - 1
    if speaker.stream == 0 or ssrc != speaker.ssrc:
        if stray >= 0:
            speaker.discarded += 1
            free_slot(free, stray)
            speaker.stray = 0
        speaker.resets += speaker.stream > 0
        _begin(speaker, ssrc, sequence, timestamp)
        return _place(speaker, packets, free, slot), -1
    if not _jumped(speaker, sequence, timestamp, arrival):
        if stray >= 0:
            free_slot(free, stray)
            speaker.stray = 0
        return _place(speaker, packets, free, slot), -1
    if stray < 0 or sequence != (packets[stray].sequence + 1) & 0xFFFF:
        if stray >= 0:
            speaker.discarded += 1
            free_slot(free, stray)
        speaker.stray = slot + 1
        return -1, -1
    # Two in a row agree with each other (RFC 3550 A.1): a new stream has begun.
    speaker.resets += 1
    speaker.stray = 0
    _begin(speaker, ssrc, packets[stray].sequence, packets[stray].timestamp)
    first = _place(speaker, packets, free, stray)
    return first, _place(speaker, packets, free, slot)
