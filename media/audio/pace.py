"""How fast a speaker's sound is played: a little faster or slower, until the delay is what the jitter asks for.

Only a lasting excess or shortage is corrected, and where it is heard least: in silence, by whole periods of the
voice (``media.audio.stretch``), and a rest shorter than one by creeping.
"""

from typing import Any

from numba import njit

from media.audio.cursor import excess, shortage
from media.audio.levels import loudness
from media.audio.opus import FRAME
from media.audio.stretch import SHORTEST, cut, lengthen, shorten, squeeze

QUIET_DBOV = -50.0
"""Below this a piece of any length may be taken out unheard."""

PATIENCE = 10
"""Ticks (0.2 s) for which there must be too much delay before sound is taken out."""

NO_MORE_PATIENCE = 50
"""Ticks (1 s) after which even a rest that does not repeat itself goes."""

HURRY = 2_880
"""Samples (60 ms) of excess from which on sound is taken out in every tick, repeating itself or not."""

SOON, SOONEST = 48, 240
"""Samples (1 and 5 ms) by which packets may be needed before the target: for long, and for a moment."""

IMPATIENCE, LONG_IMPATIENCE = 3, 50
"""Ticks for which there must be too little delay before sound is put in: what comes late is lost. The longer one
holds while it is so little that nearly all packets are in time: without it, one and the same network would be
played with a tick more or less, whichever was there first."""

CREEP = 4
"""Samples a tick by which a rest that is shorter than a period of the voice goes: 0.4 %, 7 cents."""


@njit(nogil=True, cache=True)
def correct(speaker: Any, now: float) -> bool:  # pragma: no cover
    """Choose ``removable`` and ``lacking``, both mostly 0: only of a lasting excess or shortage.

    A small excess goes in every other tick, and what is left of it creeps out at once, or it would stay for the
    rest of the stream. True if there is nothing to be done to a tick that holds nothing.
    """
    removable = excess(speaker, now, speaker.held)
    if removable < SHORTEST:
        speaker.patience = 0
        removable = max(0, removable)
    else:
        speaker.patience += 1
        if speaker.patience <= PATIENCE or (removable < HURRY and speaker.patience % 2):
            removable = 0
    lacking = shortage(speaker, now, speaker.held, SOON)
    if lacking <= 0:
        speaker.impatience = lacking = 0
    else:
        speaker.impatience += 1
        pressing = shortage(speaker, now, speaker.held, SOONEST) > 0
        if speaker.impatience <= (IMPATIENCE if pressing else LONG_IMPATIENCE):
            lacking = 0
    speaker.removable, speaker.lacking = removable, lacking
    return removable < SHORTEST and lacking == 0


@njit(nogil=True, cache=True)
def shrink(speaker: Any, pcm: Any, removable: int) -> Any:  # pragma: no cover
    """``pcm`` with up to ``removable`` samples taken out, but no fewer than one frame left."""
    spare = min(removable, pcm.size - FRAME)
    if spare <= 0:
        return pcm
    if loudness(pcm) < QUIET_DBOV:
        return cut(pcm, spare)
    if removable < SHORTEST:
        return squeeze(pcm, min(spare, CREEP))
    return shorten(pcm, spare, -1.0 if removable > HURRY or speaker.patience > NO_MORE_PATIENCE else 0.5)


@njit(nogil=True, cache=True)
def grow(pcm: Any, shortage: int) -> Any:  # pragma: no cover
    """``pcm`` with up to ``shortage`` samples put in."""
    if not shortage or pcm.size >= 2 * FRAME:
        return pcm
    return lengthen(pcm, max(shortage, 2 * SHORTEST), -1.0 if loudness(pcm) < QUIET_DBOV else 0.5)
