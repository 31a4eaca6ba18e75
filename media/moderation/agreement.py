"""Do reviewers decide alike: second readings, golden cases, and how far they agree beyond chance.

A second reader sees the case and not the decision. A golden case has an answer that a senior reviewer has set, and
looks like any other. What a reader decides in either changes nothing for anybody.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from media.moderation.decision import Action

SECOND_SHARE: Final = 0.05
"""Share of decisions that a second reviewer reads; a choice: 144 s of work a reading."""
GOLDEN_EVERY: Final = 5
"""Every which reading of a reviewer is a golden case."""
_HARSHNESS: Final = tuple(Action)
"""Actions from the mildest to the harshest, as they are declared."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two readings said the same."""

    readings: int
    same: int
    kappa: float | None
    """Cohen's kappa: agreement beyond chance, 1 for always; None where chance alone explains all of it."""

    @property
    def share(self) -> float | None:
        """Share of readings that agree, 0 to 1; None without any."""
        return self.same / self.readings if self.readings else None


def verdict(actions: Iterable[Action]) -> Action:
    """Return the harshest of a decision's actions, by which two decisions are compared."""
    return max(actions, key=_HARSHNESS.index)


def is_sampled(case_id: str, secret: bytes, share: float = SECOND_SHARE) -> bool:
    """Whether a decision is read a second time: the same answer each time, and not to be guessed beforehand.

    :param secret: without which a reviewer could tell which of their decisions will be looked at
    """
    digest = hashlib.blake2b(case_id.encode(), key=secret[:64], digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


def is_golden_turn(readings_done: int) -> bool:
    """Whether the next reading of a reviewer is a golden case, by how many they have done."""
    return readings_done % GOLDEN_EVERY == GOLDEN_EVERY - 1


def agreement(pairs: Sequence[tuple[Action, Action]]) -> Agreement:
    """Compare the verdicts of two readers case by case (Cohen, 1960)."""
    count = len(pairs)
    same = sum(first == second for first, second in pairs)
    if count == 0:
        return Agreement(0, 0, None)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[each] * seconds[each] for each in firsts) / count**2
    kappa = None if by_chance >= 1 else (same / count - by_chance) / (1 - by_chance)
    return Agreement(count, same, kappa)
