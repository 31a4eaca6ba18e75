"""What reviewers and reporters read of cases: lists, one case with all that belongs to it, how full queues are."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.categories import Category
from media.moderation.decision import Outcome
from media.moderation.reporters import Reporter
from media.moderation.states import CaseState
from media.server.database import Database
from media.server.moderation.desk import unknown_case
from media.server.moderation.effects import effects_of
from media.server.moderation.reporters import reporter_of
from media.server.moderation.rows import Row, name_of
from media.server.moderation.search import Search, involved
from media.server.moderation.shapes import (
    CaseOut,
    CaseReport,
    DecisionOut,
    EarlierCase,
    EffectOut,
    Range,
    TimelineEntry,
    time_of,
)
from media.server.moderation.tables import CASES, DECISIONS, REPORTERS, REPORTS, TIMELINE

EARLIER: Final = 20
"""Earlier cases of a person that are shown."""
SHOWN: Final = 200
"""Reports and entries of the timeline of one case that are shown, the newest ones."""
Place = tuple[float, int, int]
"""Of a case in a list: due time, rank, number."""
_C: Final = CASES.c
_R: Final = REPORTS.c


class Reading:
    """Queries; nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cases(
        self, reviewer: str, search: Search, states: Collection[CaseState], limit: int, after: Place | None
    ) -> list[Row]:
        """Read cases in the order in which they are to be looked at, but those that a reviewer is part of."""
        query = sa.select(CASES).where(*search.conditions(), *search.of_category(), sa.not_(involved(reviewer)))
        query = query.where(_C.state.in_([state.value for state in states]))
        if after is not None:
            query = query.where(sa.tuple_(_C.due_at, _C.rank, _C.id) > sa.tuple_(*map(sa.literal, after)))
        query = query.order_by(_C.due_at, _C.rank, _C.id).limit(limit)
        async with self._database.connect() as connection:
            return list(await connection.execute(query))

    async def case(self, number: int, reviewer: str, began: Callable[[Row], Any]) -> CaseOut:
        """Read a case with all that belongs to it.

        :param began: says when the Space of a case started (Unix seconds)
        :raises Problem: 404, there is none; also for a reviewer who is part of it
        """
        async with self._database.connect() as connection:
            query = sa.select(CASES).where(_C.id == number, sa.not_(involved(reviewer)))
            row = (await connection.execute(query)).first()
            if row is None:
                raise unknown_case()
            start = await began(row)
            clips = [Range(start_ms=_ms(a, start), end_ms=_ms(b, start)) for a, b in row.clips]
            affected = row.user_id or row.host_id
            return CaseOut.known(
                row,
                reports=await _reports(connection, number, start),
                clip=clips[-1],
                clips=clips,
                decisions=await _decisions(connection, number),
                timeline=await _timeline(connection, number),
                earlier=await _earlier(connection, number, affected),
                strikes=await _strikes(connection, affected),
            )

    async def waiting(self, search: Search, now: float) -> tuple[int, int, float | None]:
        """Count the cases that wait, and those of them that are overdue; and say when the oldest was opened."""
        late = sa.func.sum(sa.case((_C.due_at < now, 1), else_=0))
        query = sa.select(sa.func.count(), late, sa.func.min(_C.opened_at))
        query = query.where(_C.state.in_([CaseState.OPEN.value, CaseState.ESCALATED.value]))
        query = query.where(*search.conditions(), *search.of_category())
        async with self._database.connect() as connection:
            count, overdue, oldest = (await connection.execute(query)).one()
        return count, overdue or 0, oldest

    async def reports_of(self, reporter: str, limit: int, before: int | None) -> Sequence[Row]:
        """Read a person's own reports with the states of their cases, the newest first."""
        query = _with_case().where(_R.reporter == reporter).order_by(_R.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_R.id < before)
        async with self._database.connect() as connection:
            return list(await connection.execute(query))

    async def report(self, number: int, reporter: str) -> Row | None:
        """Read one of a person's own reports; None if there is none of that number."""
        query = _with_case().where(_R.id == number, _R.reporter == reporter)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).first()

    async def reporter(self, name: str) -> Reporter:
        """Read somebody who reports."""
        async with self._database.connect() as connection:
            row = (await connection.execute(sa.select(REPORTERS).where(REPORTERS.c.user_id == name))).first()
        return Reporter(name) if row is None else reporter_of(row)


def _with_case() -> sa.Select[Any]:
    return sa.select(REPORTS, _C.state, _C.violation).select_from(REPORTS.outerjoin(CASES, _R.case_id == _C.id))


async def _reports(connection: AsyncConnection, number: int, start: float) -> list[CaseReport]:
    query = sa.select(REPORTS).where(_R.case_id == number).order_by(_R.id.desc()).limit(SHOWN)
    rows = list(await connection.execute(query))
    names = {row.reporter for row in rows}
    known = sa.select(REPORTERS).where(REPORTERS.c.user_id.in_(names))
    reporters = {row.user_id: reporter_of(row) for row in await connection.execute(known)}
    return [
        CaseReport(
            reporter=row.reporter,
            accuracy=round(reporters[row.reporter].accuracy, 3),
            trusted=row.trusted,
            text=row.text,
            moment_ms=_ms(row.moment, start),
            created_at=time_of(row.at),
            times=row.times,
        )
        for row in reversed(rows)
    ]


async def _decisions(connection: AsyncConnection, number: int) -> list[DecisionOut]:
    query = sa.select(DECISIONS).where(DECISIONS.c.case_id == number).order_by(DECISIONS.c.id.desc()).limit(SHOWN)
    return [
        DecisionOut(
            at=time_of(row.at),
            reviewer=row.reviewer,
            actions=row.actions,
            note=row.note,
            effects=[EffectOut.of(each) for each in effects_of(row.effects or [])],
            undone_at=None if row.undone_at is None else time_of(row.undone_at),
        )
        for row in reversed(list(await connection.execute(query)))
    ]


async def _timeline(connection: AsyncConnection, number: int) -> list[TimelineEntry]:
    t = TIMELINE.c
    query = sa.select(TIMELINE).where(t.case_id == number).order_by(t.id.desc()).limit(SHOWN)
    rows = reversed(list(await connection.execute(query)))
    return [TimelineEntry(at=time_of(row.at), actor=row.actor, what=row.what, text=row.text) for row in rows]


async def _earlier(connection: AsyncConnection, number: int, person: str) -> list[EarlierCase]:
    query = sa.select(CASES).where(_C.user_id == person, _C.id != number, _C.user_id != "")
    return [
        EarlierCase(
            id=name_of(row.id),
            state=CaseState(row.state),
            category=Category(row.category),
            opened_at=time_of(row.opened_at),
            violation=row.violation,
        )
        for row in await connection.execute(query.order_by(_C.id.desc()).limit(EARLIER))
    ]


async def _strikes(connection: AsyncConnection, person: str) -> int:
    settled = _C.state.in_([CaseState.CLOSED.value, CaseState.FINAL.value])
    stands = sa.func.coalesce(_C.outcome, "") != Outcome.OVERTURNED.value
    query = sa.select(sa.func.count()).where(_C.user_id == person, _C.user_id != "", settled, _C.violation, stands)
    return (await connection.execute(query)).scalar_one()


def _ms(at: float, start: float) -> int:
    """Return milliseconds since a Space started."""
    return max(0, round(1e3 * (at - start)))
