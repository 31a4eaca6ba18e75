"""Users and follows from CSV files into the store: all of them or, if one line is wrong, none.

``users.csv`` has the columns ``id, username, name`` and may have ``protected, verified`` (``true`` or ``false``)
and ``created_at`` (RFC 3339); ``follows.csv`` has ``follower_id, followed_id``, and the last line is the newest.
Both are UTF-8 and begin with the names of the columns, in any order.
"""

import csv
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.accounts import Relation
from media.server.auth import is_name
from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.store import Store, StoreError
from media.server.tables import RELATIONS, USERS
from media.server.user_words import write_words

BATCH: Final = 2_000
"""Rows written at a time."""

Row = dict[str, Any]
"""Column to value; the number of the line under :data:`LINE`."""
LINE: Final = "line"


class ImportLineError(ValueError):
    """A file that cannot be imported; the message names file, line and column."""

    def __init__(self, path: Path, line: int, column: str, what: str) -> None:
        super().__init__(f"{path}, line {line}, column {column}: {what} Nothing was imported.")


async def import_into(url: str, users: Path, follows: Path | None) -> tuple[int, int]:
    """Read both files into the store at a URL, as :func:`import_people`.

    :raises StoreError: the store cannot be used, or somebody else wrote the same people meanwhile
    """
    store = Store(url, patience=None)
    await store.open()
    try:
        return await import_people(store.database, users, follows)
    except (SQLAlchemyError, StoreUnavailableError) as error:
        first = str(error).splitlines()[0]
        raise StoreError(f"The store did not take it ({first}); nothing was imported, try again.") from error
    finally:
        await store.close()


async def import_people(engine: Database, users: Path, follows: Path | None) -> tuple[int, int]:
    """Read both files into the store; return how many users and follows came.

    :raises ImportLineError: a line is wrong, and nothing was imported
    :raises OSError: a file cannot be read, likewise
    """
    new = _read_users(users)
    async with engine.begin() as connection:
        ids = await _check_new(connection, users, new)
        await _write(connection, USERS, [{k: v for k, v in row.items() if k != LINE} for row in new])
        await write_words(connection, [(row["id"], row["username"], row["name"]) for row in new])
        pairs = _read_follows(follows, ids) if follows else []
        if follows:
            await _check_pairs(connection, follows, pairs)
            await _write(connection, RELATIONS, [{k: v for k, v in row.items() if k != LINE} for row in pairs])
            await _count_anew(connection)
    return len(new), len(pairs)


def _read_users(path: Path) -> list[Row]:
    rows: list[Row] = []
    seen: dict[tuple[str, str], int] = {}
    now = time.time()
    for row in rows_of(path, ("id", "username", "name"), ("protected", "verified", "created_at")):
        line = row[LINE]
        for column in ("id", "username"):
            need(is_name(row[column]), path, line, column, f"{row[column]!r} cannot be a name; {_NAMES}")
            first = seen.setdefault((column, row[column] if column == "id" else row[column].lower()), line)
            need(first == line, path, line, column, f"{row[column]!r} is in line {first} already.")
        name = row["name"].strip()
        need(
            0 < len(name) <= 50 and name.isprintable(),
            *(path, line, "name"),
            f"{name!r} cannot be shown; use 1 to 50 printable characters.",
        )
        for column in ("protected", "verified"):
            text = row[column].lower()
            need(text in _TRUTH, path, line, column, f"{row[column]!r} is neither true nor false.")
            row[column] = _TRUTH[text]
        row["created_at"] = time_of(path, line, row["created_at"]) if row["created_at"] else now
        row |= {"name": name, "handle": row["username"].lower(), "followers_count": 0, "following_count": 0}
        rows.append(row)
    return rows


def _read_follows(path: Path, ids: set[str]) -> list[Row]:
    rows: list[Row] = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows_of(path, ("follower_id", "followed_id"), ()):
        line, source, target = row[LINE], row["follower_id"], row["followed_id"]
        for column in ("follower_id", "followed_id"):
            need(row[column] in ids, path, line, column, f"There is no user {row[column]!r}; import them too.")
        need(source != target, path, line, "followed_id", f"{target!r} cannot follow themselves.")
        first = seen.setdefault((source, target), line)
        need(first == line, path, line, "followed_id", f"{source!r} follows {target!r} in line {first} already.")
        rows.append({LINE: line, "kind": Relation.FOLLOW.value, "source": source, "target": target})
    return rows


async def _check_new(connection: AsyncConnection, path: Path, rows: Sequence[Row]) -> set[str]:
    """Check that nobody is in the store yet; return the ids of all who are there then."""
    known = (await connection.execute(sa.select(USERS.c.id, USERS.c.handle))).all()
    ids, handles = {row.id for row in known}, {row.handle for row in known}
    for row in rows:
        need(row["id"] not in ids, path, row[LINE], "id", f"{row['id']!r} is a user already.")
        taken = row["handle"] in handles
        need(not taken, path, row[LINE], "username", f"{row['username']!r} is somebody's already.")
    return ids | {row["id"] for row in rows}


async def _check_pairs(connection: AsyncConnection, path: Path, rows: Sequence[Row]) -> None:
    columns = RELATIONS.c
    query = sa.select(columns.kind, columns.source, columns.target)
    known = {(row.source, row.target): row.kind for row in await connection.execute(query)}
    for row in rows:
        source, target = row["source"], row["target"]
        kind = known.get((source, target))
        need(kind is None, path, row[LINE], "followed_id", f"{source!r} stands to {target!r} as {kind!r} already.")
        blocked = known.get((target, source)) == Relation.BLOCK
        need(not blocked, path, row[LINE], "followed_id", f"{target!r} has blocked {source!r}.")


async def _write(connection: AsyncConnection, table: sa.Table, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), BATCH):
        await connection.execute(sa.insert(table), rows[start : start + BATCH])


async def _count_anew(connection: AsyncConnection) -> None:
    for column, end in (
        (USERS.c.followers_count, RELATIONS.c.target),
        (USERS.c.following_count, RELATIONS.c.source),
    ):
        number = (
            sa.select(sa.func.count())
            .where(RELATIONS.c.kind == Relation.FOLLOW.value, end == USERS.c.id)
            .scalar_subquery()
        )
        await connection.execute(sa.update(USERS).values({column: number}))


def rows_of(path: Path, needed: Sequence[str], optional: Sequence[str]) -> Iterator[Row]:
    """Yield the lines of a CSV file with all columns; those that it does not have are empty.

    :raises ImportLineError: it is no CSV with these columns
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [column.strip() for column in next(reader, [])]
            for column in needed:
                need(column in header, path, 1, column, "The header lacks it.")
            for column in header:
                known = column in (*needed, *optional) and header.count(column) == 1
                need(
                    known,
                    path,
                    1,
                    column or "(empty)",
                    f"Columns are {', '.join((*needed, *optional))}, once each.",
                )
            for cells in reader:
                if not cells:
                    continue
                line = reader.line_num
                last = header[min(len(cells), len(header)) - 1]
                need(
                    len(cells) == len(header), path, line, last, f"{len(cells)} cells, but {len(header)} columns."
                )
                yield dict.fromkeys(optional, "") | dict(zip(header, cells, strict=True)) | {LINE: line}
        except csv.Error as error:
            raise ImportLineError(path, reader.line_num, "(unknown)", f"It is no CSV: {error}.") from None
        except UnicodeDecodeError:
            raise ImportLineError(path, reader.line_num + 1, "(unknown)", "It is not UTF-8.") from None


def time_of(path: Path, line: int, text: str) -> float:
    """Read a time (RFC 3339) as Unix seconds.

    :raises ImportLineError: it is none
    """
    try:
        time_read = datetime.fromisoformat(text)
    except ValueError:
        time_read = None
    if time_read is None or time_read.tzinfo is None:
        raise ImportLineError(path, line, "created_at", f"{text!r} is no time; write it as 2021-05-03T12:00:00Z.")
    return time_read.timestamp()


def need(right: bool, path: Path, line: int, column: str, what: str) -> None:
    """Refuse the file unless something is right.

    :raises ImportLineError: it is not
    """
    if not right:
        raise ImportLineError(path, line, column, what)


_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False, "": False}
_NAMES: Final = "use up to 64 letters, digits, '_', '-' and '.', and not 'me'."
