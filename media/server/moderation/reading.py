"""What reviewers and reporters read of cases: lists, one case with all that belongs to it, how full queues are."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from media.moderation.reporters import Reporter
from media.moderation.states import CaseState
from media.server.database import Database
from media.server.moderation.belonging import belonging
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
from media.server.moderation.tables import CASES, REPORTERS, REPORTS

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

    async def row(self, number: int, reviewer: str) -> Row:
        """Read the row of a case.

        :raises Problem: 404, there is none; also for a reviewer who is part of it
        """
        query = sa.select(CASES).where(_C.id == number, sa.not_(involved(reviewer)))
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise unknown_case()
        return row

    async def case(self, row: Row, start: float) -> CaseOut:
        """Read all that belongs to a case, in one question to the database.

        :param start: when its Space started (Unix seconds)
        """
        async with self._database.connect() as connection:
            found = (await connection.execute(*belonging(row, connection.dialect.name))).one()
        reports, decisions, lines, earlier = (each or [] for each in found[:4])
        clips = [Range(start_ms=_ms(a, start), end_ms=_ms(b, start)) for a, b in row.clips]
        return CaseOut.known(
            row,
            reports=[_report(each, start) for each in sorted(reports)],
            clip=clips[-1],
            clips=clips,
            decisions=[_decision(each) for each in sorted(decisions)],
            timeline=[
                TimelineEntry(at=time_of(at), actor=actor, what=what, text=text)
                for _, at, actor, what, text in sorted(lines)
            ],
            earlier=[
                EarlierCase(
                    id=name_of(number), state=state, category=category, opened_at=time_of(at), violation=found
                )
                for number, state, category, at, found in sorted(earlier, reverse=True)
            ],
            strikes=found.strikes,
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


def _report(kept: list[Any], start: float) -> CaseReport:
    _, reporter, trusted, text, moment, at, times, outcomes = kept
    return CaseReport(
        reporter=reporter,
        accuracy=round(Reporter(reporter, outcomes=OrderedDict(outcomes or [])).accuracy, 3),
        trusted=trusted,
        text=text,
        moment_ms=_ms(moment, start),
        created_at=time_of(at),
        times=times,
    )


def _decision(kept: list[Any]) -> DecisionOut:
    _, at, reviewer, actions, note, effects, undone_at = kept
    return DecisionOut(
        at=time_of(at),
        reviewer=reviewer,
        actions=actions,
        note=note,
        effects=[EffectOut.of(each) for each in effects_of(effects or [])],
        undone_at=None if undone_at is None else time_of(undone_at),
    )


def _ms(at: float, start: float) -> int:
    """Return milliseconds since a Space started."""
    return max(0, round(1e3 * (at - start)))
