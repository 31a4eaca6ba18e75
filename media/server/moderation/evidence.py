"""What moderation needs of the evidence copies of Spaces: to keep them, and to know until when they are kept.

A Space of which nothing was recorded can be reported and decided about all the same. One whose recording is erased
cannot be reported any more: nobody could look at it.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation import retention
from media.server.recordings.service import Recordings
from media.server.recordings.store import EvidenceGoneError

__all__ = ["Evidence", "EvidenceGoneError", "HeldRecordings"]


class Evidence(Protocol):
    """The recordings of a server.  Times in milliseconds since the Space started."""

    async def lock(self, connection: AsyncConnection, spaces: Collection[str]) -> dict[str, bool]:
        """Return which of these Spaces have evidence, and whether it is erased; so it stays in a transaction."""
        ...

    async def write_holds(self, connection: AsyncConnection, holds: Sequence[tuple[str, str]]) -> None:
        """Keep evidence, each of a Space in the name of a case, in a transaction that has locked it."""
        ...

    async def release(self, space_id: str, holder: str, *, violation: bool) -> None:
        """Let its clock decide again; a violation keeps it longer."""
        ...

    async def write_hold(self, connection: AsyncConnection, space_id: str, holder: str) -> bool:
        """Keep it as a part of a transaction; whether there is something to keep."""
        ...

    async def write_release(
        self, connection: AsyncConnection, space_id: str, holder: str, *, violation: bool
    ) -> None:
        """Let its clock decide again, as a part of a transaction."""
        ...

    async def clock(self, space_id: str, now: float) -> retention.Evidence | None:
        """Return the clock of what there is; of a Space that goes on, as if it ended now. None without any."""
        ...

    async def audio(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> bytes:
        """Return a range of a track as Ogg Opus."""
        ...

    async def levels(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> bytes:
        """Return the loudness in -dBov of each 20 ms of a range of a track."""
        ...

    async def spurts(self, space_id: str, start_ms: int, end_ms: int) -> Sequence[tuple[str, int, int]]:
        """Return who spoke from when to when."""
        ...


class HeldRecordings:
    """The recordings of this server as evidence."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._store = recordings.store

    async def lock(self, connection: AsyncConnection, spaces: Collection[str]) -> dict[str, bool]:
        """Return which of these Spaces have a recording, and whether it is being erased."""
        return await self._store.lock(connection, spaces)

    async def write_holds(self, connection: AsyncConnection, holds: Sequence[tuple[str, str]]) -> None:
        """Keep recordings, each of a Space in the name of a case."""
        await self._store.write_holds(connection, holds)

    async def release(self, space_id: str, holder: str, *, violation: bool) -> None:
        """Let its clock decide again."""
        await self._store.release(space_id, holder, violation=violation)

    async def write_hold(self, connection: AsyncConnection, space_id: str, holder: str) -> bool:
        """Keep it as a part of a transaction; whether there is something to keep."""
        return await self._store.write_hold(connection, space_id, holder)

    async def write_release(
        self, connection: AsyncConnection, space_id: str, holder: str, *, violation: bool
    ) -> None:
        """Let its clock decide again, as a part of a transaction."""
        await self._store.write_release(connection, space_id, holder, violation=violation)

    async def clock(self, space_id: str, now: float) -> retention.Evidence | None:
        """Return the clock of what there is."""
        found = await self._store.find(space_id)
        if found is None or found.erasing:
            return None
        ended_at = now if found.ended_at is None else found.ended_at
        return retention.Evidence(space_id, ended_at, violation=found.violation)

    async def audio(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> bytes:
        """Return a range of a track as Ogg Opus."""
        return await self._recordings.audio(space_id, user_id, start_ms, end_ms)

    async def levels(self, space_id: str, user_id: str | None, start_ms: int, end_ms: int) -> bytes:
        """Return the loudness in -dBov of each 20 ms of a range of a track."""
        return await self._recordings.levels(space_id, user_id, start_ms, end_ms)

    async def spurts(self, space_id: str, start_ms: int, end_ms: int) -> Sequence[tuple[str, int, int]]:
        """Return who spoke from when to when."""
        return await self._recordings.spurts(space_id, start_ms, end_ms)
