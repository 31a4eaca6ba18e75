"""One encoded mix on its way into the crowd."""

import numpy as np

from media.audio.opus import FRAME, Encoder, Pcm
from media.rtc.crowd import Crowd

COMFORT_INTERVAL = 20
"""Ticks between two packets while nobody talks: 400 ms, as Opus itself does in DTX."""

_SILENCE = np.zeros(FRAME, np.float32)


class Stream:
    """An encoder and its row in the crowd. Once a tick, either :meth:`speak` or :meth:`rest` is called."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._encoder = Encoder()
        self._rested = 1
        self.row = crowd.new_row()

    def speak(self, pcm: Pcm, timestamp: int, capture: int | None) -> None:
        """Send one frame in this tick; the first after a pause carries the marker (RFC 3551 §4.1)."""
        self._crowd.fill(self.row, self._encoder.encode(pcm), timestamp, capture, self._rested > 0)
        self._rested = 0

    def rest(self, timestamp: int) -> bool:
        """Nobody is heard in this tick; True if a packet of comfort noise was due, else nothing is sent."""
        due = self._rested % COMFORT_INTERVAL == 0
        self._rested += 1
        if due:
            self._crowd.fill(self.row, self._encoder.encode(_SILENCE), timestamp, None, False)
        else:
            self._crowd.silence(self.row)
        return due

    def expect_loss(self, share: float) -> None:
        """Reckon with this share of packets being lost (0 to 1)."""
        self._encoder.expected_loss = share

    def pause(self) -> None:
        """Nobody hears this row for the time being."""
        self._crowd.silence(self.row)
        self._rested = 1

    def close(self) -> None:
        """Return the row and free the encoder."""
        self._crowd.free_row(self.row)
        self._encoder.close()
