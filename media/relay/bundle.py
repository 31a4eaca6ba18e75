"""Rows for listeners who want fewer and longer packets: two or three ticks' frames in each.

A packet to a listener costs a header, a seal and a share of a system call, whatever it holds. So with 60 ms
packets a core serves up to three times the crowd, for up to 40 ms more delay. The listeners of a room are spread
over as many rows as there are ticks in a packet, each due in another tick, so that every tick has the same work.
"""

from media.audio.opus import FRAME
from media.audio.repacketizer import LARGEST, join, joinable
from media.rtc.crowd import Crowd

FRAMES = (1, 2, 3)
"""Ticks in a packet: 20, 40 or 60 ms."""
CAPTURE_INTERVAL = 10
"""Ticks between two packets that carry a capture time: 200 ms; receivers interpolate between them."""


class Bundle:
    """One row of such packets, due in the ticks whose number leaves ``phase`` when divided by ``frames``."""

    def __init__(self, crowd: Crowd, frames: int, phase: int) -> None:
        self._crowd = crowd
        self._frames, self._phase = frames, phase
        self._waiting: list[bytes] = []
        self._first: tuple[int, int | None, bool] = (0, None, False)
        self.row = crowd.new_row()

    def add(self, payload: bytes, timestamp: int, capture: int | None, marker: bool) -> None:
        """Take this tick's frame; the row then holds a packet if one is due, else nothing."""
        tick = timestamp // FRAME
        if self._waiting and not self._takes(payload):
            self._send()
            self._begin(payload, timestamp, capture, marker)
            return
        if self._waiting:
            self._waiting.append(payload)
        else:
            self._begin(payload, timestamp, capture, marker)
        if tick % self._frames == self._phase or len(self._waiting) == self._frames:
            self._send()
        else:
            self._crowd.silence(self.row)

    def add_last(self, payload: bytes, timestamp: int) -> None:
        """Take the last frame before a pause, or a frame of comfort noise, and send what there is."""
        if self._waiting and self._takes(payload):
            self._waiting.append(payload)
        elif not self._waiting:
            self._begin(payload, timestamp, None, False)
        self._send()

    def flush(self) -> None:
        """There is no frame in this tick: send what waits."""
        if self._waiting:
            self._send()
        else:
            self._crowd.silence(self.row)

    def silence(self) -> None:
        """Send nothing, and forget what waits."""
        self._waiting.clear()
        self._crowd.silence(self.row)

    def close(self) -> None:
        """Return the row."""
        self._crowd.free_row(self.row)

    def _takes(self, payload: bytes) -> bool:
        size = sum(map(len, self._waiting)) + len(payload) + 2 * len(self._waiting) + 2
        return joinable(self._waiting[0], payload) and size <= LARGEST

    def _begin(self, payload: bytes, timestamp: int, capture: int | None, marker: bool) -> None:
        if timestamp // FRAME // self._frames % (CAPTURE_INTERVAL // self._frames):
            capture = None
        self._waiting.append(payload)
        self._first = timestamp, capture, marker

    def _send(self) -> None:
        self._crowd.fill(self.row, join(self._waiting), *self._first)
        self._waiting.clear()
