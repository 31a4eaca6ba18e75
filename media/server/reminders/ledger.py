"""Who wants to be reminded of what, and what they have been told, in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from media.server.database import Database
from media.server.reminders.outbox import Message, enqueue
from media.server.reminders.tables import REMINDERS
from media.space.reminders import Reminder

_R: Final = REMINDERS.c


@dataclass(frozen=True, slots=True)
class Told:
    """People who are told the same thing, and what they know after that; None if that was the last."""

    people: Sequence[str]
    knows: Reminder | None
    message: Message


class Ledger:
    """Queries, each a transaction of its own."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def add(self, space_id: str, user_id: str, reminder: Reminder) -> bool:
        """Note a wish; False if it was there already."""
        values = {
            "space_id": space_id,
            "user_id": user_id,
            "since": reminder.since,
            "start": reminder.start,
            "soon_told": reminder.soon_told,
        }
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.insert(REMINDERS).values(values))
        except IntegrityError:
            return False
        return True

    async def discard(self, space_id: str, user_id: str) -> bool:
        """Forget a wish; False if there was none."""
        gone = sa.delete(REMINDERS).where(_R.space_id == space_id, _R.user_id == user_id)
        async with self._engine.begin() as connection:
            return (await connection.execute(gone)).rowcount > 0

    async def has(self, space_id: str, user_id: str) -> bool:
        """Whether somebody wants to be reminded of a Space."""
        query = sa.select(_R.since).where(_R.space_id == space_id, _R.user_id == user_id)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def of_user(
        self, user_id: str, after: tuple[float, str] | None, limit: int
    ) -> list[tuple[str, Reminder]]:
        """Read a person's wishes, with the ids of the Spaces, the earliest start first.

        :param after: start and Space id of the last that was read
        """
        query = sa.select(REMINDERS).where(_R.user_id == user_id).order_by(_R.start, _R.space_id).limit(limit)
        if after is not None:
            start, space_id = after
            query = query.where(sa.or_(_R.start > start, sa.and_(_R.start == start, _R.space_id > space_id)))
        async with self._engine.connect() as connection:
            return [(row.space_id, _reminder(row)) for row in await connection.execute(query)]

    async def of_space(self, space_id: str, after: str, limit: int) -> list[tuple[str, Reminder]]:
        """Read who wants to be reminded of a Space, in the order of their ids, those after ``after``."""
        query = (
            sa.select(REMINDERS)
            .where(_R.space_id == space_id, _R.user_id > after)
            .order_by(_R.user_id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return [(row.user_id, _reminder(row)) for row in await connection.execute(query)]

    async def counts(self) -> Mapping[str, int]:
        """Count the wishes of every Space that has any."""
        query = sa.select(_R.space_id, sa.func.count()).group_by(_R.space_id)
        async with self._engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def note(self, space_id: str, told: Sequence[Told], now: float) -> None:
        """Note what people know, and queue their messages, all or nothing."""
        async with self._engine.begin() as connection:
            for group in told:
                whom = (_R.space_id == space_id, _R.user_id.in_(group.people))
                if group.knows is None:
                    await connection.execute(sa.delete(REMINDERS).where(*whom))
                else:
                    knows = group.knows
                    values = {"since": knows.since, "start": knows.start, "soon_told": knows.soon_told}
                    await connection.execute(sa.update(REMINDERS).where(*whom).values(values))
                await enqueue(connection, group.people, group.message, now)

    async def clear(self, space_id: str) -> None:
        """Forget every wish about a Space that is over."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(REMINDERS).where(_R.space_id == space_id))


def _reminder(row: sa.Row[tuple[object, ...]]) -> Reminder:
    return Reminder(row.since, row.start, row.soon_told)
