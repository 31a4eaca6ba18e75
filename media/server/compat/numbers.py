"""Numbers that stand for people: X's user ids are decimal, and its clients read them as integers.

An id here is a name. One that is a number already, as of people taken over from X, stands for itself; any other
has the number that its SHA-256 gives, so that it is the same on every server. Nobody can go back from a hash, so
each number that is shown is written down once.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from media.server.compat.tables import NUMBERS
from media.server.database import Database

KEPT: Final = 100_000
"""Numbers remembered as written down; beyond that the store is asked."""
_FIRST: Final = 1 << 62
"""Hashes are from here to twice that: 19 digits as X's, and far above those it gives out."""


def number_of(name: str) -> int:
    """Return what stands for a name: a million people share one with a chance of 1e-7."""
    is_number = name.isascii() and name.isdecimal() and len(name) < 20 and (name == "0" or name[0] != "0")
    if is_number and int(name) < _FIRST:
        return int(name)
    return _FIRST | int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 2


class Numbers:
    """Shows numbers, and knows whom those that were shown stand for."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine
        self._written: set[str] = set()

    async def show(self, people: Iterable[str]) -> dict[str, str]:
        """Return the numbers of people in decimal, and remember them for good."""
        numbers = {person: number_of(person) for person in people}
        fresh = {p: n for p, n in numbers.items() if n >= _FIRST and p not in self._written}
        if fresh:
            await self._write(fresh)
        return {person: str(number) for person, number in numbers.items()}

    async def people(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return whom numbers stand for; one that was never shown is not in it."""
        asked = {number for number in numbers if number < 2 * _FIRST}
        query = sa.select(NUMBERS.c.number, NUMBERS.c.person).where(NUMBERS.c.number.in_(asked))
        async with self._engine.connect() as connection:
            known = {row.number: row.person for row in await connection.execute(query)}
        return {number: str(number) for number in asked if number < _FIRST} | known

    async def _write(self, fresh: dict[str, int]) -> None:
        if len(self._written) + len(fresh) > KEPT:
            self._written.clear()
        while rows := await self._unwritten(fresh):
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(sa.insert(NUMBERS), rows)
            except IntegrityError:
                continue  # somebody else was writing some of them down; the others are left
        self._written.update(fresh)

    async def _unwritten(self, fresh: dict[str, int]) -> list[dict[str, str | int]]:
        known = await self.people(fresh.values())
        return [{"number": n, "person": p} for p, n in fresh.items() if n not in known]
