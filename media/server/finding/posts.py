"""The posts of this server in the store, and their words, by which they are found."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.accounts import Relation
from media.server.database import Database
from media.server.errors import Problem
from media.server.finding.tables import OPT_OUTS, POST_WORDS, POSTS
from media.server.finding.terms import Term, index_of
from media.server.tables import RELATIONS, USERS

NEWEST: Final = 5_000
"""Posts that are looked through for all terms together: of each term as many, the newest that have its words."""
BATCH: Final = 500
"""Rows written, and ids asked for, at a time."""
_ID_EPOCH: Final = 1_288_834_974.657
"""X's ids count milliseconds from this (Unix seconds), shifted by 22 bits."""


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody wrote to everyone."""

    id: str
    author_id: str
    text: str
    lang: str
    created_at: float
    """Unix seconds."""
    number: int = 0
    """In the order in which posts came."""


class Mentioning(NamedTuple):
    """A post that may mention a term, and the followers of its author."""

    number: int
    author_id: str
    text: str
    lang: str
    created_at: float
    """Unix seconds."""
    followers: int


_COLUMNS: Final = tuple(POSTS.c[name] for name in Post.__dataclass_fields__)
_MENTIONING: Final = tuple(POSTS.c[name] for name in Mentioning._fields[:-1])


def new_id(now: float) -> str:
    """Return an id of X's kind: a number that grows with time (Unix seconds)."""
    return str((int((now - _ID_EPOCH) * 1000) << 22) | secrets.randbits(22))


class Posts:
    """Queries, each a transaction of its own."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def add(self, post: Post) -> None:
        """Write a post.

        :raises Problem: 409, there is one of that id
        """
        try:
            async with self._engine.begin() as connection:
                await write_posts(connection, [post])
        except IntegrityError:
            raise Problem(409, "post-exists", f"There is a post {post.id!r} already.") from None

    async def get(self, post_id: str, viewer: str) -> Post | None:
        """Read a post, if a person may see it."""
        if "\0" in post_id:
            return None
        query = sa.select(*_COLUMNS).where(POSTS.c.id == post_id, _visible_to(viewer))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Post(*row) if row else None

    async def remove(self, post: Post) -> None:
        """Forget a post and its words."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(POST_WORDS).where(POST_WORDS.c.post == post.number))
            await connection.execute(sa.delete(POSTS).where(POSTS.c.number == post.number))

    async def page(self, viewer: str, author: str | None, before: int | None, limit: int) -> list[Post]:
        """Read the posts that a person may see, those first that came last."""
        query = sa.select(*_COLUMNS).where(_visible_to(viewer)).order_by(POSTS.c.number.desc()).limit(limit)
        if author is not None:
            query = query.where(POSTS.c.author_id == author)
        if before is not None:
            query = query.where(POSTS.c.number < before)
        async with self._engine.connect() as connection:
            return [Post(*row) for row in await connection.execute(query)]

    async def some(self, numbers: Collection[int]) -> dict[int, Post]:
        """Read posts by their numbers."""
        found: dict[int, Post] = {}
        wanted = list(numbers)
        async with self._engine.connect() as connection:
            for start in range(0, len(wanted), BATCH):
                query = sa.select(*_COLUMNS).where(POSTS.c.number.in_(wanted[start : start + BATCH]))
                found.update((row.number, Post(*row)) for row in await connection.execute(query))
        return found

    async def with_words(self, terms: Collection[Term], viewer: str, since: float) -> list[Mentioning]:
        """Read the newest public posts that have all words of a term, newest first.

        Without those of the user who asks, of users who are protected or want no invitations, and of users
        between whom and the user is a block.
        """
        found: dict[int, Mentioning] = {}
        async with self._engine.connect() as connection:
            for term in terms:
                words = POST_WORDS.c
                has = sa.select(words.post).where(words.word.in_(term.words)).group_by(words.post)
                has = has.having(sa.func.count() == len(term.words)).subquery()
                query = (
                    sa.select(*_MENTIONING, sa.func.coalesce(USERS.c.followers_count, 0))
                    .select_from(POSTS.join(has, has.c.post == POSTS.c.number))
                    .outerjoin(USERS, USERS.c.id == POSTS.c.author_id)
                    .where(POSTS.c.created_at >= since, POSTS.c.author_id != viewer)
                    .where(sa.or_(USERS.c.protected.is_(None), USERS.c.protected.is_(False)))
                    .where(POSTS.c.author_id.not_in(sa.select(OPT_OUTS.c.user_id)))
                    .where(_unblocked(viewer))
                    .order_by(POSTS.c.created_at.desc(), POSTS.c.number.desc())
                    .limit(NEWEST // len(terms))
                )
                rows = (await connection.execute(query)).all()
                found.update((row[0], Mentioning._make(row)) for row in rows)
        return sorted(found.values(), key=lambda post: (-post.created_at, -post.number))

    async def authors(self) -> int:
        """Count the people who have posted."""
        query = sa.select(sa.func.count(sa.distinct(POSTS.c.author_id)))
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar_one()


async def write_posts(connection: AsyncConnection, posts: Sequence[Post]) -> None:
    """Write posts, and the words by which they are found, in the order of the list."""
    last = (await connection.execute(sa.select(sa.func.max(POSTS.c.number)))).scalar() or 0
    rows: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for post in posts:
        row = {name: getattr(post, name) for name in Post.__dataclass_fields__ if name != "number"}
        if len(posts) == 1:
            written = sa.insert(POSTS).values(row).returning(POSTS.c.number)
            number = (await connection.execute(written)).scalar_one()
        else:
            number = last = last + 1
            rows.append(row | {"number": number})
        words += [{"word": word, "post": number} for word in sorted(index_of(post.text))]
    for table, values in ((POSTS, rows), (POST_WORDS, words)):
        for start in range(0, len(values), BATCH):
            await connection.execute(sa.insert(table), values[start : start + BATCH])
    if rows and connection.dialect.name == "postgresql":  # its sequence does not see numbers that were given
        await connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('posts', 'number'), :last)"), {"last": last}
        )


def _unblocked(viewer: str) -> sa.ColumnElement[bool]:
    c = RELATIONS.c
    blocked = sa.select(c.target).where(c.kind == Relation.BLOCK.value, c.source == viewer)
    blocking = sa.select(c.source).where(c.kind == Relation.BLOCK.value, c.target == viewer)
    return sa.and_(POSTS.c.author_id.not_in(blocked), POSTS.c.author_id.not_in(blocking))


def _visible_to(viewer: str) -> sa.ColumnElement[bool]:
    """Public posts, one's own, and those of protected people whom one follows; none across a block."""
    c = RELATIONS.c
    hidden = sa.select(USERS.c.id).where(USERS.c.protected.is_(True))
    followed = sa.select(c.target).where(c.kind == Relation.FOLLOW.value, c.source == viewer)
    author = POSTS.c.author_id
    shown = sa.or_(author == viewer, author.not_in(hidden), author.in_(followed))
    return sa.and_(shown, _unblocked(viewer))
