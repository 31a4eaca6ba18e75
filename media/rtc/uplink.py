"""How a speaker's stream arrives: the figures of the receiver reports it is sent (RFC 3550 §6.4.1, A.3, A.8)."""

from media.rtc.rtcp import ReportBlock, SenderReport
from media.rtc.rtp import CLOCK_RATE, RtpPacket

_MASK32 = 0xFFFF_FFFF


class Uplink:
    """One stream of one session; a new SSRC begins anew. Times are the caller's, in seconds."""

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._begin(0)

    def note(self, packet: RtpPacket, now: float) -> None:
        """An authentic packet has come."""
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._begin(packet.sequence)
        step = (packet.sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000
        self._highest += max(0, step)
        self._received += 1
        # In ticks of 1/48000 s, modulo 2^32 as the timestamps are: only differences matter.
        transit = int(now * CLOCK_RATE) - packet.timestamp & _MASK32
        if self._transit is not None:
            change = abs((transit - self._transit + 0x8000_0000 & _MASK32) - 0x8000_0000)
            self._jitter += (change - self._jitter) / 16
        self._transit = transit

    def note_sender(self, report: SenderReport, now: float) -> None:
        """A sender report has come."""
        self._sender = report.ntp >> 16 & _MASK32, now

    @property
    def lost(self) -> int:
        """Packets that are missing by sequence number; those that came twice make it less, as in RFC 3550 A.3."""
        return 0 if self._ssrc is None else self._highest - self._first + 1 - self._received

    def block(self, now: float) -> ReportBlock | None:
        """What is to be reported now; None if nothing has come since the last call."""
        if self._ssrc is None or self._received == self._before[1]:
            return None
        expected, lost = self._highest - self._first + 1, self.lost
        since = expected - self._before[0]
        lost_since = since - (self._received - self._before[1])
        self._before = expected, self._received
        last, held = self._sender or (0, now)
        return ReportBlock(
            ssrc=self._ssrc,
            fraction_lost=max(0, lost_since) / since if since > 0 else 0.0,
            lost=max(-0x80_0000, min(0x7F_FFFF, lost)),
            highest_sequence=self._highest & _MASK32,
            jitter=min(int(self._jitter), _MASK32),
            last_sender_report=last,
            delay_since=max(
                0, min(int((now - held) * 65_536), _MASK32)
            ),  # a report may come after what is due was
        )

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self._received = 0
        self._before = 0, 0
        """Expected and received at the last report."""
        self._jitter = 0.0
        self._transit: int | None = None
        self._sender: tuple[int, float] | None = None
        """Middle 32 bits of its NTP time, and when it came."""
