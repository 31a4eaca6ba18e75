"""One encoded mix on its way into the crowd."""

import numpy as np

from media.audio.batch import Batch
from media.audio.opus import FRAME, Encoder, Pcm
from media.relay.bundle import CAPTURE_INTERVAL, FRAMES, Bundle
from media.rtc.crowd import Crowd

COMFORT_INTERVAL = 20
"""Ticks between two packets while nobody talks: 400 ms, as Opus itself does in DTX."""

FEC_ON, FEC_OFF = 1.0, 0.5
"""Percent of packets that listeners lose from which on they get spare copies, and below which no longer.

Spare copies need SILK, which costs five times as much to encode (``python -m loadtest.bench codec``).
"""

LOSS_MIN, LOSS_MAX = 0.06, 0.3
"""Shares of packets that encoders with FEC reckon to be lost: never so many that sound suffers for it, and never
so few that there is no room for copies. Up to 5 %, libopus prefers 20 kHz of bandwidth to copies of speech."""

_SILENCE = np.zeros(FRAME, np.float32)


class Stream:
    """An encoder and its rows in the crowd. Once a tick, ``speak`` or ``rest`` is called.

    What is spoken is encoded when ``batch`` is run, with that of all other streams.
    ``complexity`` is libopus' (0 to 10) without FEC, and ``fec_complexity`` with it.
    """

    def __init__(self, crowd: Crowd, batch: Batch, complexity: int = 2, fec_complexity: int = 6) -> None:
        self._crowd, self._batch = crowd, batch
        self._complexity, self._fec_complexity = complexity, fec_complexity
        self._encoder: Encoder | None = None
        self._loss = 0.0
        self._fec = False
        self._rested = 1
        self._silent = True
        self._bundles: dict[int, list[Bundle]] = {}
        self._all: list[Bundle] = []
        self._turn = 0
        self.row = crowd.new_row()
        """A packet every 20 ms."""

    def row_of(self, frames: int) -> int:
        """A row of packets that last so many ticks, one of :data:`FRAMES`; made when first asked for."""
        if frames == 1:
            return self.row
        if frames not in self._bundles:
            assert frames in FRAMES
            self._bundles[frames] = [Bundle(self._crowd, frames, phase) for phase in range(frames)]
            self._all += self._bundles[frames]
        self._turn += 1
        return self._bundles[frames][self._turn % frames].row

    def expect_loss(self, percent: float) -> None:
        """What share of the packets its listeners lose."""
        self._loss = percent
        self._fec = percent >= (FEC_OFF if self._fec else FEC_ON)
        if self._encoder:
            self._tune(self._encoder)

    def prime(self, pcm: Pcm) -> None:
        """Tell the encoder what its listeners heard last, from another stream, so that it goes on from there."""
        self._open().encode(pcm)

    def speak(self, pcm: Pcm, timestamp: int, capture: int | None) -> None:
        """Send one frame in this tick, of which ``capture`` is the capture time (64-bit NTP), if known."""
        encoder = self._encoder or self._open()
        timely = None if timestamp // FRAME % CAPTURE_INTERVAL else capture
        marker = self._rested > 0  # the first after a pause (RFC 3551 §4.1)
        if self._all:
            payload = encoder.encode(pcm)
            self._crowd.fill(self.row, payload, timestamp, timely, marker)
            self.bundle((payload, capture, marker), timestamp)
        else:
            self._batch.add(encoder, pcm, self.row)
            self._crowd.announce(self.row, timestamp, timely, marker)
        self._rested, self._silent = 0, False

    def bundle(self, frame: tuple[bytes, int | None, bool] | None, timestamp: int) -> None:
        """Fill the rows of longer packets with a frame (payload, capture, marker) that ``row`` has already."""
        for bundle in self._all:
            if frame:
                bundle.add(frame[0], timestamp, *frame[1:])
            else:
                bundle.flush()

    def rest(self, timestamp: int) -> bool:
        """Nobody is heard in this tick; True if a packet was due, of silence to end with or of comfort noise."""
        due = self._rested % COMFORT_INTERVAL == 0
        self._rested += 1
        if due:
            payload = (self._encoder or self._open()).encode(_SILENCE)
            self._crowd.fill(self.row, payload, timestamp, None, False)
            for bundle in self._all:
                bundle.add_last(payload, timestamp)
            self._silent = False
        elif not self._silent:
            self._silence()
        return due

    def pause(self) -> None:
        """Nobody hears this stream for the time being."""
        self._silence()
        self._rested = 1

    def close(self) -> None:
        """Return the rows and free the encoder."""
        self._crowd.free_row(self.row)
        for bundle in self._all:
            bundle.close()
        if self._encoder:
            self._encoder.close()

    def _silence(self) -> None:
        self._crowd.silence(self.row)
        for bundle in self._all:
            bundle.silence()
        self._silent = True

    def _open(self) -> Encoder:
        """The encoder, made when it is first needed: a Space in which nobody ever spoke has none."""
        if self._encoder is None:
            self._encoder = Encoder(filtered=False)
            self._tune(self._encoder)
        return self._encoder

    def _tune(self, encoder: Encoder) -> None:
        encoder.fec = self._fec
        encoder.complexity = self._fec_complexity if self._fec else self._complexity
        encoder.expected_loss = min(LOSS_MAX, max(LOSS_MIN, self._loss / 100)) if self._fec else 0.0
