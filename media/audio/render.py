"""A tick of one speaker that takes more than a decode: losses, late packets, corrections of the delay, mutes.

``speaker``, ``packets`` and ``free`` are as in :mod:`media.audio.tick`. What a tick is made of has the place of
the worst part of it in :data:`media.audio.playout.KINDS`.
"""

from typing import Any

import numpy as np
from numba import njit

from media.audio.batch import opus_decode_float
from media.audio.conceal import CONCEAL_LONGEST, make_up
from media.audio.cursor import DECODE, FEC, LOST, PAUSE, next_step
from media.audio.levels import SILENCE_DBOV
from media.audio.opus import FRAME, MAX_SAMPLES
from media.audio.pace import grow, shrink
from media.audio.ramps import enter, turn_to
from media.audio.reorder import put_aside, take_aside
from media.audio.speaker import free_slot
from media.audio.stretch import SHORTEST
from media.audio.tick import tell, time_frame, weigh
from media.audio.timeline import captured_at

SILENCE, SPEECH, SPARE, MADE_UP = range(4)
"""Places in :data:`media.audio.playout.KINDS`."""

_MOST_STEPS = 32


@njit(nogil=True, cache=True)
def _decode_next(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, slot: int, spare: int, skip: int
) -> int:
    """Decode a packet, or the last ``spare`` samples before it, without the first ``skip``; how many, -1: refused.

    What was put aside is decoded before, so that the decoder knows what the packet goes on from.
    """
    aside = take_aside(speaker)
    whole = speaker.decoder != 0
    if whole and aside >= 0:
        packet = packets[aside]
        size, start = packet.size, packet.payload.ctypes.data
        whole = opus_decode_float(speaker.decoder, start, size, sound.ctypes.data, MAX_SAMPLES, 0) >= 0
    if aside >= 0:
        free_slot(free, aside)
    packet = packets[slot]
    size, start = packet.size, packet.payload.ctypes.data
    rounded = spare + -spare % 120 if spare else MAX_SAMPLES
    decoded = -1
    if whole and size > 0:
        decoded = opus_decode_float(speaker.decoder, start, size, sound.ctypes.data, rounded, 1 if spare else 0)
    if decoded < 0:
        speaker.malformed += 1
        return -1
    skip = rounded - spare if spare else skip
    for at in range(decoded - skip if skip else 0):
        sound[at] = sound[at + skip]
    return max(0, decoded - skip)


@njit(nogil=True, cache=True)
def _advance(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, now: float, samples: int
) -> tuple[int, int]:
    """Put the next step's sound at the start of ``sound``; how many samples of which kind."""
    step, samples, slot, skip = next_step(speaker, packets, free, now, samples)
    if step == LOST:
        return samples, MADE_UP if make_up(speaker, sound, samples) else SILENCE
    if step == PAUSE:
        speaker.made_up = CONCEAL_LONGEST
        sound[:samples] = np.float32(0.0)
        return samples, SILENCE
    if tell(speaker, packets[slot].level) and step == DECODE:
        put_aside(speaker, free, slot)
        speaker.made_up = CONCEAL_LONGEST
        sound[:samples] = np.float32(0.0)
        return samples, SILENCE
    decoded = _decode_next(speaker, packets, free, sound, slot, samples if step == FEC else 0, skip)
    if step == DECODE:
        free_slot(free, slot)
    if decoded < 0:
        return samples, MADE_UP if make_up(speaker, sound, samples) else SILENCE
    enter(speaker, sound[:decoded])
    return decoded, SPARE if step == FEC else SPEECH


@njit(nogil=True, cache=True)
def finish_long(  # pragma: no cover
    speaker: Any, packets: Any, free: Any, sound: Any, frame: Any, now: float
) -> tuple[int, float]:
    """A tick that :func:`media.audio.tick.begin` has called ``LONG``, into ``frame``; kind and level in dBov.

    ``sound`` is the speaker's row of what is held. The decoder must have been reset if a stream has begun anew.
    """
    removable, lacking = speaker.removable, speaker.lacking
    wanted = 2 * FRAME if removable >= SHORTEST else FRAME
    have, kind = speaker.held, SPEECH if speaker.held else SILENCE
    for _ in range(_MOST_STEPS):
        if have >= wanted or (have >= FRAME and not speaker.waiting):
            break
        more, rank = _advance(speaker, packets, free, sound[have:], now, min(wanted - have, FRAME))
        have, kind = have + more, max(kind, rank)
    if have < FRAME:
        sound[have:FRAME] = np.float32(0.0)
        have = FRAME
    position, placed = speaker.cursor - have, speaker.playing != 0
    pcm = shrink(speaker, sound[:have], removable) if removable else grow(sound[:have], lacking)
    frame[:] = pcm[:FRAME]
    speaker.held = pcm.size - FRAME
    for at in range(speaker.held):  # from the front: the two may overlap
        sound[at] = pcm[FRAME + at]
    return _finish(speaker, frame, kind, position, placed, now)


@njit(nogil=True, cache=True)
def finish_refused(speaker: Any, frame: Any, now: float) -> tuple[int, float]:  # pragma: no cover
    """A tick whose one packet libopus refused: sound is made up into ``frame``; kind and level in dBov."""
    speaker.malformed += 1
    kind = MADE_UP if make_up(speaker, frame, FRAME) else SILENCE
    return _finish(speaker, frame, kind, speaker.cursor - FRAME, speaker.playing != 0, now)


@njit(nogil=True, cache=True)
def _finish(  # pragma: no cover
    speaker: Any, frame: Any, kind: int, position: int, placed: bool, now: float
) -> tuple[int, float]:
    """What is left to do to a frame from the timestamp ``position`` on, if it is ``placed``; kind and level."""
    speaker.frame_capture = 0
    if kind == SILENCE and not speaker.held and not frame.any():
        speaker.gain = np.float32(0.0 if speaker.muted else 1.0)
        return kind, SILENCE_DBOV
    turn_to(speaker, frame)
    if placed:
        time_frame(speaker, position, now)
        if speaker.captured:
            speaker.frame_capture = captured_at(position, speaker.capture, speaker.capture_timestamp)
    if kind == MADE_UP:
        speaker.concealed += 1
    return kind, weigh(speaker, frame, kind == SPEECH)
