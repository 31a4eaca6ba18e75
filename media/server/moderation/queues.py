"""Saved searches, which are the queues that reviewers work through."""

from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.dialects import postgresql, sqlite

from media.moderation.errors import ModerationError
from media.server.audit.audit import Act, Audit
from media.server.database import Database
from media.server.errors import Problem
from media.server.moderation.shapes import SearchIn
from media.server.moderation.tables import QUEUES

ALL: Final = "all"
"""The queue that is always there."""
MOST: Final = 200
"""Queues of one service."""
_C: Final = QUEUES.c


class Queues:
    """Queries, each a transaction of its own."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def get(self, name: str) -> SearchIn:
        """Return the search behind a name.

        :raises Problem: 404, there is none
        """
        if name == ALL:
            return SearchIn.model_validate({})
        async with self._database.connect() as connection:
            kept = (await connection.execute(sa.select(_C.search).where(_C.name == name))).scalar()
        if kept is None:
            raise _unknown()
        return SearchIn.model_validate(kept)

    async def list(self) -> dict[str, SearchIn]:
        """Read all."""
        async with self._database.connect() as connection:
            rows = await connection.execute(sa.select(_C.name, _C.search).order_by(_C.name))
            return {ALL: SearchIn.model_validate({})} | {
                row.name: SearchIn.model_validate(row.search) for row in rows
            }

    async def keep(self, name: str, search: SearchIn, by: str, now: float) -> None:
        """Save a search under a name, new or known; ``now`` in Unix seconds.

        :raises ModerationError: the name is taken for good, or there are enough
        """
        if name == ALL:
            raise ModerationError("The queue «all» is always there; choose another name.")
        values: dict[str, Any] = from_json(to_json(search.model_dump(mode="json", exclude_defaults=True)))
        async with self._database.begin() as connection:
            others = sa.select(sa.func.count()).select_from(QUEUES).where(_C.name != name)
            if (await connection.execute(others)).scalar_one() >= MOST:
                raise ModerationError(f"There are {MOST} queues already; delete one first.")
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            fresh = insert(QUEUES).values(name=name, search=values, made_by=by, made_at=now)
            await connection.execute(
                fresh.on_conflict_do_update(index_elements=["name"], set_={"search": fresh.excluded.search})
            )
            await self._audit.write(connection, [Act(by, "save queue", name)])

    async def discard(self, name: str, by: str) -> None:
        """Forget a queue; its cases stay where they are.

        :raises Problem: 404, there is none
        """
        async with self._database.begin() as connection:
            if (await connection.execute(sa.delete(QUEUES).where(_C.name == name))).rowcount == 0:
                raise _unknown()
            await self._audit.write(connection, [Act(by, "delete queue", name)])


def _unknown() -> Problem:
    return Problem(404, "unknown-queue", "There is no queue of this name; the list of queues has those there are.")
