"""Somebody who speaks in tones, as Opus packets."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import resample_poly

from media.audio.opus import FRAME, Encoder
from media.captions.tones import say


def packets(words: Sequence[str], silence: float = 1.0) -> list[bytes]:
    """Packets of 20 ms: the words, and so many seconds of silence after them."""
    sound = np.asarray(resample_poly(say(words), 3, 1), np.float32)
    sound = np.concatenate([sound, np.zeros(round(48_000 * silence) + FRAME, np.float32)])
    encoder = Encoder()
    frames = len(sound) // FRAME
    return [encoder.encode(frame) for frame in sound[: frames * FRAME].reshape(frames, FRAME)]
