"""Which reminder of a Space is due to whom, each once, whatever happens to the process or to the schedule.

Somebody who wants to be reminded of a scheduled Space is told

- half an hour before it is to start, unless they only asked, or learned of that time, later than that;
- when it starts, which may be earlier or later than planned: at the planned moment there may be nobody to hear;
- when it is given another time, and then half an hour before that one;
- when it is canceled.

Nothing here counts down. What is due follows from the Space as it is and from what the person has been told, so a
driver that asks again after a restart tells nobody twice and forgets nobody.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from media.space.space import Space
from media.space.states import State

LEAD: Final = 1800.0
"""Seconds before the start at which the first reminder is due."""


class Notice(StrEnum):
    """What a person is told about a Space that they want to be reminded of."""

    SOON = "soon"
    STARTED = "start"
    MOVED = "moved"
    CANCELED = "canceled"


FINAL: Final = frozenset({Notice.STARTED, Notice.CANCELED})
"""After these there is nothing left to tell."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the reminders of a Space depend on."""

    state: State
    start: float | None
    """The time at which it is to start (seconds)."""

    @classmethod
    def of(cls, space: Space) -> "Plan":
        """Read it off a Space."""
        return cls(space.state, space.scheduled_start)

    @property
    def over(self) -> bool:
        """Whether it is too late to tell anybody anything."""
        return self.state is State.ENDED

    def next_due(self, now: float) -> float | None:
        """When something becomes due by the passing of time alone (seconds), or None."""
        if self.state is not State.SCHEDULED or self.start is None or now >= self.start - LEAD:
            return None
        return self.start - LEAD


@dataclass(frozen=True, slots=True)
class Reminder:
    """One person's wish to be reminded, and what they know.  Times in seconds."""

    since: float
    """When the person asked, or was last told of another time."""
    start: float
    """The time to start that the person knows of."""
    soon_told: bool = False
    """Whether they were told half an hour before it."""

    def due(self, plan: Plan, now: float) -> Notice | None:
        """Return what the person is to be told now."""
        if plan.state is State.CANCELED:
            return Notice.CANCELED
        if plan.state is State.LIVE:
            return Notice.STARTED
        if plan.state is not State.SCHEDULED or plan.start is None:
            return None
        if plan.start != self.start:
            return Notice.MOVED
        in_time = self.since < plan.start - LEAD <= now < plan.start
        return Notice.SOON if in_time and not self.soon_told else None

    def told(self, notice: Notice, plan: Plan, now: float) -> "Reminder | None":
        """Return what the person knows after having been told; None if nothing will follow."""
        if notice in FINAL or plan.start is None:
            return None
        if notice is Notice.MOVED:
            return Reminder(now, plan.start)
        return replace(self, soon_told=True)
