"""Ramps where sound begins or ends, so that nobody hears a click."""

from typing import Any

import numpy as np
from numba import njit

from media.audio.conceal import CONCEAL_FULL

RAMP = 480
"""Samples (10 ms) that muting and unmuting take."""

ENTRY = 240
"""Samples (5 ms) over which sound comes back after silence."""

_RAMP_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
_ENTRY_UP = np.linspace(0.0, 1.0, ENTRY, dtype=np.float32)


@njit(nogil=True, cache=True)
def enter(speaker: Any, pcm: Any) -> None:  # pragma: no cover
    """Let real sound come up from silence on a ramp, in place."""
    if speaker.made_up > CONCEAL_FULL:
        for at in range(min(ENTRY, pcm.shape[0])):
            pcm[at] *= _ENTRY_UP[at]
    speaker.made_up = 0


@njit(nogil=True, cache=True)
def turn_to(speaker: Any, frame: Any) -> None:  # pragma: no cover
    """Fade in or out within the frame, in place, if ``muted`` has changed."""
    wanted = np.float32(0.0 if speaker.muted else 1.0)
    if speaker.gain == wanted:
        return
    speaker.gain = wanted
    for at in range(RAMP):
        frame[at] *= _RAMP_UP[RAMP - 1 - at] if speaker.muted else _RAMP_UP[at]
    if speaker.muted:
        frame[RAMP:] = np.float32(0.0)
