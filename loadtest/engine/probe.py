"""Full-fidelity clients: they speak real sound on time, and hear as a good client hears, with decoder and all.

On the wire a probe is the light client, which is ICE, DTLS and SRTP over real UDP. What it hears goes through
``media.audio.playout``: jitter buffer, FEC, concealment. aiortc, the other client at hand, would measure itself:
its jitter buffer keeps 280 ms after a single loss and conceals nothing.

All times are seconds of ``time.monotonic``, for all probes of a process the same clock. So mouth and ear need no
synchronisation:

- the *mouth* is when a sample would be captured: the first of packet n at ``start + n · 20 ms``. The packet leaves
  when its last sample is there, 20 ms later;
- the *ear* is when the sample would be handed to the sound card: the first of tick n at ``start + n · 20 ms``. The
  tick runs at that time, and takes what has arrived by then.

So packetisation, encoders, network, relay and jitter buffer are in the delay; sound cards and their buffers, echo
cancellers and the like of real devices are not.
"""

import math
import secrets
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from loadtest.engine.clockwork import Clockwork
from loadtest.engine.netem import Netem
from loadtest.voice import TICK, Clip
from media.audio.opus import FRAME, Decoder, Pcm
from media.audio.playout import Playout
from media.rtc.client import EXTENSION_IDS, PAYLOAD_TYPE, Client
from media.rtc.description import Direction
from media.rtc.dtls import Identity
from media.rtc.events import Closed, Connected, RtcpReceived, RtpReceived, SessionEvent
from media.rtc.rtcp import SenderReport, build_receiver_report, is_rtcp
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI, RtpPacket, build_rtp, ntp_time, unix_time
from media.rtc.uplink import Uplink

HOUSEKEEPING = 0.05
"""Seconds between looks at a client's timers."""
REPORT_INTERVAL = 5.0
"""Seconds between a listener's receiver reports, as browsers send them for sound."""
EPOCH = time.time() - time.monotonic()
"""Unix time at zero of the monotonic clock, as this process saw it once: the same for what is sent and heard."""
WITNESSED = 500
"""Packets that a witness remembers: ten seconds."""
AUDIBLE = 10 ** (-70 / 20)
"""Peak from which on a witness takes something for a sound: −70 dBov, softer than pauses of recorded speech."""
_CAPTURE_ID = EXTENSION_IDS[CAPTURE_TIME_URI]
_LEVEL_ID = EXTENSION_IDS[AUDIO_LEVEL_URI]
_SO_TIMESTAMPNS = 35
"""asm-generic/socket.h: the kernel says when a datagram came, however late this process reads it."""
_TIMESPEC = struct.Struct("qq")


class Probe:
    """One client with a socket of its own, on a clockwork's thread.

    ``up`` and ``down`` say what the network does to its sound in each direction. Connectivity checks and DTLS pass
    untouched: what is measured is the sound of those who are there.
    """

    def __init__(
        self, clockwork: Clockwork, identity: Identity, direction: Direction, up: Netem, down: Netem
    ) -> None:
        self.client = Client(identity, direction)
        self.up, self.down = up, down
        self.connected: Callable[[], None] = lambda: None
        self.ended: str = ""
        """Why the session is over; empty while it is not."""
        self._clockwork = clockwork
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._closed = False

    def accept(self, answer: str) -> None:
        """Take the relay's answer and connect; :raises SdpError: it cannot be used."""
        now = time.monotonic()
        self.client.accept(answer, now)
        assert self.client.remote is not None
        self._socket.connect(self.client.remote)
        self._clockwork.watch(self._socket.fileno(), self._read)
        self._flush()
        self._clockwork.at(now + HOUSEKEEPING, self._keep_house)

    def close(self) -> None:
        """Say goodbye and free everything."""
        if self._closed:
            return
        self._closed = True
        self._clockwork.unwatch(self._socket.fileno())
        self.client.close()
        self._flush()
        self._socket.close()

    def send_sound(self, datagram: bytes, left: Callable[[float], None]) -> None:
        """Send a protected packet into the network ``up``; ``left`` is told when it reaches the relay's port."""
        now = time.monotonic()
        arrival = self.up.send(now)
        if arrival is None:
            return

        def leave(_: float) -> None:
            if not self._closed:
                left(time.monotonic())
                self._send(datagram)

        if arrival <= now:
            leave(now)
        else:
            self._clockwork.at(arrival, leave)

    def _hear(self, packet: RtpPacket, arrival: float) -> None:
        """A packet of sound, at the time the network ``down`` let it arrive."""

    def _told(self, report: SenderReport, arrival: float) -> None:
        """A sender report."""

    def _read(self) -> None:
        with suppress(BlockingIOError, ConnectionRefusedError):
            while not self._closed:
                data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
                arrival = time.monotonic()
                for _, _, stamp in ancillary:
                    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
                    arrival += seconds - time.time() + 1e-9 * nanoseconds
                self._take(data, arrival)

    def _take(self, data: bytes, arrival: float) -> None:
        if not data or not 128 <= data[0] <= 191 or is_rtcp(data):
            self._handle(self.client.receive(data, arrival), arrival)
            return
        later = self.down.send(arrival)
        if later is None:
            return
        if later <= arrival:
            self._handle(self.client.receive(data, arrival), arrival)
        else:
            self._clockwork.at(later, lambda due: self._handle(self.client.receive(data, due), due))

    def _handle(self, events: list[SessionEvent], arrival: float) -> None:
        for event in events:
            match event:
                case RtpReceived(packet):
                    self._hear(packet, arrival)
                case RtcpReceived(compound):
                    if compound.bye:
                        self.ended = "the relay said goodbye"
                    elif compound.sender:
                        self._told(compound.sender, arrival)
                case Connected():
                    self.connected()
                case Closed(reason, detail):
                    self.ended = f"{reason} {detail}".strip()
                    self.connected()
                case _:
                    pass
        self._flush()

    def _keep_house(self, due: float) -> None:
        if self._closed or self.ended:
            return
        timer = self.client.next_timer
        if timer is not None and timer <= due:
            self._handle(self.client.handle_timer(due), due)
        self._clockwork.at(due + HOUSEKEEPING, self._keep_house)

    def _flush(self) -> None:
        for datagram in self.client.outbox:
            self._send(datagram)
        self.client.outbox.clear()

    def _send(self, datagram: bytes) -> None:
        with suppress(OSError):  # what the system does not take is lost, as on any network
            self._socket.send(datagram)


class SpeakingProbe(Probe):
    """Says a clip over and over, one packet every 20 ms of its own clock.

    ``drift_ppm`` is by how much that clock is fast. Every packet carries the capture time of its first sample.
    """

    def __init__(
        self, clockwork: Clockwork, identity: Identity, clip: Clip, up: Netem, drift_ppm: float = 0.0
    ) -> None:
        super().__init__(clockwork, identity, "sendonly", up, Netem(0))
        self.clip = clip
        self._sequence, self._timestamp = secrets.randbits(16), secrets.randbits(32)
        self.period = TICK / (1.0 + 1e-6 * drift_ppm)
        """Seconds of the world in 20 ms of this speaker's clock."""
        self.start = math.nan
        """When the first sample of all was captured."""
        self.left = array("d")
        """When packet n reached the relay's port; NaN if it did not (yet)."""

    def speak(self, start: float) -> None:
        """The first sample is captured at ``start``."""
        self.start = start
        self._clockwork.at(start + self.period, self._tick)

    def left_with(self, capture: float) -> float:
        """When the packet reached the relay that begins within the 20 ms from ``capture`` on; NaN if none did."""
        number = math.ceil((capture - self.start) / self.period - 1e-3)
        return self.left[number] if 0 <= number < len(self.left) else math.nan

    def _tick(self, _: float) -> None:
        if self._closed or self.ended:
            return
        transport = self.client.transport
        assert transport is not None and transport.sender is not None
        number, at = len(self.left), len(self.left) % len(self.clip.packets)
        capture = ntp_time(EPOCH + self.start + number * self.period)
        packet = RtpPacket(
            PAYLOAD_TYPE,
            (self._sequence + number) & 0xFFFF,
            (self._timestamp + number * FRAME) & 0xFFFF_FFFF,
            self.client.ssrc,
            self.clip.packets[at],
            number == 0,
            {_LEVEL_ID: bytes([min(127, -int(self.clip.levels[at]))]), _CAPTURE_ID: capture.to_bytes(8, "big")},
        )
        self.left.append(math.nan)
        self.send_sound(
            transport.sender.protect(build_rtp(packet)), lambda now: self.left.__setitem__(number, now)
        )
        self._clockwork.at(self.start + (number + 2) * self.period, self._tick)


class Witness(Probe):
    """Notes when each packet came that there is a sound in; it decodes, but plays nothing.

    While somebody is heard a packet comes for every 20 ms. One that comes alone is comfort noise, every 400 ms, in
    which a decoder may let ring out what it decoded last.
    """

    def __init__(self, clockwork: Clockwork, identity: Identity) -> None:
        super().__init__(clockwork, identity, "recvonly", Netem(0), Netem(0))
        self._decoder = Decoder()
        self._sounds: deque[float] = deque(maxlen=WITNESSED)
        self._timestamp = 0

    def last(self) -> float:
        """When the last packet with a sound in it came; minus infinity if none did."""
        return max([*self._sounds], default=-math.inf)

    def count(self, since: float) -> int:
        """How many packets with a sound in them came since then."""
        return sum(arrival >= since for arrival in [*self._sounds])

    def _hear(self, packet: RtpPacket, arrival: float) -> None:
        follows = (packet.timestamp - self._timestamp) & 0xFFFF_FFFF <= 2 * FRAME
        self._timestamp = packet.timestamp
        if np.abs(self._decoder.decode(packet.payload)).max() > AUDIBLE and follows:
            self._sounds.append(arrival)


class ListeningProbe(Probe):
    """Plays what it receives, 20 ms every 20 ms, and keeps it until it is taken.

    It reports its losses, as browsers do: the relay decides by that whether to send spare copies (FEC).
    """

    def __init__(self, clockwork: Clockwork, identity: Identity, down: Netem) -> None:
        super().__init__(clockwork, identity, "recvonly", Netem(0), down)
        self.playout = Playout()
        self.start = math.nan
        """When the first sample was played."""
        self.marks: deque[tuple[float, float]] = deque()
        """(arrival, capture) of packets that said when their first sample was captured."""
        self._stream = Uplink()  # the same figures, of the other direction
        self._frames: deque[Pcm] = deque()
        self._ticks = self._taken = 0

    @property
    def lost(self) -> int:
        """Packets that are missing by sequence number."""
        return max(0, self._stream.lost)

    def listen(self, start: float) -> None:
        """The first sample is played at ``start``."""
        self.start = start
        self._clockwork.at(start, self._tick)
        self._clockwork.at(start + REPORT_INTERVAL, self._report)

    def take(self) -> tuple[float, Pcm]:
        """What was played since the last call, and when its first sample was; from any thread."""
        frames = [self._frames.popleft() for _ in range(len(self._frames))]
        begun = self.start + self._taken * TICK
        self._taken += len(frames)
        return begun, np.concatenate(frames) if frames else np.zeros(0, np.float32)

    def close(self) -> None:
        """Say goodbye and free everything."""
        super().close()
        self.playout.close()

    def _hear(self, packet: RtpPacket, arrival: float) -> None:
        capture = (packet.extensions or {}).get(_CAPTURE_ID)
        if capture:
            self.marks.append((arrival, unix_time(int.from_bytes(capture[:8], "big")) - EPOCH))
        self._stream.note(packet, arrival)
        self.playout.put(packet.sequence, packet.timestamp, packet.payload, arrival)

    def _told(self, report: SenderReport, arrival: float) -> None:
        self._stream.note_sender(report, arrival)

    def _report(self, due: float) -> None:
        transport = self.client.transport
        if self._closed or self.ended or transport is None or transport.sender is None:
            return
        if block := self._stream.block(due):
            self._send(transport.sender.protect_rtcp(build_receiver_report(self.client.ssrc, (block,), "probe")))
        self._clockwork.at(due + REPORT_INTERVAL, self._report)

    def _tick(self, due: float) -> None:
        if self._closed or self.ended:
            return
        self._frames.append(self.playout.pull(due).pcm)
        self._ticks += 1
        self._clockwork.at(self.start + self._ticks * TICK, self._tick)
