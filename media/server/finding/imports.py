"""Posts from a file into the store: all of them or, if one line is wrong, none.

JSON Lines (one object a line) or, if the name ends in ``.csv``, CSV with a header. Both have ``author_id, text,
created_at`` (RFC 3339) and may have ``id`` (one is made if not) and ``lang``; both are UTF-8. Authors are users
already. The last line is the newest in the feed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.finding.posts import BATCH, Post, new_id, write_posts
from media.server.finding.schema import LANG, POST_MAX
from media.server.finding.tables import POSTS
from media.server.imports import LINE, ImportLineError, Row, need, rows_of, time_of
from media.server.store import Store, StoreError
from media.server.tables import USERS

_NEEDED: Final = ("author_id", "text", "created_at")
_OPTIONAL: Final = ("id", "lang")
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


async def import_posts_into(url: str, path: Path) -> int:
    """Read a file of posts into the store at a URL, as :func:`import_posts`.

    :raises StoreError: the store cannot be used, or somebody else wrote the same posts meanwhile
    """
    store = Store(url, patience=None)
    await store.open()
    try:
        return await import_posts(store.database, path)
    except (SQLAlchemyError, StoreUnavailableError) as error:
        first = str(error).splitlines()[0]
        raise StoreError(f"The store did not take it ({first}); nothing was imported, try again.") from error
    finally:
        await store.close()


async def import_posts(engine: Database, path: Path) -> int:
    """Read a file of posts into the store; return how many came.

    :raises ImportLineError: a line is wrong, and nothing was imported
    :raises OSError: the file cannot be read, likewise
    """
    async with engine.begin() as connection:
        users = set((await connection.execute(sa.select(USERS.c.id))).scalars())
        lines, posts = _read(path, users)
        await _check_new(connection, path, lines, posts)
        await write_posts(connection, posts)
    return len(posts)


def _read(path: Path, users: set[str]) -> tuple[list[int], list[Post]]:
    rows = rows_of(path, _NEEDED, _OPTIONAL) if path.suffix.lower() == ".csv" else _objects(path)
    lines: list[int] = []
    posts: list[Post] = []
    seen: dict[str, int] = {}
    for row in rows:
        line, text = row[LINE], row["text"]
        author, lang = row["author_id"], row["lang"] or "en"
        need(author in users, path, line, "author_id", f"There is no user {author[:80]!r}; import them first.")
        right = len(text.strip()) > 0 and len(text) <= POST_MAX and _can_be_kept(text)
        need(right, path, line, "text", f"A post is 1 to {POST_MAX} letters of Unicode, without NUL.")
        need(
            re.fullmatch(LANG, lang) is not None and len(lang) <= 35,
            path,
            line,
            "lang",
            f"{lang!r} is no language.",
        )
        at = time_of(path, line, row["created_at"])
        post_id = row["id"] or new_id(at)
        need(_ID.fullmatch(post_id) is not None, path, line, "id", f"{post_id[:80]!r} can be no id of a post.")
        first = seen.setdefault(post_id, line)
        need(first == line, path, line, "id", f"{post_id!r} is in line {first} already.")
        lines.append(line)
        posts.append(Post(post_id, author, text, lang, at))
    return lines, posts


def _objects(path: Path) -> Iterator[Row]:
    """Yield the objects of a file of JSON Lines; what they do not have is empty."""
    known = (*_NEEDED, *_OPTIONAL)
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                entry: Any = json.loads(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
            except (ValueError, RecursionError):
                raise ImportLineError(path, line, "(unknown)", "It is no JSON in UTF-8.") from None
            need(isinstance(entry, dict), path, line, "(unknown)", "It is no JSON object.")
            for column, value in entry.items():
                need(column in known, path, line, str(column)[:80], f"Fields are {', '.join(known)}.")
                need(isinstance(value, str), path, line, column, "It is no string.")
            for column in _NEEDED:
                need(column in entry, path, line, column, "The object lacks it.")
            yield dict.fromkeys(_OPTIONAL, "") | entry | {LINE: line}


async def _check_new(connection: AsyncConnection, path: Path, lines: list[int], posts: list[Post]) -> None:
    for start in range(0, len(posts), BATCH):
        ids = {post.id: line for post, line in zip(posts[start : start + BATCH], lines[start:], strict=False)}
        known = (await connection.execute(sa.select(POSTS.c.id).where(POSTS.c.id.in_(ids)))).scalars()
        for post_id in sorted(known, key=ids.__getitem__):
            need(False, path, ids[post_id], "id", f"There is a post {post_id!r} already.")


def _can_be_kept(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say
        return False
    return "\0" not in text
