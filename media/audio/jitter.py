"""Puts a speaker's packets back into order and time, and never lets the delay stay behind.

A buffer that waits for a missing packet, as aiortc's does, keeps the time it waited for the rest of the stream.
Here time is a cursor on the speaker's own timeline. It moves on with every tick, whatever arrives, so a loss
costs sound and no delay. Only two things move it against the clock, and both are judged by the measured jitter
(``media.audio.delay``): it is set back, to buy delay, when packets came late and waiting for such has become
worth it; and ``Playout`` takes sound out when there is more delay than the jitter asks for.

While nothing plays (at the start, in a talker's pause, after a break) there is no cursor. The next packet sets
it anew, which makes every pause the place where delay is corrected for free.
"""

from math import ceil
from typing import Literal, NamedTuple

from media.audio.arrivals import Arrivals, Counters, Packet
from media.audio.delay import DelayTarget
from media.audio.packet import RATE, has_fec, is_dtx

TICK = 960
"""Samples played per tick."""

CAPACITY = 256
"""Packets held at most; 0.64 s of the shortest ones, and far more than ``LARGEST_EXCESS`` of usual ones."""

LARGEST_EXCESS = 0.4
"""Seconds of delay too many that are cut in one go instead of being played away faster."""

SOON, SOONEST = 48, 240
"""Samples (1 and 5 ms) by which packets may be needed before the target: for long, and for a moment."""

GIVE_UP = 9_600
"""Samples (0.2 s) without a packet after which the talker counts as paused."""

FEC_ON, FEC_OFF, LOSS_CAP, LOSS_WEIGHT = 0.025, 0.0167, 0.06, 0.02
"""From two losses in 35 packets on, one tick more is waited so that the packet with the spare copy is there;
until about 1.3 s after the last loss. The loss rate is smoothed over 50 packets."""


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
    ``Playout`` does both. Times are seconds on one monotonic clock. It belongs to one thread.
    """

    def __init__(self) -> None:
        self._arrivals = Arrivals()
        self.counters: Counters = self._arrivals.counters
        self.delay: DelayTarget = self._arrivals.delay
        self._stream = 0
        self._packets: dict[int, Packet] = {}
        self._expected = 0
        self._cursor: int | None = None
        self._bridged = 0
        self._waited_for = -1
        self._dtx = False
        self._usual = TICK
        self._loss = 0.0
        self._for_fec = False
        self._fec_left = 0

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
        packets = self._arrivals.put(sequence, timestamp, payload, arrival, capture, level)
        if self._stream != self._arrivals.stream:
            self._stream = self._arrivals.stream
            self._packets.clear()
            self._cursor = None
            self._expected = packets[0].sequence
        for packet in packets:
            if packet.sequence < self._expected:
                self.counters.late += 1
                continue
            self._packets[packet.sequence] = packet
            if len(self._packets) > CAPACITY:
                del self._packets[min(self._packets)]
                self.counters.discarded += 1

    # Sound out

    @property
    def playing(self) -> bool:
        """False in a pause, when ``next`` gives nothing but pauses until another packet comes."""
        return self._cursor is not None

    @property
    def empty(self) -> bool:
        """No packet waits."""
        return not self._packets

    @property
    def target(self) -> float:
        """The transit at which the first sample of a tick is to be played, in seconds.

        Of packets shorter than a tick, the last one of the tick has to be there too. While packets are being
        lost, one tick more is waited for the spare copy (FEC).
        """
        samples = max(0, TICK - self._usual) + (TICK if self._for_fec else 0)
        return self.delay.target + samples / RATE

    def position(self, held: int) -> int | None:
        """Timestamp of the next sample to be played, if ``held`` samples were taken and not yet played."""
        return None if self._cursor is None else self._cursor - held

    def capture_at(self, timestamp: int) -> int | None:
        """Capture time (64-bit NTP) of the sample at ``timestamp``; None if the speaker sends none."""
        return self._arrivals.capture_at(timestamp)

    def excess(self, now: float, held: int) -> int:
        """Samples that could be taken out at once without making packets late more often than now.

        Sound leaves in ticks, so a packet is needed at the tick that contains its first sample: the delay
        between that and the target cannot be used, and does not count. Negative if there is too little delay.
        """
        if self._cursor is None:
            return 0
        return held - TICK * ceil(self._too_early(now) / TICK - 1e-6)

    def shortage(self, now: float, held: int, tolerated: int = SOON) -> int:
        """Samples that would have to be added so that packets are needed no sooner than the target.

        0 if they are needed less than ``tolerated`` samples too soon: the target wavers.
        """
        if self._cursor is None or self._too_early(now) < tolerated:
            return 0
        return -self.excess(now, held)

    def flush(self) -> None:
        """Drop all packets that wait, without counting a loss: nobody is to hear them."""
        self._packets.clear()
        self._cursor = None
        self._expected = self._arrivals.newest + 1

    def next(self, now: float, samples: int) -> Step:
        """The next stretch of sound, at least one sample of it; ``samples`` are wanted to fill the tick.

        A packet is given whole, even if it is longer; a pause or a loss never exceeds ``samples`` by more than
        119 (concealment comes in multiples of 2.5 ms).
        """
        head = self._head()
        if self._cursor is not None and self._too_early(now) < -LARGEST_EXCESS * RATE:
            self._cursor = None
        if self._cursor is None:
            head = self._start(now, head)
            if head is None:
                return Step("pause", samples)
        assert self._cursor is not None
        head = self._catch_up(now, head)
        if head is None:
            return self._bridge(samples)
        gap = head.timestamp - self._cursor
        if gap > 0:
            return self._fill(now, gap, head, samples)
        return self._take(head, gap)

    def due(self, now: float) -> Step | None:
        """What ``next`` would give if nothing is out of the ordinary, at a fraction of its cost; else None.

        The packet of exactly this tick is there, nothing was made up before it, and with nothing held there is
        neither an ``excess`` nor a ``shortage``.
        """
        if self._cursor is None or self._bridged:
            return None
        head = self._packets.get(self._expected)
        if head is None or head.timestamp != self._cursor or head.samples != TICK:
            return None
        return self._take(head, 0) if -TICK < self._too_early(now) < SOON else None

    def _take(self, head: Packet, gap: int) -> Step:
        """Play a packet whose timestamp is ``gap`` (zero or negative) ahead of the cursor."""
        self._account(head)
        del self._packets[head.sequence]
        self._cursor = head.timestamp + head.samples
        self._expected = head.sequence + 1
        self._dtx = is_dtx(head.payload)
        self._usual = head.samples
        return Step("decode", head.samples + gap, head.payload, -gap, head.level)

    def _head(self) -> Packet | None:
        head = self._packets.get(self._expected)
        return head if head is not None or not self._packets else self._packets[min(self._packets)]

    def _start(self, now: float, head: Packet | None) -> Packet | None:
        """Begin to play at the first packet that is neither too old nor too young for the target."""
        while head is not None:
            age = now - head.timestamp / RATE - self.target
            if age < 0:
                return None
            if age < TICK / RATE or len(self._packets) == 1:
                self._cursor = head.timestamp
                self._bridged = 0
                return head
            self._drop(head)
            self.counters.discarded += 1
            head = self._head()
        return None

    def _too_early(self, now: float) -> float:
        """Samples by which what plays at ``now`` is ahead of the target; negative if it is behind."""
        assert self._cursor is not None
        return (self.target - now) * RATE + self._cursor

    def _catch_up(self, now: float, head: Packet | None) -> Packet | None:
        """Set the cursor back if packets came late and that is worth waiting for, else drop what is too late."""
        assert self._cursor is not None
        if self._bridged and head is not None:
            wanted = self._too_early(now)
            if wanted > 0:
                back = self._cursor - min(self._bridged, TICK * ceil(wanted / TICK))
                missing = head.sequence - self._expected
                earliest = head.timestamp - missing * max(head.samples, self._usual, TICK)
                self._cursor = min(self._cursor, max(back, earliest))
            self._bridged = 0
        while head is not None and self._cursor - head.timestamp > head.samples // 2:
            self._drop(head)
            self.counters.late += 1
            self.counters.lost += 1
            head = self._head()
        return head

    def _drop(self, head: Packet) -> None:
        self._account(head)
        del self._packets[head.sequence]
        self._expected = head.sequence + 1

    def _account(self, head: Packet) -> None:
        """Count what is missing before ``head``, and judge whether to wait for FEC."""
        missing = head.sequence - self._expected
        self.counters.lost += missing
        loss = self._loss * (1 - LOSS_WEIGHT) ** (missing + 1) + LOSS_WEIGHT * missing
        self._loss = min(loss, LOSS_CAP)
        if self._loss > (FEC_OFF if self._for_fec else FEC_ON):
            self._fec_left = 50 if has_fec(head.payload) else max(self._fec_left - 1, 0)
            self._for_fec = self._fec_left > 0
        else:
            self._for_fec = False

    def _bridge(self, samples: int) -> Step:
        """Nothing is there: the talker paused, or packets are lost or late, which only the next one can tell."""
        assert self._cursor is not None
        if self._dtx or self._bridged >= GIVE_UP:
            self._cursor = None
            return Step("pause", samples)
        samples += -samples % 120
        self._cursor += samples
        self._bridged += samples
        return Step("lost", samples)

    def _fill(self, now: float, gap: int, head: Packet, samples: int) -> Step:
        """Play the time before ``head``: a pause if no packet is missing or too few are, else a loss."""
        assert self._cursor is not None
        missing = head.sequence - self._expected
        longest = max(head.samples, self._usual, TICK)
        if gap > missing * longest:
            self._cursor = None
            return Step("pause", min(gap, samples))
        spare = head.samples if has_fec(head.payload) else 0
        if self._waited_for != self._expected and self._too_early(now) > (TICK // 2 if gap <= spare else 0):
            self._waited_for = self._expected  # once: what is missing may be late, not lost
            return Step("lost", samples + -samples % 120)
        if gap <= spare:
            self._cursor = head.timestamp
            self.counters.recovered_by_fec += 1
            return Step("fec", gap, head.payload)
        samples = min(samples, gap - spare)
        self._cursor += samples
        return Step("lost", samples)
