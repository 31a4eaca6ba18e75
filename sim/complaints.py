"""Complaints and the clock of the evidence: how many are decided when nothing of what was said is left.

Users can complain for six months (Regulation (EU) 2022/2065, art. 20(1)); evidence lives 30 days, and 120 where a
violation was found. The clock is the server's own (:mod:`media.moderation.retention`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.moderation.categories import DAY
from media.moderation.errors import TooLateError
from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.retention import Evidence
from sim.streams import Purpose, stream

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Timing:
    """When users complain: lognormal from the decision, as far as it is within the six months (?)."""

    median_days: float = 7.0
    """Median time from decision to complaint (?)."""
    sigma: float = 1.6
    """σ of its logarithm (?)."""


@dataclass(frozen=True, slots=True)
class Complaints:
    """Complaints of many decisions; arrays have an entry for each."""

    day: Floats
    """Days from the end of the Space."""
    with_evidence: Bools
    """Whether the evidence was there when the complaint came; from then on it is held."""

    @property
    def without(self) -> float:
        """Share that came too late for the evidence."""
        return float(1.0 - self.with_evidence.mean()) if self.day.size else 0.0


def complain(
    number: int, seed: int, timing: Timing | None = None, policy: ReviewPolicy = DEFAULT, decided_days: float = 1.0
) -> Complaints:
    """Draw complaints about decisions that came ``decided_days`` after the end of their Spaces."""
    timing = timing or Timing()
    rng = stream(seed, Purpose.COMPLAINTS)
    window = policy.appeal_window / DAY
    delays = np.empty(0)
    while delays.size < number:
        drawn = rng.lognormal(np.log(timing.median_days), timing.sigma, 2 * number)
        delays = np.concatenate((delays, drawn[drawn <= window]))
    days = decided_days + delays[:number]
    found = [_is_there(float(day) * DAY, decided_days * DAY, policy) for day in days]
    return Complaints(days, np.array(found, dtype=np.bool_))


def _is_there(complained_at: float, decided_at: float, policy: ReviewPolicy) -> bool:
    """Whether the evidence of a violation is there when somebody complains; seconds from the Space's end."""
    evidence = Evidence("space", 0.0, policy)
    evidence.hold("case")
    evidence.handle_timer(decided_at)
    evidence.release("case", violation=True)
    evidence.handle_timer(complained_at)
    try:
        evidence.hold("complaint")
    except TooLateError:
        return False
    return True
