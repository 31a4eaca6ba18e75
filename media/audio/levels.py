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


class Activity:
    """Whether one member is heard and whether they count as talking; updated once per tick with their level.

    ``talking`` follows LiveKit's published rule for active speakers: sound above −35 dBov for 40 % of a window
    of 400 ms, judged by a smoothed level. Time is counted in ticks of 20 ms.
    """

    def __init__(
        self,
        onset_dbov: float = -50.0,
        hangover_ticks: int = 15,
        talk_dbov: float = -35.0,
        window_ticks: int = 20,
        talk_share: float = 0.4,
    ) -> None:
        self._onset = onset_dbov
        self._hangover = hangover_ticks
        self._talk = talk_dbov
        self._window = window_ticks
        self._needed = max(1, round(talk_share * window_ticks))
        self._loud = 0
        self._mask = (1 << window_ticks) - 1
        self._ticks_left = 0
        self.audible = False
        """Has been above the onset threshold within the hangover (300 ms): belongs into the mix."""
        self.talking = False
        """Has been loud for long enough to be shown as speaking."""
        self.level = SILENCE_DBOV
        """Smoothed level in dBov: rises at once, falls by a quarter of the difference per tick."""

    def update(self, level: float) -> bool:
        """Take the level of this tick's frame, in dBov; returns ``audible``."""
        if level > self._onset:
            self._ticks_left = self._hangover + 1
        if self._ticks_left:
            self._ticks_left -= 1
            self.audible = True
        else:
            self.audible = False
        self._loud = (self._loud << 1 | (level > self._talk)) & self._mask
        loud = self._loud.bit_count()
        # Half of what it takes to start is enough to go on, so that syllables do not make it flicker.
        self.talking = loud >= (self._needed if not self.talking else (self._needed + 1) // 2)
        self.level = level if level > self.level else self.level + 0.25 * (level - self.level)
        return self.audible

    @property
    def idle(self) -> bool:
        """Nothing was heard for so long that further silence changes nothing; updates may be left out."""
        return not self.audible and not self._loud and self.level < SILENCE_DBOV + 1.0
