"""What the database knows of evidence: slots, ends, holds, and what is to be erased."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.policy import DEFAULT, ReviewPolicy
from media.server.database import Database
from media.server.recordings.tables import RECORDING_HOLDS, RECORDINGS

_R: Final = RECORDINGS.c
_H: Final = RECORDING_HOLDS.c


class EvidenceGoneError(Exception):
    """Nothing was recorded of the Space, or it has been erased; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A row: what there is of a Space.  Times in Unix seconds."""

    space_id: str
    slot: int
    commitment: str
    began_at: float
    ended_at: float | None
    violation: bool
    erasing: bool
    """Nobody can hold it any more."""
    erased_at: float | None


class RecordingStore:
    """Rows in, rows out."""

    def __init__(self, database: Database, policy: ReviewPolicy = DEFAULT) -> None:
        self.database = database
        self._policy = policy

    async def add(self, recording: Recording) -> None:
        """Keep a new one."""
        async with self.database.begin() as connection:
            await connection.execute(sa.insert(RECORDINGS), _row(recording))

    async def find(self, space_id: str) -> Recording | None:
        """Return what there is of a Space."""
        query = sa.select(RECORDINGS).where(_R.space_id == space_id)
        async with self.database.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Recording(*row)

    async def unended(self) -> list[Recording]:
        """Return those whose Spaces were live when they were last looked at."""
        query = sa.select(RECORDINGS).where(_R.ended_at.is_(None))
        async with self.database.connect() as connection:
            return [Recording(*row) for row in await connection.execute(query)]

    async def end(self, space_id: str, at: float) -> None:
        """Let the clock of retention begin."""
        async with self.database.begin() as connection:
            unended = sa.and_(_R.space_id == space_id, _R.ended_at.is_(None))
            await connection.execute(sa.update(RECORDINGS).where(unended).values(ended_at=at))

    async def hold(self, space_id: str, holder: str) -> None:
        """Keep a recording from being erased.

        :raises EvidenceGoneError: there is none any more
        """
        async with self.database.begin() as connection:
            if await self.write_hold(connection, space_id, holder):
                return
        raise gone()

    async def write_hold(self, connection: AsyncConnection, space_id: str, holder: str) -> bool:
        """Hold as a part of a transaction; whether there is something to hold."""
        there = sa.select(_R.space_id, sa.literal(holder)).where(_R.space_id == space_id, ~_R.erasing)
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        kept = insert(RECORDING_HOLDS).from_select(["space_id", "holder"], there).on_conflict_do_nothing()
        done = await connection.execute(kept)
        if done.rowcount > 0:
            return True
        held = sa.select(_H.holder).where(_H.space_id == space_id, _H.holder == holder)
        return (await connection.execute(held)).first() is not None

    async def write_holds(self, connection: AsyncConnection, holds: Sequence[tuple[str, str]]) -> None:
        """Hold many, each a Space and a holder, as a part of a transaction that has asked :meth:`lock` before."""
        rows = [{"space_id": space_id, "holder": holder} for space_id, holder in holds]
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        await connection.execute(insert(RECORDING_HOLDS).on_conflict_do_nothing(), rows)

    async def lock(self, connection: AsyncConnection, spaces: Collection[str]) -> dict[str, bool]:
        """Return which of these have a recording, and whether it is being erased; it stays so in a transaction."""
        query = sa.select(_R.space_id, _R.erasing).where(_R.space_id.in_(spaces)).order_by(_R.space_id)
        rows = await connection.execute(query.with_for_update(read=True))
        return {row.space_id: row.erasing for row in rows}

    async def release(self, space_id: str, holder: str, *, violation: bool) -> None:
        """Let the clock decide again; a violation that was found keeps it longer."""
        async with self.database.begin() as connection:
            await self.write_release(connection, space_id, holder, violation=violation)

    async def write_release(
        self, connection: AsyncConnection, space_id: str, holder: str, *, violation: bool
    ) -> None:
        """Release as a part of a transaction."""
        mine = sa.and_(_H.space_id == space_id, _H.holder == holder)
        await connection.execute(sa.delete(RECORDING_HOLDS).where(mine))
        if violation:
            of_space = sa.update(RECORDINGS).where(_R.space_id == space_id)
            await connection.execute(of_space.values(violation=True))

    async def due(self, now: float, limit: int) -> list[Recording]:
        """Return recordings that nothing keeps any longer, the oldest first."""
        longer = self._policy.retention_on_violation
        ended_by = sa.case(
            (_R.violation, now - self._policy.retention - longer), else_=now - self._policy.retention
        )
        free = sa.and_(_R.ended_at <= ended_by, ~sa.exists().where(_H.space_id == _R.space_id))
        query = (
            sa.select(RECORDINGS)
            .where(_R.erased_at.is_(None), sa.or_(_R.erasing, free))
            .order_by(_R.ended_at)
            .limit(limit)
        )
        async with self.database.connect() as connection:
            return [Recording(*row) for row in await connection.execute(query)]

    async def begin_erasure(self, spaces: Sequence[str]) -> set[str]:
        """Let nobody hold these any more, but those that somebody has begun to hold; return which."""
        free = sa.and_(_R.space_id.in_(spaces), ~sa.exists().where(_H.space_id == _R.space_id))
        begun = sa.update(RECORDINGS).where(free).values(erasing=True).returning(_R.space_id)
        async with self.database.begin() as connection:
            return set((await connection.execute(begun)).scalars())

    async def note_erased(self, connection: AsyncConnection, spaces: Sequence[str], at: float) -> None:
        """Write as a part of a transaction that nothing of these is left."""
        of_spaces = sa.update(RECORDINGS).where(_R.space_id.in_(spaces))
        await connection.execute(of_spaces.values(erased_at=at))


def gone() -> EvidenceGoneError:
    """Return what is said of evidence that is not there."""
    return EvidenceGoneError("Nothing of this Space is kept: it was not recorded, or the recording was erased.")


def _row(recording: Recording) -> dict[str, Any]:
    return {name: getattr(recording, name) for name in Recording.__dataclass_fields__}
