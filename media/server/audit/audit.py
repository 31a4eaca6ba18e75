"""Writes the audit log, in the transaction of what it is about: an act without its entry does not exist.

The chain itself is :mod:`media.moderation.audit`. Entries are written one transaction after the other, so that
each follows the last one: SQLite has one writer, PostgreSQL is asked for a lock that ends with the transaction.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.audit import Entry, append
from media.server.audit.tables import AUDIT_LOG
from media.server.database import Database

SLICE: Final = 1_000
"""Entries that are read at a time."""
_LOCK: Final = 0x4155_4454
"""Names the lock of PostgreSQL that writers of the log hold in turn: "AUDT" in ASCII."""
_C: Final = AUDIT_LOG.c
_NEWEST: Final = sa.select(AUDIT_LOG).order_by(_C.number.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be noted."""

    actor: str
    """Who did it; ``server`` for what time or a rule does."""
    action: str
    subject: str
    """What it was done to: the id of a case, a Space or a person."""
    reason: str = ""


class Audit:
    """The log of one server."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Take a clock in Unix seconds."""
        self._database = database
        self._clock = clock

    async def note(self, actor: str, action: str, subject: str, reason: str = "") -> None:
        """Note one act that is no part of another transaction.

        :raises StoreUnavailableError: it cannot be written; what is noted must not be done then
        """
        async with self._database.begin() as connection:
            await self.write(connection, [Act(actor, action, subject, reason)])

    async def write(self, connection: AsyncConnection, acts: Sequence[Act]) -> None:
        """Note acts as a part of a transaction, which does nothing else after it."""
        if not acts:
            return
        if connection.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        last = (await connection.execute(_NEWEST)).first()
        previous = None if last is None else entry_of(last)
        rows: list[dict[str, Any]] = []
        for act in acts:
            details = {"subject": act.subject, **({"reason": act.reason} if act.reason else {})}
            previous = append(previous, self._clock(), act.actor, act.action, details)
            rows.append({name: getattr(previous, name) for name in Entry.__dataclass_fields__})
        await connection.execute(sa.insert(AUDIT_LOG), rows)

    async def head(self) -> Entry | None:
        """Return the newest entry; None if there is none."""
        async with self._database.connect() as connection:
            row = (await connection.execute(_NEWEST)).first()
        return None if row is None else entry_of(row)

    async def entries(self, after: int = 0) -> AsyncIterator[Entry]:
        """Read the log from the entry after that number on, a slice at a time."""
        while True:
            query = sa.select(AUDIT_LOG).where(_C.number > after).order_by(_C.number).limit(SLICE)
            async with self._database.connect() as connection:
                some = [entry_of(row) for row in await connection.execute(query)]
            for entry in some:
                yield entry
            if len(some) < SLICE:
                return
            after = some[-1].number


def entry_of(row: sa.Row[Any]) -> Entry:
    """Read an entry off its row."""
    return Entry(row.number, row.at, row.actor, row.act, row.details, bytes(row.previous), bytes(row.digest))
