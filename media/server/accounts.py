"""The people of this server in the store: profiles, and who follows, asks to follow or blocks whom.

A token may name a person without a profile, as those of a swarm do: such a person can host, speak and listen, be
blocked and be suspended, but neither follows nor is followed.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.auth import is_name
from media.server.database import Database
from media.server.errors import Problem
from media.server.tables import RELATIONS, SUSPENSIONS, USERS
from media.server.user_words import forget_words, write_words


class Relation(StrEnum):
    """What one person can be to another."""

    FOLLOW = "follow"
    ASK = "ask to follow"
    """Of a protected account, which has not answered yet."""
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class User:
    """A profile."""

    id: str
    username: str
    name: str
    created_at: float
    """Unix seconds."""
    protected: bool = False
    verified: bool = False
    followers_count: int = 0
    following_count: int = 0
    adult: bool = False
    """Whether the person says, or an admin knows, that they are 18 or older: all that is known of their age."""


FOLLOWS_KEPT: Final = 50_000
"""Pairs remembered, since everyone who asks to speak is looked up."""
BELIEVED: Final = 5.0
"""Seconds."""

_PROFILE: Final = tuple(USERS.c[name] for name in User.__dataclass_fields__)


class Accounts:
    """Queries, each a transaction of its own."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine
        self.on_related: Callable[[str, str], None] = lambda _source, _target: None
        """Is told between whom something changed, after it did."""
        self._follows: OrderedDict[tuple[str, str], tuple[bool, float]] = OrderedDict()
        """Whether one follows the other, and until when that is believed (monotonic seconds)."""
        self._changes = 0

    async def add(self, user: User) -> None:
        """Write a profile.

        :raises Problem: 409, the id or the username is somebody's
        """
        values = {name: getattr(user, name) for name in User.__dataclass_fields__}
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.insert(USERS).values(handle=user.username.lower(), **values))
                await write_words(connection, [(user.id, user.username, user.name)])
        except IntegrityError:
            raise _taken(f"{user.id!r} or the username {user.username!r}") from None

    async def change(self, user_id: str, **values: Any) -> User:
        """Write some fields anew, and return the profile.

        :raises Problem: 404 there is no such user, 409 the username is somebody's
        """
        if "username" in values:
            values["handle"] = values["username"].lower()
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.update(USERS).where(USERS.c.id == user_id).values(values))
                if values.keys() & {"username", "name"}:
                    named = sa.select(USERS.c.id, USERS.c.username, USERS.c.name).where(USERS.c.id == user_id)
                    await forget_words(connection, user_id)
                    await write_words(connection, [(r[0], r[1], r[2]) for r in await connection.execute(named)])
        except IntegrityError:
            raise _taken(f"The username {values['username']!r}") from None
        return await self.known(user_id)

    async def get(self, user_id: str) -> User | None:
        """Read a profile."""
        return await self._one(USERS.c.id == user_id) if is_name(user_id) else None

    async def some(self, user_ids: Collection[str]) -> list[User]:
        """Read the profiles of those of them who have one, up to a few hundred."""
        if not user_ids:
            return []
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(*_PROFILE).where(USERS.c.id.in_(user_ids)))
            return [User(*row) for row in rows]

    async def known(self, user_id: str) -> User:
        """Read a profile.

        :raises Problem: 404, there is none
        """
        user = await self.get(user_id)
        if user is None:
            raise Problem(404, "unknown-user", "There is no user of this id; POST /users makes one's own profile.")
        return user

    async def named(self, username: str) -> User | None:
        """Read a profile by its username, in upper or lower case."""
        return await self._one(USERS.c.handle == username.lower()) if is_name(username) else None

    async def page(self, after: str, limit: int) -> list[User]:
        """Read profiles in the order of their ids, those that come after ``after``."""
        query = sa.select(*_PROFILE).where(USERS.c.id > after).order_by(USERS.c.id).limit(limit)
        async with self._engine.connect() as connection:
            return [User(*row) for row in await connection.execute(query)]

    async def relate(self, kind: Relation, source: str, target: str) -> None:
        """Note a relation; to block somebody ends all that was between the two, to follow ends asking to."""
        async with self._changing(source, target) as connection:
            if kind is Relation.BLOCK:
                for end in ((source, target), (target, source)):
                    await _cut(connection, Relation.FOLLOW, *end)
                    await _cut(connection, Relation.ASK, *end)
            elif kind is Relation.FOLLOW:
                await _cut(connection, Relation.ASK, source, target)
            values = {"kind": kind.value, "source": source, "target": target}
            try:
                async with connection.begin_nested():
                    await connection.execute(sa.insert(RELATIONS).values(values))
            except IntegrityError:
                return  # it is there already
            if kind is Relation.FOLLOW:
                await _count(connection, source, target, 1)
        self.on_related(source, target)

    async def part(self, kind: Relation, source: str, target: str) -> None:
        """End a relation, if there is one."""
        async with self._changing(source, target) as connection:
            await _cut(connection, kind, source, target)
        self.on_related(source, target)

    async def related(self, kind: Relation, source: str, target: str) -> bool:
        """Whether one is that to the other."""
        columns = RELATIONS.c
        query = sa.select(columns.number).where(
            columns.kind == kind.value, columns.source == source, columns.target == target
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def follows(self, source: str, target: str) -> bool:
        """Whether one follows the other; what is changed here counts at once, an import within seconds."""
        found = self._follows.get((source, target))
        if found is not None and time.monotonic() < found[1]:
            return found[0]
        changes = self._changes
        follows = await self.related(Relation.FOLLOW, source, target)
        if changes == self._changes:
            self._follows[source, target] = follows, time.monotonic() + BELIEVED
        if len(self._follows) > FOLLOWS_KEPT:
            self._follows.popitem(last=False)
        return follows

    async def sources(self, kind: Relation, target: str, before: int | None, limit: int) -> list[tuple[int, User]]:
        """Read who is that to a person, newest first, with the numbers to go on from."""
        return await self._partners(kind, RELATIONS.c.target == target, RELATIONS.c.source, before, limit)

    async def targets(self, kind: Relation, source: str, before: int | None, limit: int) -> list[tuple[int, User]]:
        """Read to whom a person is that, newest first, with the numbers to go on from."""
        return await self._partners(kind, RELATIONS.c.source == source, RELATIONS.c.target, before, limit)

    async def blocked_by(self, person: str) -> set[str]:
        """Read everyone whom a person blocks."""
        columns = RELATIONS.c
        query = sa.select(columns.target).where(columns.kind == Relation.BLOCK.value, columns.source == person)
        async with self._engine.connect() as connection:
            return set((await connection.execute(query)).scalars())

    async def suspended(self) -> dict[str, str]:
        """Read who is suspended, and why."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(SUSPENSIONS.c.user_id, SUSPENSIONS.c.reason))
            return {row.user_id: row.reason for row in rows}

    async def suspend(self, user_id: str, by: str, at: float, reason: str) -> None:
        """Note that a person is suspended; the last word counts."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(SUSPENSIONS).where(SUSPENSIONS.c.user_id == user_id))
            values = {"user_id": user_id, "by": by, "at": at, "reason": reason}
            await connection.execute(sa.insert(SUSPENSIONS).values(values))

    async def lift(self, user_id: str) -> None:
        """Note that a person is suspended no more."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(SUSPENSIONS).where(SUSPENSIONS.c.user_id == user_id))

    @asynccontextmanager
    async def _changing(self, source: str, target: str) -> AsyncGenerator[AsyncConnection]:
        """Give a transaction after which nothing is believed of the two but what the store says."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        finally:
            self._changes += 1
            self._follows.pop((source, target), None)
            self._follows.pop((target, source), None)

    async def _one(self, condition: sa.ColumnElement[bool]) -> User | None:
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(*_PROFILE).where(condition))).first()
        return User(*row) if row else None

    async def _partners(
        self,
        kind: Relation,
        of: sa.ColumnElement[bool],
        other: sa.ColumnElement[str],
        before: int | None,
        limit: int,
    ) -> list[tuple[int, User]]:
        number = RELATIONS.c.number
        query = (
            sa.select(number, other, *_PROFILE)
            .select_from(RELATIONS.outerjoin(USERS, USERS.c.id == other))
            .where(RELATIONS.c.kind == kind.value, of)
            .order_by(number.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(number < before)
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [(row[0], _known_or_not(row[1], row[2:])) for row in rows]


def _known_or_not(person: str, profile: tuple[Any, ...]) -> User:
    return User(person, person, person, 0.0) if profile[0] is None else User(*profile)


async def _cut(connection: AsyncConnection, kind: Relation, source: str, target: str) -> None:
    columns = RELATIONS.c
    gone = sa.delete(RELATIONS).where(
        columns.kind == kind.value, columns.source == source, columns.target == target
    )
    if (await connection.execute(gone)).rowcount and kind is Relation.FOLLOW:
        await _count(connection, source, target, -1)


async def _count(connection: AsyncConnection, source: str, target: str, change: int) -> None:
    """Keep the counts of both; in the order of their ids, so that no two wait for each other."""
    changes: Mapping[str, sa.Column[int]] = {source: USERS.c.following_count, target: USERS.c.followers_count}
    for user_id in sorted(changes):
        column = changes[user_id]
        await connection.execute(sa.update(USERS).where(USERS.c.id == user_id).values({column: column + change}))


def _taken(what: str) -> Problem:
    return Problem(409, "user-exists", f"{what} is somebody's already; choose another.")
