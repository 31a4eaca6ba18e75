"""How often people agree with a kind of signal: what orders the queue must earn its place in it.

A reviewer who decides a case that a signal brought says by that whether it was right to look. Of a new kind
nothing is known, so it starts in the middle and moves as decisions come in.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z: Final = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class SignalAgreement:
    """Decisions on cases of one kind of signal, or of one rule."""

    agreed: int = 0
    """In which a violation was found."""
    disagreed: int = 0

    def after(self, violation: bool) -> "SignalAgreement":
        """Return the counts with one decision more."""
        return SignalAgreement(self.agreed + violation, self.disagreed + (not violation))

    @property
    def decisions(self) -> int:
        """How many there were."""
        return self.agreed + self.disagreed

    @property
    def rate(self) -> float:
        """Share of decisions that agree, as expected before the next (rule of succession); 1/2 of none."""
        return (self.agreed + 1) / (self.decisions + 2)

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the true share with 95 % confidence (Wilson score interval); (0, 1) of no decision."""
        n = self.decisions
        if n == 0:
            return 0.0, 1.0
        share, spread = self.agreed / n, Z * Z / n
        middle = (share + spread / 2) / (1 + spread)
        half = Z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def priority(strength: float, agreement: SignalAgreement) -> float:
    """Return where a signal stands in the queue, 0 to 1: its strength, as far as people agree with its kind."""
    return strength * agreement.rate
