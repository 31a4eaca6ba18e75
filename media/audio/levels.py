"""How loud a frame is, and who is talking.

Two questions are asked of the same numbers. The mixer asks whose voice may be in the mix: it must not miss an
onset, so it takes any sound above a low threshold at once and holds on for a while (``Activity.audible``). The
audience asks who is speaking: it must not flicker at a cough, so it wants loud sound for a good part of a
window (``Activity.talking``).
"""

from math import log10

import numpy as np

from media.audio.opus import Pcm

SILENCE_DBOV = -127.0
"""The lowest level of RFC 6464 §3, also that of digital silence."""

ONSET_DBOV = -50.0
"""Sound above this is mixed. Speech through a far microphone has about −45, a quiet room below −60."""

HANGOVER_TICKS = 15
"""A member stays in the mix for 300 ms after the last sound: longer than the gaps between words."""

SILENT_TICKS = 2
"""Digital silence, as in a pause of a sender with DTX, ends that after 60 ms: there is nothing to be mixed."""

TALK_DBOV = -35.0
WINDOW_TICKS = 20
TALK_TICKS = 8
"""LiveKit's published rule for an active speaker: above −35 dBov for 40 % of 400 ms."""

_WINDOW = (1 << WINDOW_TICKS) - 1
_SILENT_POWER = 10 ** (SILENCE_DBOV / 10)


def level_dbov(pcm: Pcm) -> float:
    """The frame's level in dBov, −127 to 0, on the scale of RFC 6464.

    0 dBov is the power of a full-scale square wave; a full-scale sine has −3.01 dBov. ``pcm`` has shape
    (samples,), float32, full scale ±1.0, at least one sample. Sound that is not a number counts as silence.
    """
    power = float(np.dot(pcm, pcm)) / pcm.shape[0]
    if not power > _SILENT_POWER:
        return SILENCE_DBOV
    return min(10.0 * log10(power), 0.0)


def header_level(value: bytes) -> float | None:
    """Level in dBov from the value of the header extension of RFC 6464 §3, None if there is none.

    Its highest bit, voice activity, is not read: senders without a detector leave it 0.
    """
    return -float(value[0] & 0x7F) if value else None


class Activity:
    """Whether one member is heard and whether they count as talking; updated once per tick of 20 ms."""

    def __init__(self) -> None:
        self._ticks_left = 0
        self._loud = 0  # one bit per tick, the latest lowest
        self.audible = False
        """Was above the onset threshold within the hangover: belongs into the mix."""
        self.talking = False
        """Was loud for a good part of the window: is shown as speaking."""
        self.level = SILENCE_DBOV
        """Smoothed level in dBov: rises at once, falls by a quarter of the difference per tick."""

    def update(self, level: float) -> bool:
        """Take the level of this tick's frame, in dBov; returns ``audible``."""
        if level > ONSET_DBOV:
            self._ticks_left = HANGOVER_TICKS + 1
        elif level <= SILENCE_DBOV:
            self._ticks_left = min(self._ticks_left, SILENT_TICKS)
        self.audible = self._ticks_left > 0
        if self._ticks_left:
            self._ticks_left -= 1
        self._loud = (self._loud << 1 | (level > TALK_DBOV)) & _WINDOW
        # Half of what it takes to start is enough to go on, so that pauses between words do not flicker.
        self.talking = self._loud.bit_count() >= (TALK_TICKS // 2 if self.talking else TALK_TICKS)
        self.level = level if level > self.level else self.level + 0.25 * (level - self.level)
        return self.audible

    @property
    def idle(self) -> bool:
        """Nothing was heard for so long that more silence changes nothing: updates may be left out."""
        return not self.audible and not self._loud and self.level < SILENCE_DBOV + 1.0
