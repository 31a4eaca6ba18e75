"""Reporters in the store: who is trusted or muted, what came of their last reports, how many there were lately."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.policy import ReviewPolicy
from media.moderation.reporters import Reporter
from media.server.moderation.tables import REPORTERS

_C: Final = REPORTERS.c
_AT_ONCE: Final = 500
"""Names in one question to the database."""


async def load(connection: AsyncConnection, names: Collection[str]) -> dict[str, Reporter]:
    """Read reporters; one that is not known yet has made no report."""
    found = {name: Reporter(name) for name in names}
    asked = sorted(found)
    for start in range(0, len(asked), _AT_ONCE):
        query = sa.select(REPORTERS).where(_C.user_id.in_(asked[start : start + _AT_ONCE]))
        for row in await connection.execute(query.with_for_update()):
            found[row.user_id] = reporter_of(row)
    return found


async def save(connection: AsyncConnection, reporters: Iterable[Reporter], policy: ReviewPolicy) -> None:
    """Write reporters, new or known."""
    rows = [_row(each, policy) for each in sorted(reporters, key=lambda each: each.user_id)]
    if rows:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        fresh = insert(REPORTERS)
        changed = {name: fresh.excluded[name] for name in ("trusted", "muted", "outcomes", "made")}
        await connection.execute(fresh.on_conflict_do_update(index_elements=["user_id"], set_=changed), rows)


def reporter_of(row: sa.Row[Any]) -> Reporter:
    """Make a reporter of a row."""
    return Reporter(row.user_id, row.trusted, row.muted, OrderedDict(row.outcomes), deque(row.made))


def _row(reporter: Reporter, policy: ReviewPolicy) -> dict[str, Any]:
    """Return the row of a reporter; of a trusted flagger's reports no more are counted than of anybody's."""
    return {
        "user_id": reporter.user_id,
        "trusted": reporter.trusted,
        "muted": reporter.muted,
        "outcomes": list(reporter.outcomes.items()),
        "made": list(reporter.made)[-policy.reports_an_hour :],
    }
