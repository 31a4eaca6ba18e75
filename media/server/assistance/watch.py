"""One live Space as assisted moderation hears it: loudness, and turns of those who were in trouble."""

from media.moderation.alternation import Alternation
from media.moderation.loudness import SuddenLoudness
from media.moderation.signals import Signal
from media.moderation.spurts import Spurts


class Watch:
    """No I/O and no clock: times are seconds that no step of the clock stretches."""

    def __init__(self) -> None:
        self._loudness = SuddenLoudness()
        self._spurts = Spurts()
        self._alternation = Alternation()

    def hear(self, levels: dict[str, float], now: float) -> list[Signal]:
        """Take who is audible from now on, and how loud (dBov)."""
        signals = self._loudness.hear(levels, now)
        for spurt in self._spurts.hear(levels, now):
            if (signal := self._alternation.note_spurt(spurt)) is not None:
                signals.append(signal)
        return signals

    def note_trouble(self, person: str, now: float) -> None:
        """Note that somebody was muted by an admin, taken off the stage, removed or reported."""
        self._alternation.note_trouble(person, now)
