"""Downloads in the store: one of each Space for its host, and one of each person's own data."""

import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from media.server.database import Database
from media.server.downloads.tables import DOWNLOADS

_D: Final = DOWNLOADS.c


class DownloadState(Enum):
    """How far it is."""

    WAITING = "waiting"
    """To be put together, or being so."""
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Download:
    """A row.  Times in Unix seconds."""

    id: str
    user_id: str
    space_id: str
    """Empty: the person's own data."""
    state: DownloadState
    asked_at: float
    ready_at: float | None = None
    expires_at: float | None = None
    size: int = 0
    digest: str = ""
    fault: str = ""
    """Why it failed: one sentence."""


class DownloadStore:
    """Queries, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, user_id: str, space_id: str, now: float) -> Download:
        """Ask for one: who has asked already gets the same, unless it failed."""
        fresh = {
            "id": secrets.token_hex(16),
            "user_id": user_id,
            "space_id": space_id,
            "state": DownloadState.WAITING.value,
            "asked_at": now,
            "size": 0,
            "digest": "",
            "fault": "",
        }
        mine = sa.and_(_D.user_id == user_id, _D.space_id == space_id)
        async with self._database.begin() as connection:
            failed = sa.and_(mine, _D.state == DownloadState.FAILED.value)
            await connection.execute(sa.delete(DOWNLOADS).where(failed))
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            await connection.execute(insert(DOWNLOADS).values(fresh).on_conflict_do_nothing())
            return _read((await connection.execute(sa.select(DOWNLOADS).where(mine))).one())

    async def find(self, user_id: str, space_id: str) -> Download | None:
        """Read one."""
        query = sa.select(DOWNLOADS).where(_D.user_id == user_id, _D.space_id == space_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _read(row)

    async def waiting(self) -> Download | None:
        """Read the one that has waited longest."""
        query = sa.select(DOWNLOADS).where(_D.state == DownloadState.WAITING.value).order_by(_D.asked_at).limit(1)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _read(row)

    async def finish(self, number: str, now: float, expires_at: float, size: int, digest: str) -> None:
        """Note that a file is there."""
        await self._change(
            number,
            state=DownloadState.READY.value,
            ready_at=now,
            expires_at=expires_at,
            size=size,
            digest=digest,
        )

    async def fail(self, number: str, fault: str) -> None:
        """Note why one cannot be had."""
        await self._change(number, state=DownloadState.FAILED.value, fault=fault[:200])

    async def expire(self, now: float) -> None:
        """Forget those whose time is over."""
        async with self._database.begin() as connection:
            await connection.execute(sa.delete(DOWNLOADS).where(_D.expires_at <= now))

    async def ready(self) -> set[str]:
        """Read the ids of those whose files are there."""
        async with self._database.connect() as connection:
            query = sa.select(_D.id).where(_D.state == DownloadState.READY.value)
            return set((await connection.execute(query)).scalars())

    async def _change(self, number: str, **values: Any) -> None:
        async with self._database.begin() as connection:
            await connection.execute(sa.update(DOWNLOADS).where(_D.id == number).values(values))


def _read(row: sa.Row[Any]) -> Download:
    number, user_id, space_id, state, *more = tuple[Any, ...](row)
    return Download(number, user_id, space_id, DownloadState(state), *more)
