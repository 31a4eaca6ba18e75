"""Takes packets as they come off the network, and says where each belongs on its speaker's timeline.

Numbers wrap around, packets come twice or in the wrong order, and now and then a speaker starts anew with other
numbers altogether. All of that is settled here, so that the jitter buffer deals with one endless stream.
"""

from dataclasses import dataclass
from typing import NamedTuple

from media.audio.delay import DelayTarget
from media.audio.packet import RATE, OpusError, packet_samples
from media.audio.timeline import capture_at, unwrap

FORGET_AFTER = 5.0
"""Seconds without a packet after which old transits say nothing: 5 s at 200 ppm are 1 ms."""

JUMP_PACKETS = 1_000
"""Sequence numbers (20 s) beyond which a packet belongs to another stream (RFC 3550 A.1: MAX_DROPOUT 3000)."""

JUMP_SECONDS = 1.0
"""Transit beyond that of recent packets by which a timestamp belongs to another timeline."""

_SEEN = (1 << JUMP_PACKETS + 1) - 1


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
    """Jumps of sequence number or timestamp that turned out to be a new stream."""


class Packet(NamedTuple):
    """One packet on the endless counters."""

    sequence: int
    timestamp: int
    samples: int
    payload: bytes
    level: float | None = None
    """What its sender says of its loudness, in dBov (RFC 6464)."""


class Arrivals:
    """One speaker's packets in order of arrival; driven by ``JitterBuffer.put``. It belongs to one thread."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.delay = DelayTarget()
        self.stream = 0
        """Grows by one with the first packet, and whenever the numbers start anew."""
        self._newest = Packet(0, 0, 0, b"")
        self._newest_arrival = 0.0
        self._seen = 0  # one bit per sequence number up to the newest, which is the lowest bit
        self._stray: tuple[int, int, bytes, float, int | None, float | None] | None = None
        self._capture: tuple[int, int] | None = None

    @property
    def newest(self) -> int:
        """The highest sequence number of the stream so far."""
        return self._newest.sequence

    def capture_at(self, timestamp: int) -> int | None:
        """Capture time (64-bit NTP) of the sample at ``timestamp``; None if the speaker sends none."""
        return None if self._capture is None else capture_at(timestamp, *self._capture)

    def put(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        arrival: float,
        capture: int | None,
        level: float | None,
    ) -> tuple[Packet, ...]:
        """The packets that are new by this one's arrival: one, none, or two when a new stream has begun."""
        self.counters.received += 1
        try:
            samples = packet_samples(payload)
        except OpusError:
            self.counters.malformed += 1
            return ()
        if not self.stream:
            self._begin(sequence, timestamp)
        elif self._jumped(sequence, timestamp, arrival):
            stray, self._stray = self._stray, (sequence, timestamp, payload, arrival, capture, level)
            if stray is None or sequence != (stray[0] + 1) & 0xFFFF:
                self.counters.discarded += stray is not None
                return ()
            # Two in a row agree with each other (RFC 3550 A.1): a new stream has begun.
            self.counters.resets += 1
            self._begin(stray[0], stray[1])
            first = self._place(stray[0], stray[1], packet_samples(stray[2]), *stray[2:])
            return first + self._place(sequence, timestamp, samples, payload, arrival, capture, level)
        return self._place(sequence, timestamp, samples, payload, arrival, capture, level)

    def _jumped(self, sequence: int, timestamp: int, arrival: float) -> bool:
        if abs(unwrap(sequence, self._newest.sequence, 16) - self._newest.sequence) > JUMP_PACKETS:
            return True
        transit = arrival - unwrap(timestamp, self._newest.timestamp, 32) / RATE
        return not self.delay.lowest - JUMP_SECONDS <= transit <= self.delay.highest + JUMP_SECONDS

    def _begin(self, sequence: int, timestamp: int) -> None:
        self.stream += 1
        self.delay.clear()
        self._newest = Packet(sequence - 1, timestamp, 0, b"")
        self._seen = 0
        self._capture = None

    def _place(
        self,
        sequence: int,
        timestamp: int,
        samples: int,
        payload: bytes,
        arrival: float,
        capture: int | None,
        level: float | None,
    ) -> tuple[Packet, ...]:
        self._stray = None
        newest = self._newest
        packet = Packet(
            unwrap(sequence, newest.sequence, 16), unwrap(timestamp, newest.timestamp, 32), samples, payload, level
        )
        ahead = packet.sequence - newest.sequence
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & _SEEN
            self._newest = packet
        elif self._seen >> -ahead & 1:
            self.counters.duplicate += 1
            return ()
        else:
            self._seen |= 1 << -ahead
        if arrival - self._newest_arrival > FORGET_AFTER:
            self.delay.clear()
        self._newest_arrival = arrival
        self.delay.observe(arrival - packet.timestamp / RATE)
        if capture is not None:
            self._capture = (capture, packet.timestamp)
        return (packet,)
