"""A mixer of one room, of the functions that the relay mixes all rooms with."""

from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from media.audio.mixer import limit, mix_full, mix_minus
from media.audio.opus import FRAME, Pcm

Member = TypeVar("Member", bound=Hashable)


class Mix(NamedTuple, Generic[Member]):
    full: Pcm
    minus: dict[Member, Pcm]


class Mixer(Generic[Member]):
    """Remembers one limiter gain for each output."""

    def __init__(self) -> None:
        self._full_gain = 1.0
        self._gains: dict[Member, float] = {}

    def mix(self, frames: Mapping[Member, Pcm]) -> Mix[Member]:
        sounds, talkers, count = np.array([*frames.values()], np.float32), np.arange(len(frames)), len(frames)
        full, minus = np.zeros(FRAME, np.float32), {}
        if frames:
            mix_full(sounds, talkers, count, full)
        for one, member in enumerate(frames):
            minus[member] = np.empty(FRAME, np.float32)
            mix_minus(sounds, talkers, count, full, one, minus[member])
            gain = self._gains.get(member, self._full_gain)
            self._gains[member] = float(limit(minus[member], np.float32(gain)))
        self._gains = {member: self._gains[member] for member in frames}
        self._full_gain = float(limit(full, np.float32(self._full_gain)))
        return Mix(full, minus)

    def pause(self) -> None:
        """Nobody talks."""
        self._gains.clear()
