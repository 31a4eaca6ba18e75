"""Who was invited by campaigns in the store, and whether they opened it, came, spoke, and how long they stayed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.database import Database
from media.server.finding.tables import CAMPAIGNS, GUESTS, OPT_OUTS

BATCH: Final = 500

Place = tuple[float, str]
"""Where a list was left: a time (Unix seconds) and an id."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Invitations that were sent together."""

    id: str
    space_id: str
    by: str
    role: str
    terms: list[str]
    message: str
    created_at: float
    """Unix seconds."""


@dataclass(slots=True)
class Guest:
    """Somebody who was invited to a Space.  Times are Unix seconds."""

    space_id: str
    user_id: str
    campaign_id: str
    score: float | None
    """Of the search that found them; None if they were named."""
    invited_at: float
    opened_at: float | None = None
    joined_at: float | None = None
    spoke_at: float | None = None
    seconds: float = 0.0
    """That they have been connected."""


_CAMPAIGN: Final = tuple(CAMPAIGNS.c[name] for name in Campaign.__dataclass_fields__)
_GUEST: Final = tuple(GUESTS.c[name] for name in Guest.__dataclass_fields__)
_LATER: Final = ("opened_at", "joined_at", "spoke_at", "seconds")


def _earlier(at: sa.Column[float], number: sa.Column[str], place: Place) -> sa.ColumnElement[bool]:
    return sa.or_(at < place[0], sa.and_(at == place[0], number < place[1]))


class Guests:
    """Queries, each a transaction of its own, but for what is written with a change of the Space."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def add(self, campaign: Campaign, guests: Sequence[Guest], connection: AsyncConnection) -> None:
        """Write a campaign and its guests, in the transaction of a connection."""
        values = {name: getattr(campaign, name) for name in Campaign.__dataclass_fields__}
        rows = [{name: getattr(guest, name) for name in Guest.__dataclass_fields__} for guest in guests]
        await connection.execute(sa.insert(CAMPAIGNS).values(values))
        for start in range(0, len(rows), BATCH):
            await connection.execute(sa.insert(GUESTS), rows[start : start + BATCH])

    async def campaign(self, campaign_id: str) -> Campaign | None:
        """Read a campaign."""
        if "\0" in campaign_id:
            return None
        query = sa.select(*_CAMPAIGN).where(CAMPAIGNS.c.id == campaign_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Campaign(*row) if row else None

    async def campaigns(self, space_id: str, before: Place | None, limit: int) -> list[Campaign]:
        """Read campaigns of a Space, newest first; ``before``: time and id of the last that was read."""
        query = sa.select(*_CAMPAIGN).where(CAMPAIGNS.c.space_id == space_id)
        if before is not None:
            query = query.where(_earlier(CAMPAIGNS.c.created_at, CAMPAIGNS.c.id, before))
        query = query.order_by(CAMPAIGNS.c.created_at.desc(), CAMPAIGNS.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [Campaign(*row) for row in await connection.execute(query)]

    async def of_campaigns(self, campaign_ids: Collection[str]) -> list[Guest]:
        """Read the guests of campaigns, best first."""
        query = sa.select(*_GUEST).where(GUESTS.c.campaign_id.in_(campaign_ids))
        return await self._guests(query.order_by(GUESTS.c.score.desc(), GUESTS.c.user_id))

    async def of_spaces(self, space_ids: Sequence[str]) -> list[Guest]:
        """Read the guests of Spaces."""
        found: list[Guest] = []
        for start in range(0, len(space_ids), BATCH):
            some = space_ids[start : start + BATCH]
            found += await self._guests(sa.select(*_GUEST).where(GUESTS.c.space_id.in_(some)))
        return found

    async def to(self, user_id: str, before: Place | None, limit: int) -> list[tuple[Guest, Campaign]]:
        """Read the invitations of a person, newest first; ``before``: where the last page ended."""
        query = sa.select(*_GUEST, *_CAMPAIGN).join(CAMPAIGNS, CAMPAIGNS.c.id == GUESTS.c.campaign_id)
        query = query.where(GUESTS.c.user_id == user_id)
        if before is not None:
            query = query.where(_earlier(GUESTS.c.invited_at, GUESTS.c.campaign_id, before))
        query = query.order_by(GUESTS.c.invited_at.desc(), GUESTS.c.campaign_id.desc()).limit(limit)
        size = len(_GUEST)
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [(Guest(*row[:size]), Campaign(*row[size:])) for row in rows]

    async def guest(self, campaign_id: str, user_id: str) -> Guest | None:
        """Read the invitation of a person by a campaign."""
        mine = (GUESTS.c.campaign_id == campaign_id, GUESTS.c.user_id == user_id)
        return next(iter(await self._guests(sa.select(*_GUEST).where(*mine))), None)

    async def save(self, guests: Iterable[Guest]) -> None:
        """Write what became of guests."""
        rows = [
            {"b_space": g.space_id, "b_user": g.user_id, **{name: getattr(g, name) for name in _LATER}}
            for g in guests
        ]
        if not rows:
            return
        update = sa.update(GUESTS).where(
            GUESTS.c.space_id == sa.bindparam("b_space"), GUESTS.c.user_id == sa.bindparam("b_user")
        )
        update = update.values({name: sa.bindparam(name) for name in _LATER})
        async with self._engine.begin() as connection:
            for start in range(0, len(rows), BATCH):
                await connection.execute(update, rows[start : start + BATCH])

    async def sent(self, by: str, since: float) -> tuple[int, float | None]:
        """Count the invitations that somebody sent since then, and say when the first of them was."""
        query = (
            sa.select(sa.func.count(), sa.func.min(GUESTS.c.invited_at))
            .select_from(GUESTS.join(CAMPAIGNS, CAMPAIGNS.c.id == GUESTS.c.campaign_id))
            .where(CAMPAIGNS.c.by == by, CAMPAIGNS.c.created_at >= since)
        )
        async with self._engine.connect() as connection:
            count, first = (await connection.execute(query)).one()
        return count, first

    async def weary(self, people: Sequence[str], since: float, most: int) -> set[str]:
        """Return those of some people who want no invitations, or have had that many since then."""
        found: set[str] = set()
        async with self._engine.connect() as connection:
            for start in range(0, len(people), BATCH):
                some = people[start : start + BATCH]
                out = sa.select(OPT_OUTS.c.user_id).where(OPT_OUTS.c.user_id.in_(some))
                found.update((await connection.execute(out)).scalars())
                often = sa.select(GUESTS.c.user_id).where(GUESTS.c.user_id.in_(some), GUESTS.c.invited_at >= since)
                often = often.group_by(GUESTS.c.user_id).having(sa.func.count() >= most)
                found.update((await connection.execute(often)).scalars())
        return found

    async def opt(self, user_id: str, *, out: bool, at: float) -> None:
        """Note that a person wants no invitations by campaigns, or wants them again."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(OPT_OUTS).where(OPT_OUTS.c.user_id == user_id))
            if out:
                await connection.execute(sa.insert(OPT_OUTS).values(user_id=user_id, at=at))

    async def opted_out(self, user_id: str) -> bool:
        """Whether a person wants no invitations by campaigns."""
        query = sa.select(OPT_OUTS.c.at).where(OPT_OUTS.c.user_id == user_id)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def _guests(self, query: sa.Select[Any]) -> list[Guest]:
        async with self._engine.connect() as connection:
            return [Guest(*row) for row in await connection.execute(query)]
