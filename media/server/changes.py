"""What is asked of Spaces and not done yet: changes that wait for the store, and what is to follow outside.

The parts that :mod:`media.server.spaces` works with; which of them is decided when, and on what, is said there.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.errors import Problem
from media.server.sessions import MediaSession
from media.space.errors import SpaceError
from media.space.events import SpaceEvent
from media.space.space import Events, Space

Step = Callable[[Space, float], Events]
"""An input to a Space at a time (Unix seconds)."""
Beside = Callable[[AsyncConnection], Awaitable[None]]
"""Writes to other tables what belongs to a change, in the same transaction; may refuse it by a Problem."""


class Wish:
    """A change that somebody waits for."""

    def __init__(self, step: Step, beside: Beside | None = None) -> None:
        self.step, self.beside = step, beside
        self.refusal: Exception | None = None


class RefusedError(Exception):
    """What is written beside a change cannot be."""

    def __init__(self, held: "Held", wish: Wish, why: Exception) -> None:
        super().__init__(str(why))
        self.held, self.wish, self.why = held, wish, why


@dataclass(frozen=True, slots=True)
class AtOnce:
    """What was decided on a Space itself, while a copy with other changes was on its way to the store."""

    step: Step
    now: float
    events: Events


class Attempt:
    """A copy of a Space with the changes that are being written."""

    def __init__(self, draft: Space, asked: "Sequence[Wish | AtOnce]") -> None:
        self.draft = draft
        self.asked = asked
        self.events: Events = []
        self.meanwhile: list[AtOnce] = []

    @property
    def beside(self) -> list[Wish]:
        """Those with something to be written in other tables."""
        return [e for e in self.asked if isinstance(e, Wish) and e.beside is not None and e.refusal is None]


class Held:
    """A Space in memory, and what is still to be done about it outside."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.waiting: list[Wish | AtOnce] = []
        """Changes that no copy has taken up, and after which of them something took sound away."""
        self.attempt: Attempt | None = None
        self.beside: Beside | None = None
        """What is written with a new Space."""
        self.outbox: deque[SpaceEvent] = deque()
        self.endings: deque[MediaSession] = deque()
        """Sessions that the relay is to end, and does not by ending those of a participant."""
        self.changed = False
        """Whether something is to be written down that no batch has taken up."""
        self.relaying = asyncio.Lock()


def beside_of(held: Held) -> Beside:
    """Return what writes to other tables what belongs to the changes of a Space."""

    async def write(connection: AsyncConnection) -> None:
        if held.beside is not None:
            await held.beside(connection)
        for wish in held.attempt.beside if held.attempt is not None else ():
            assert wish.beside is not None
            try:
                await wish.beside(connection)
            except (Problem, SpaceError) as why:
                raise RefusedError(held, wish, why) from why

    return write
