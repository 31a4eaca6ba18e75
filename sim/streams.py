"""Random streams: one per purpose, so that changing one part of a model leaves the draws of the others alone.

A stream is addressed by (seed, replication, purpose) and by nothing else. The same address gives the same
draws in every scenario (common random numbers: differences between scenarios are not noise) and on every
machine and worker (a replication does not depend on who computes it).
"""

from enum import IntEnum, unique

import numpy as np


@unique
class Purpose(IntEnum):
    """What a stream is for. The numbers are part of every published result: append, never renumber."""

    TURNOUT = 0
    ARRIVALS = 1
    DWELL = 2
    RETURNS = 3
    THINNING = 4
    TALK = 5
    BOOTSTRAP = 6
    REVIEW = 7
    REPORTS = 8
    RAID = 9
    COMPLAINTS = 10


def stream(seed: int, purpose: Purpose, replication: int = 0) -> np.random.Generator:
    """Return the generator of one purpose in one replication; ``seed`` is a non-negative integer."""
    if seed < 0:
        raise ValueError(f"the seed is {seed}; it must be 0 or more")
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(replication, int(purpose))))
