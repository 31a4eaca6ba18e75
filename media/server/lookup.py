"""People by what is typed of their handle or name, for whoever wants to name somebody.

Left out are people between whom and the viewer is a block, and who is suspended. Protected people are found by
their whole handle, and by parts of it and their name only by those whom they follow, or who follow them.
"""

from typing import Any, Final

import sqlalchemy as sa

from media.server.accounts import Relation, User
from media.server.database import Database
from media.server.discovery.words import plain
from media.server.paging import Page, no_token
from media.server.tables import RELATIONS, SUSPENSIONS, USER_WORDS, USERS
from media.server.user_words import WORD_MAX

LOOKED_THROUGH: Final = 1_000
"""Words that begin with what was typed, of which the first in their order count, and those of whom one follows."""
TERMS_MAX: Final = 5
_END: Final = "\U0010ffff"

_U: Final = USERS.c
_R: Final = RELATIONS.c
Who = str | sa.Column[str]
_PROFILE: Final = tuple(_U[name] for name in User.__dataclass_fields__)


class Lookup:
    """Queries."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def people(self, query: str, viewer: str, page: Page) -> tuple[list[User], str | None]:
        """Return a page of those who have every word of a query, and the token of the next one.

        First comes whose handle it is, then whom the viewer follows, then who has most followers.

        :raises Problem: 422, the token is none of this list
        """
        whole = plain(query).strip().removeprefix("@")
        terms = sorted({word.removeprefix("@")[:WORD_MAX] for word in whole.split()} - {""}, key=len)[-TERMS_MAX:]
        after = _place(page.after())
        if not terms:
            return [], None
        rank = 2 * _number(_U.handle == whole) + _number(_is(Relation.FOLLOW, viewer, _U.id))
        order = (-rank, -_U.followers_count, _U.id)
        found = sa.select(*_PROFILE, rank).where(_U.id != viewer, *map(_has, terms[:-1]), _shown(viewer, whole))
        found = found.where(_U.id.in_(_candidates(terms[-1], viewer)))
        if after is not None:
            found = found.where(sa.tuple_(*order) > sa.tuple_(*map(sa.literal, after)))
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](r) for r in await connection.execute(found.order_by(*order).limit(page.limit))]
        people = [User(*row[:-1]) for row in rows]
        places = [f"{-row[-1]} {-user.followers_count} {user.id}" for row, user in zip(rows, people, strict=True)]
        shown, following = page.cut(people, places)
        return list(shown), following


def _place(text: str) -> tuple[int, int, str] | None:
    if not text:
        return None
    try:
        rank, followers, user_id = text.split(" ")
        place = int(rank), int(followers), user_id
    except ValueError:
        raise no_token() from None
    if not (-3 <= place[0] <= 0 and abs(place[1]) < 2**31):
        raise no_token()
    return place


def _candidates(term: str, viewer: str) -> sa.CompoundSelect[tuple[str]]:
    words = sa.select(USER_WORDS.c.user_id).where(_begins(term))
    first = words.order_by(USER_WORDS.c.word, USER_WORDS.c.user_id).limit(LOOKED_THROUGH).subquery()
    followed = sa.select(_R.target).where(_R.kind == Relation.FOLLOW.value, _R.source == viewer)
    return sa.union(sa.select(first.c.user_id), words.where(USER_WORDS.c.user_id.in_(followed)))


def _number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def _begins(term: str) -> sa.ColumnElement[bool]:
    return sa.and_(USER_WORDS.c.word >= term, USER_WORDS.c.word < term + _END)


def _has(term: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(USER_WORDS.c.user_id == _U.id, _begins(term))


def _is(kind: Relation, source: Who, target: Who) -> sa.ColumnElement[bool]:
    """Whether one is that to the other, by the index of the pair: the lists of some people have millions."""
    return sa.exists().where(_R.kind == kind.value, _R.source == source, _R.target == target)


def _shown(viewer: str, whole: str) -> sa.ColumnElement[bool]:
    known = sa.or_(_is(Relation.FOLLOW, viewer, _U.id), _is(Relation.FOLLOW, _U.id, viewer))
    return sa.and_(
        sa.or_(_U.protected.is_(False), _U.handle == whole, known),
        ~_is(Relation.BLOCK, viewer, _U.id),
        ~_is(Relation.BLOCK, _U.id, viewer),
        _U.id.not_in(sa.select(SUSPENSIONS.c.user_id)),
    )
