"""A participant who may be heard: their packets on the way into the mix of a room."""

import numpy as np

from media.audio.levels import Activity
from media.audio.opus import FRAME, RATE, OpusError, Pcm, packet_samples
from media.audio.playout import Frame, Playout
from media.relay.stream import Stream
from media.rtc.rtp import RtpPacket

RAMP = 240
"""Samples (5 ms) over which a voice comes into the mix and leaves it: what is cut off is quiet, not silent."""

SOUND_PER_SECOND, SOUND_SAVED = 1.5, 5.0
"""Seconds of sound that may come in a second, and what may come at once after a stall. Whoever sends ten times too
many packets is heard badly; everybody else does not notice."""

_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
_DOWN = _UP[::-1]


class Voice:
    """Jitter buffer, decoder and levels of one participant, and what they hear while they talk."""

    def __init__(self) -> None:
        self.source: object | None = None
        """The session whose packets count: the newest, if there are several."""
        self.playout = Playout()
        self.playout.spare = True
        self.activity = Activity()
        self.minus: Stream | None = None
        """The room without this voice; made when they talk for the first time."""
        self.talks = False
        """Was in the mix of the tick before."""
        self.leaving = False
        """May be heard no longer: fades out in the next tick and is gone."""
        self._budget = SOUND_SAVED
        self._budget_at = 0.0

    def put(self, packet: RtpPacket, arrival: float, capture: int | None, level: float | None) -> str | None:
        """Take a packet; returns why it was dropped, None if it was not."""
        payload = packet.payload
        try:
            seconds = packet_samples(payload) / RATE
        except OpusError:
            seconds = FRAME / RATE
        earned = (arrival - self._budget_at) * SOUND_PER_SECOND
        budget = min(SOUND_SAVED, self._budget + max(0.0, earned))
        self._budget_at = arrival
        if seconds > budget:
            self._budget = budget
            return "too many packets"
        self._budget = budget - seconds
        self.playout.put(packet.sequence, packet.timestamp, payload, arrival, capture, level)
        return None

    def hear(self, frame: Frame) -> Pcm | None:
        """What of a frame belongs into the mix, None if nothing; ``talks`` is then up to date.

        A voice leaves the mix 300 ms after its last sound (:class:`Activity`), on a ramp as it came.
        """
        audible = self.activity.update(frame.level_dbov) and not self.leaving
        if audible == self.talks:
            return frame.pcm if audible else None
        self.talks = audible
        self.playout.spare = not audible
        if frame.kind == "silence":
            return frame.pcm if audible else None
        pcm = frame.pcm.copy()
        if audible:
            pcm[:RAMP] *= _UP
        else:
            pcm[:RAMP] *= _DOWN
            pcm[RAMP:] = 0.0
        return pcm

    @property
    def asleep(self) -> bool:
        """Neither heard nor on the way to be: until the next packet there is nothing to do."""
        return not self.talks and self.playout.idle and self.activity.idle

    def close(self) -> None:
        """Free decoder and encoder."""
        self.playout.close()
        if self.minus:
            self.minus.close()
