"""A tick of one speaker in which nothing is out of the ordinary, which is nearly every tick.

:func:`begin` says what it takes, and :func:`finish` or :func:`finish_gap` completes it: a kernel calls them for
hundreds of speakers (``media.relay.hearing``) and decodes in between. All else is for ``media.audio.render``.
``speaker`` is a :data:`media.audio.speaker.SPEAKER`; ``packets`` and ``free`` are the slots beside it and the list
of the free ones.
"""

from typing import Any

import numpy as np
from numba import njit

from media.audio.conceal import CONCEAL_LONGEST, fade
from media.audio.cursor import PAUSE, is_due, next_step, start, take_due
from media.audio.levels import ONSET_DBOV, loudness
from media.audio.opus import FRAME, RATE
from media.audio.pace import correct
from media.audio.ramps import enter
from media.audio.reorder import flush, put_aside, take_aside

SILENT, ORDINARY, GAP, LONG = range(4)
"""What :func:`begin` may say."""


@njit(nogil=True, cache=True)
def is_silent(speaker: Any, free: Any) -> bool:  # pragma: no cover
    """Whether there is nothing to be heard in this tick: muted, or nothing came. The record is then up to date."""
    if speaker.muted and speaker.gain == 0.0:
        flush(speaker, free)
        speaker.held, speaker.made_up = 0, CONCEAL_LONGEST
        return True
    if not speaker.muted and not speaker.playing and not speaker.waiting and not speaker.held:
        speaker.gain = 1.0
        return True
    return False


@njit(nogil=True, cache=True)
def tell(speaker: Any, level: float) -> bool:  # pragma: no cover
    """Note what a packet's sender says of its loudness (dBov, or NaN); True if it need not be decoded."""
    if np.isnan(level):
        return False
    speaker.told = level if np.isnan(speaker.told) else max(level, speaker.told)
    return speaker.spare and level <= ONSET_DBOV


@njit(nogil=True, cache=True)
def weigh(speaker: Any, frame: Any, spoken: bool) -> float:  # pragma: no cover
    """The level of a frame in dBov: of what was ``spoken`` as its sender says it, if it does."""
    return speaker.told if spoken and not speaker.muted and not np.isnan(speaker.told) else loudness(frame)


@njit(nogil=True, cache=True)
def time_frame(speaker: Any, position: int, now: float) -> None:  # pragma: no cover
    """Note how long the frame that leaves at ``now``, from the timestamp ``position`` on, has waited here."""
    speaker.delay = now - position / RATE - speaker.floor


@njit(nogil=True, cache=True)
def begin(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """What a tick takes: mostly :data:`SILENT` nothing, :data:`ORDINARY` a decode, or :data:`GAP` sound made up.

    To decode is the packet in the slot that comes second; if a third comes (else -1), the decoder has to see its
    packet first, whose sound nobody hears. Both are to be freed, and then comes :func:`finish`. To make up is a
    frame, for :func:`finish_gap`, to which the second is given. Else it is :data:`LONG`, for
    :func:`media.audio.render.finish_long`.
    """
    if is_silent(speaker, free):
        return SILENT, -1, -1
    speaker.told = np.nan
    as_it_is = correct(speaker, now)
    whole = not speaker.held and not speaker.muted and speaker.gain == 1.0
    if not (as_it_is and whole) or speaker.resets != speaker.resets_known:
        return LONG, -1, -1
    if not speaker.playing:
        return _begin_to_play(speaker, packets, free, now)
    if is_due(speaker, packets, now):
        return _take_ordinary(speaker, packets, free)
    if not speaker.waiting:
        return _fill_gap(speaker, packets, free, now)
    return LONG, -1, -1


@njit(nogil=True, cache=True)
def _take_ordinary(speaker: Any, packets: Any, free: Any) -> tuple[int, int, int]:  # pragma: no cover
    """This tick is one packet, and nothing but that packet."""
    slot = take_due(speaker, packets)[2]
    if tell(speaker, packets[slot].level):
        put_aside(speaker, free, slot)
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    return ORDINARY, slot, take_aside(speaker)


@njit(nogil=True, cache=True)
def _begin_to_play(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """Nothing has played, and a packet waits."""
    if packets[speaker.slots[0]].samples != FRAME:
        return LONG, -1, -1
    if not start(speaker, packets, free, now):
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    if packets[speaker.slots[0]].samples != FRAME:
        return LONG, -1, -1
    return _take_ordinary(speaker, packets, free)


@njit(nogil=True, cache=True)
def _fill_gap(speaker: Any, packets: Any, free: Any, now: float) -> tuple[int, int, int]:  # pragma: no cover
    """Something has played, and no packet waits."""
    kind = next_step(speaker, packets, free, now, FRAME)[0]
    if kind == PAUSE:
        speaker.made_up = CONCEAL_LONGEST
        return SILENT, -1, -1
    before = speaker.made_up
    if before >= CONCEAL_LONGEST:
        return SILENT, -1, -1
    speaker.made_up = before + FRAME
    return GAP, before, -1


@njit(nogil=True, cache=True)
def finish(speaker: Any, frame: Any, now: float) -> float:  # pragma: no cover
    """What is left to do once the one packet of a tick is decoded, in place; the frame's level in dBov."""
    enter(speaker, frame)
    time_frame(speaker, speaker.cursor - FRAME, now)
    return weigh(speaker, frame, True)


@njit(nogil=True, cache=True)
def finish_gap(speaker: Any, frame: Any, before: int, now: float) -> float:  # pragma: no cover
    """What is left to do once a frame is made up, in place; its level in dBov."""
    fade(frame, before)
    speaker.concealed += 1
    time_frame(speaker, speaker.cursor - FRAME, now)
    return weigh(speaker, frame, False)
