"""Final lines of captions in the store."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from media.captions.lines import Line
from media.server.captions.tables import CAPTION_LINES
from media.server.database import Database

_L: Final = CAPTION_LINES.c
_LINE: Final = (_L.id, _L.user_id, _L.start_ms, _L.end_ms, _L.text, _L.language, _L.corrected)


class CaptionStore:
    """Queries, each a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, lines: Sequence[tuple[str, Line]]) -> None:
        """Write lines, each with the id of its Space."""
        rows = [_row(space_id, line) for space_id, line in lines]
        async with self._database.begin() as connection:
            await connection.execute(sa.insert(CAPTION_LINES), rows)

    async def lines(
        self,
        space_id: str,
        start_ms: int = 0,
        end_ms: int | None = None,
        user_id: str | None = None,
        newest: int | None = None,
    ) -> list[Line]:
        """Read the lines of a Space, in their order: those that touch a span of time, of one user or of all.

        :param newest: so many of them at most, the last ones
        """
        query = sa.select(*_LINE).where(_L.space_id == space_id, _L.end_ms >= start_ms)
        if end_ms is not None:
            query = query.where(_L.start_ms <= end_ms)
        if user_id is not None:
            query = query.where(_L.user_id == user_id)
        query = query.order_by(_L.start_ms.desc(), _L.id.desc()).limit(newest)
        async with self._database.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [_line(row) for row in reversed(rows)]

    async def captioned(self, space_ids: Collection[str]) -> set[str]:
        """Return which of these Spaces have lines."""
        query = sa.select(_L.space_id).where(_L.space_id.in_(space_ids)).distinct()
        async with self._database.connect() as connection:
            return set((await connection.execute(query)).scalars())

    async def get(self, space_id: str, line_id: str) -> Line | None:
        """Read a line."""
        query = sa.select(*_LINE).where(_L.space_id == space_id, _L.id == line_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _line(tuple[Any, ...](row))

    async def correct(self, space_id: str, line_id: str, text: str) -> None:
        """Write what a line really was."""
        change = sa.update(CAPTION_LINES).where(_L.space_id == space_id, _L.id == line_id)
        async with self._database.begin() as connection:
            await connection.execute(change.values(text=text, corrected=True))

    async def replace(self, space_id: str, line_ids: Sequence[str], line: Line) -> bool:
        """Write a line in the place of some, unless one is gone or was corrected meanwhile; whether it did."""
        those = (_L.space_id == space_id, _L.id.in_(line_ids), _L.corrected.is_(False))
        async with self._database.begin() as connection:
            there = (await connection.execute(sa.select(sa.func.count()).where(*those))).scalar_one()
            if there != len(line_ids):
                return False
            await connection.execute(sa.delete(CAPTION_LINES).where(*those))
            await connection.execute(sa.insert(CAPTION_LINES), [_row(space_id, line)])
        return True


def _row(space_id: str, line: Line) -> dict[str, Any]:
    return {
        "space_id": space_id,
        "id": line.id,
        "user_id": line.user_id,
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "text": line.text,
        "language": line.language,
        "corrected": line.corrected,
    }


def _line(row: tuple[Any, ...]) -> Line:
    number, user_id, start_ms, end_ms, text, language, corrected = row
    return Line(number, user_id, start_ms, end_ms, text, language, automatic=not corrected, corrected=corrected)
