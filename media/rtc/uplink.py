"""Which of a speaker's streams is heard, and how it arrives: figures of receiver reports (RFC 3550 §6.4.1, A.3).

A new SSRC is a new stream, heard from its first packet on. A stream that another one has replaced is heard again
once that one has been silent for :data:`HOLD`: late packets of the old stream change nothing, and of several that
go on at once one is heard whole.

A packet that the door takes is noted there, compiled; any other by its session. Both write the same record.
"""

from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from media.rtc.rtcp import ReportBlock, SenderReport
from media.rtc.rtp import CLOCK_RATE, RtpPacket

_MASK32 = 0xFFFF_FFFF

HOLD = 0.2
"""Seconds without a packet of the current stream after which a replaced one may be heard again: more than the
longest Opus packet has (120 ms), and little beside the half second in which a speaker must be heard again."""
REPLACED = 8
"""Streams that are remembered as replaced."""

FIRST, NEXT, OTHER = range(3)
"""What :func:`note` says of a packet: a stream begins with it or goes on, or it is of one that is not heard."""

UPLINK = np.dtype(
    [
        ("ssrc", "i8"),  # of the current stream; -1 while there is none
        ("latest", "f8"),  # when a packet of it came last, s
        ("replaced", "i8", REPLACED),  # SSRC + 1 of streams before; 0: none
        ("turn", "i8"),  # how many have been replaced
        ("first", "i8"),  # extended sequence numbers
        ("highest", "i8"),
        ("received", "i8"),
        ("expected_before", "i8"),  # at the last report
        ("received_before", "i8"),
        ("jitter", "f8"),  # in ticks of 1/48000 s
        ("transit", "i8"),  # likewise, modulo 2^32; -1 before the first packet
    ],
    align=True,
)


@njit(nogil=True, cache=True)
def _held(uplink: Any, ssrc: int, now: float) -> bool:  # pragma: no cover
    """Whether the stream has been replaced by the current one, which still goes on."""
    if now - uplink.latest > HOLD:
        return False
    held = False
    for index in range(REPLACED):
        held |= uplink.replaced[index] == ssrc + 1
    return held


@njit(nogil=True, cache=True)
def note(uplink: Any, ssrc: int, sequence: int, timestamp: int, now: float) -> int:  # pragma: no cover
    """An authentic packet has come: :data:`FIRST`, :data:`NEXT` or :data:`OTHER`."""
    new = ssrc != uplink.ssrc
    if new:
        if uplink.ssrc >= 0:
            if _held(uplink, ssrc, now):
                return OTHER
            uplink.replaced[uplink.turn % REPLACED] = uplink.ssrc + 1
            uplink.turn += 1
        uplink.ssrc, uplink.first, uplink.highest, uplink.received = ssrc, sequence, sequence, 0
        uplink.expected_before, uplink.received_before, uplink.jitter, uplink.transit = 0, 0, 0.0, -1
    uplink.latest = max(now, uplink.latest)
    step = ((sequence - uplink.highest + 0x8000) & 0xFFFF) - 0x8000
    uplink.highest += max(0, step)
    uplink.received += 1
    # Modulo 2^32 as the timestamps are: only differences matter.
    transit = (int(now * CLOCK_RATE) - timestamp) & _MASK32
    if uplink.transit >= 0:
        change = abs(((transit - uplink.transit + 0x8000_0000) & _MASK32) - 0x8000_0000)
        uplink.jitter += (change - uplink.jitter) / 16
    uplink.transit = transit
    return FIRST if new else NEXT


@njit(nogil=True, cache=True)
def _note(
    uplinks: Any, place: int, ssrc: int, sequence: int, timestamp: int, now: float
) -> int:  # pragma: no cover
    return note(uplinks[place], ssrc, sequence, timestamp, now)


class Home(Protocol):
    """Where records are."""

    uplinks: NDArray[Any]
    """Of :data:`UPLINK`."""


class _Alone:
    def __init__(self) -> None:
        self.uplinks: NDArray[Any] = np.zeros(1, UPLINK)
        self.uplinks["ssrc"] = -1


class Uplink:
    """The current stream of one session. Times are the caller's, in seconds."""

    def __init__(self) -> None:
        self._home: Home = _Alone()
        self._place = 0
        self._sender: tuple[int, float] | None = None
        """Middle 32 bits of its NTP time, and when it came."""

    def move(self, home: Home, place: int) -> None:
        """Go on in another record."""
        home.uplinks[place] = self._home.uplinks[self._place]
        self._home, self._place = home, place

    @property
    def ssrc(self) -> int:
        """Of the current stream, -1 while there is none."""
        return int(self._home.uplinks[self._place]["ssrc"])

    def note(self, packet: RtpPacket, now: float) -> bool:
        """An authentic packet has come; False if it is of a stream that is not heard."""
        noted = _note(self._home.uplinks, self._place, packet.ssrc, packet.sequence, packet.timestamp, now)
        if noted == FIRST:
            self._sender = None
        return noted != OTHER

    def end(self, ssrcs: tuple[int, ...]) -> None:
        """The sender says goodbye for these streams (RFC 3550 §6.6); whatever comes next begins one."""
        if self.ssrc in ssrcs:
            self._home.uplinks[self._place]["ssrc"] = -1

    def note_sender(self, report: SenderReport, now: float) -> None:
        """A sender report has come."""
        self._sender = report.ntp >> 16 & _MASK32, now

    @property
    def lost(self) -> int:
        """Packets that are missing by sequence number; those that came twice make it less, as in RFC 3550 A.3."""
        record = self._home.uplinks[self._place]
        return 0 if record["ssrc"] < 0 else int(record["highest"] - record["first"] + 1 - record["received"])

    def block(self, now: float) -> ReportBlock | None:
        """What is to be reported now; None if nothing has come since the last call."""
        record = self._home.uplinks[self._place]
        received, before = int(record["received"]), int(record["received_before"])
        if record["ssrc"] < 0 or received == before:
            return None
        highest, lost = int(record["highest"]), self.lost
        expected = received + lost
        since = expected - int(record["expected_before"])
        lost_since = since - (received - before)
        record["expected_before"], record["received_before"] = expected, received
        last, held = self._sender or (0, now)
        return ReportBlock(
            ssrc=int(record["ssrc"]),
            fraction_lost=max(0, lost_since) / since if since > 0 else 0.0,
            lost=max(-0x80_0000, min(0x7F_FFFF, lost)),
            highest_sequence=highest & _MASK32,
            jitter=min(int(record["jitter"]), _MASK32),
            last_sender_report=last,
            delay_since=max(
                0, min(int((now - held) * 65_536), _MASK32)
            ),  # a report may come after what is due was
        )
