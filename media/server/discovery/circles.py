"""Whom a person follows, and between whom and them is a block: what decides which Spaces they are shown.

Read from the store when somebody asks, and kept a while, because a page asks again and again. What this server
writes is known at once; what another process imports, within :data:`KEPT` seconds.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from media.server.accounts import Relation
from media.server.database import Database
from media.server.tables import RELATIONS

KEPT: Final = 60.0
"""Seconds."""
ENTRIES: Final = 1_000_000
"""Relations remembered; beyond that, those of who asked longest ago are forgotten: below 200 MB."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A person's relations, as far as discovery needs them."""

    follows: frozenset[str]
    blocks: frozenset[str]
    """Those whom the person blocks, and those who block the person."""
    read_at: float

    def __len__(self) -> int:
        return len(self.follows) + len(self.blocks) + 1


class Circles:
    """Asked by discovery; told by :class:`~media.server.accounts.Accounts` of what changed."""

    def __init__(self, engine: Database, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._engine = engine
        self._clock = clock
        self._kept: OrderedDict[str, Circle] = OrderedDict()
        self._size = 0
        self._changes = 0

    async def of(self, person: str) -> Circle:
        """Return a person's circle."""
        circle = self._kept.get(person)
        if circle is None or self._clock() - circle.read_at > KEPT:
            changes = self._changes
            circle = await self._read(person)
            if changes == self._changes:  # else it may be older than what was written meanwhile
                self._keep(person, circle)
        else:
            self._kept.move_to_end(person)
        return circle

    def changed(self, source: str, target: str) -> None:
        """Forget what was known of two people between whom something changed."""
        self._changes += 1
        for person in (source, target):
            self._forget(person)

    def _keep(self, person: str, circle: Circle) -> None:
        self._forget(person)
        self._kept[person] = circle
        self._size += len(circle)
        while self._size > ENTRIES and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _forget(self, person: str) -> None:
        circle = self._kept.pop(person, None)
        if circle is not None:
            self._size -= len(circle)

    async def _read(self, person: str) -> Circle:
        c = RELATIONS.c
        mine = (Relation.FOLLOW.value, Relation.BLOCK.value)
        out = sa.select(c.kind, c.target).where(c.kind.in_(mine), c.source == person)
        back = sa.select(c.kind, c.source).where(c.kind == Relation.BLOCK.value, c.target == person)
        read_at = self._clock()
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.union_all(out, back))).all()
        follows = frozenset(other for kind, other in rows if kind == Relation.FOLLOW.value)
        return Circle(follows, frozenset(other for kind, other in rows if kind == Relation.BLOCK.value), read_at)
