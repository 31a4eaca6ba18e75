"""Packet loss concealment: sound made up from what came before, for as long as that is better than silence."""

from typing import Any

import numpy as np
from numba import njit

from media.audio.batch import opus_decode_float
from media.audio.opus import MAX_SAMPLES

CONCEAL_FULL = 2_880
"""Samples (60 ms) of made-up sound that are played as libopus makes them; from there they fade ..."""

CONCEAL_LONGEST = 4_800
"""... to silence at 100 ms: beyond that, made-up speech is a drone."""


@njit(nogil=True, cache=True)
def fade(pcm: Any, before: int) -> None:  # pragma: no cover
    """Let made-up sound, before which ``before`` samples were made up already, fade as it gets old, in place."""
    for at in range(max(0, CONCEAL_FULL - before), pcm.shape[0]):
        left = (CONCEAL_LONGEST - before - at) / (CONCEAL_LONGEST - CONCEAL_FULL)
        pcm[at] *= np.float32(max(0.0, left))


@njit(nogil=True, cache=True)
def make_up(speaker: Any, sound: Any, samples: int) -> bool:  # pragma: no cover
    """Sound for a loss at the start of ``sound``, fading between 60 and 100 ms; False if it is silence."""
    before = speaker.made_up
    sound[:samples] = np.float32(0.0)
    if before >= CONCEAL_LONGEST or not speaker.decoder:
        return False
    speaker.made_up = before + samples
    rounded = min(samples + -samples % 120, MAX_SAMPLES)
    if opus_decode_float(speaker.decoder, 0, 0, sound.ctypes.data, rounded, 0) < 0:
        sound[:samples] = np.float32(0.0)
    sound[rounded:samples] = np.float32(0.0)
    fade(sound[:samples], before)
    return True
