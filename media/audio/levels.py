"""How loud a frame is, and who is talking.

Two questions are asked of the same numbers. The mixer asks whose voice may be in the mix: it must not miss an
onset, so it takes any sound above a low threshold at once and holds on for a while (``Activity.audible``). The
audience asks who is speaking: it must not flicker at a cough, so it wants loud sound for a good part of a
window (``Activity.talking``).
"""

from typing import Any

import numpy as np
from numba import njit

from media.audio.opus import Pcm
from media.audio.speaker import SILENCE_DBOV, Speakers

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


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _power(pcm: Any) -> float:  # pragma: no cover
    total = np.float32(0.0)
    for sample in pcm:
        total += sample * sample
    return total / pcm.shape[0]


@njit(nogil=True, cache=True)
def loudness(pcm: Any) -> float:  # pragma: no cover
    """As :func:`level_dbov`."""
    power = _power(pcm)
    if not power > _SILENT_POWER:
        return SILENCE_DBOV
    return min(10.0 * np.log10(power), 0.0)


def level_dbov(pcm: Pcm) -> float:
    """The frame's level in dBov, −127 to 0, on the scale of RFC 6464.

    0 dBov is the power of a full-scale square wave; a full-scale sine has −3.01 dBov. ``pcm`` has shape
    (samples,), float32, full scale ±1.0, at least one sample. Sound that is not a number counts as silence.
    """
    return float(loudness(pcm))


def header_level(value: bytes) -> float | None:
    """Level in dBov from the value of the header extension of RFC 6464 §3, None if there is none.

    Its highest bit, voice activity, is not read: senders without a detector leave it 0.
    """
    return -float(value[0] & 0x7F) if value else None


@njit(nogil=True, cache=True)
def _bits(word: int) -> int:  # pragma: no cover
    count = 0
    while word:
        word &= word - 1
        count += 1
    return count


@njit(nogil=True, cache=True)
def update(speaker: Any, level: float) -> bool:  # pragma: no cover
    """See :meth:`Activity.update`; ``speaker`` is a :data:`media.audio.speaker.SPEAKER`."""
    if level > ONSET_DBOV:
        speaker.ticks_left = HANGOVER_TICKS + 1
    elif level <= SILENCE_DBOV:
        speaker.ticks_left = min(speaker.ticks_left, SILENT_TICKS)
    speaker.audible = speaker.ticks_left > 0
    if speaker.ticks_left:
        speaker.ticks_left -= 1
    speaker.loud = (speaker.loud << 1 | (1 if level > TALK_DBOV else 0)) & _WINDOW
    # Half of what it takes to start is enough to go on, so that pauses between words do not flicker.
    enough = TALK_TICKS // 2 if speaker.talking else TALK_TICKS
    speaker.talking = _bits(speaker.loud) >= enough
    before = speaker.level
    speaker.level = level if level > before else before + 0.25 * (level - before)
    return speaker.audible != 0


@njit(nogil=True, cache=True)
def quiet(speaker: Any) -> bool:  # pragma: no cover
    """See :attr:`Activity.idle`."""
    return not speaker.audible and not speaker.loud and speaker.level < SILENCE_DBOV + 1.0


@njit(nogil=True, cache=True)
def _update(records: Any, place: int, level: float) -> bool:  # pragma: no cover
    return update(records[place], level)


class Activity:
    """Whether one member is heard and whether they count as talking; updated once per tick of 20 ms."""

    def __init__(self, speakers: Speakers | None = None, place: int | None = None) -> None:
        self._speakers = speakers = speakers or Speakers()
        self._place = speakers.add() if place is None else place

    @property
    def _record(self) -> Any:
        return self._speakers.records[self._place]

    @property
    def audible(self) -> bool:
        """Was above the onset threshold within the hangover: belongs into the mix."""
        return bool(self._record["audible"])

    @property
    def talking(self) -> bool:
        """Was loud for a good part of the window: is shown as speaking."""
        return bool(self._record["talking"])

    @property
    def level(self) -> float:
        """Smoothed level in dBov: rises at once, falls by a quarter of the difference per tick."""
        return float(self._record["level"])

    def update(self, level: float) -> bool:
        """Take the level of this tick's frame, in dBov; returns ``audible``."""
        return _update(self._speakers.records, self._place, level)

    @property
    def idle(self) -> bool:
        """Nothing was heard for so long that more silence changes nothing: updates may be left out."""
        return bool(quiet(self._record))
