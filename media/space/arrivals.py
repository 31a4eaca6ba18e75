"""Slow entry: newcomers are let in at a bounded rate, each in their turn.

A plain rate limiter lets in whoever asks at the right moment, so a raid that asks a thousand times a second would
take every place. Here whoever is refused is given a turn, which is told as ``retry_at`` and kept: asking earlier
brings nothing, and coming late by more than :data:`PATIENCE` loses it.
"""

from typing import Final

from media.space.errors import SlowEntryError

PATIENCE: Final = 15.0
"""Seconds for which a turn is kept: a client that waits as it was told, and its offer, need a few."""
TURNS_KEPT: Final = 10_000
"""Turns that are kept at a time; whoever comes then is told when the last of them is over, and keeps none."""


class Arrivals:
    """The turns of newcomers to one Space.  Driven by :class:`~media.space.space.Space` only; times in seconds."""

    def __init__(self) -> None:
        self._turns: dict[str, float] = {}
        """When whose turn is, in this order."""
        self._next = 0.0
        """The first turn that nobody has."""

    def __len__(self) -> int:
        return len(self._turns)

    def shift(self, by: float) -> None:
        """Count on after the clock was set by so many seconds."""
        self._turns = {key: at + by for key, at in self._turns.items()}
        self._next += by

    def admit(self, key: str, per_minute: int, now: float) -> None:
        """Pass if it is the turn of somebody, who has none from then on.

        :param per_minute: turns a minute, of those that are given from now on
        :raises SlowEntryError: it is not yet; ``retry_at`` says when it is
        """
        self._forget(now)
        turn = self._turns.get(key)
        if turn is None:
            turn, kept = max(now, self._next), len(self._turns) < TURNS_KEPT
            if turn <= now or kept:
                self._next = turn + 60.0 / per_minute
            if turn > now and kept:
                self._turns[key] = turn
        if turn > now:
            wait = f"{max(1.0, turn - now):.0f} s"
            sentence = f"This Space lets people in one after another; it is your turn in {wait}."
            raise SlowEntryError(sentence, retry_at=turn)
        self._turns.pop(key, None)

    def _forget(self, now: float) -> None:
        """Drop the turns that nobody took."""
        for key, turn in list(self._turns.items()):
            if turn + PATIENCE >= now:
                break
            del self._turns[key]
