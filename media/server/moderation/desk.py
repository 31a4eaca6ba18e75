"""Cases in the store, as reviewers and time change them: each input one transaction, and all that follows.

Decided by the rules of :class:`media.moderation.case.Case`. A case is claimed by one statement that looks for it
and marks it at once, so that two who ask at the same time get two cases.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import lru_cache
from math import inf
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.case import Case
from media.moderation.decision import Decision, Outcome
from media.moderation.events import AppealAnswered, CaseClaimed, CaseClosed, CaseDecided, DecisionUndone, Events
from media.moderation.policy import ReviewPolicy
from media.moderation.states import UNDECIDED, CaseState
from media.server.audit.audit import Act, Audit
from media.server.database import Database
from media.server.errors import Problem
from media.server.moderation import reporters as people
from media.server.moderation.rows import Row, case_of, decision_of, name_of, values_of
from media.server.moderation.search import Search, firsts_waiting
from media.server.moderation.tables import CASES, DECISIONS, REPORTS, TIMELINE
from media.server.moderation.timeline import acts_of, lines_of

Step = Callable[[Case], Events]
"""An input to a case."""
Beside = Callable[[AsyncConnection, Case, Events], Awaitable[None]]
"""Writes what belongs to an input, in its transaction; what it raises makes the input not have happened."""
BATCH: Final = 500
"""Cases to which time does something in one transaction."""
_C: Final = CASES.c
_D: Final = DECISIONS.c


def unknown_case() -> Problem:
    """Return the refusal of a case that is none."""
    return Problem(404, "unknown-case", "There is no case of this id; the list of cases has those there are.")


class Desk:
    """Driven by reviewers, and by :meth:`handle_timers` when :attr:`next_timer` has passed."""

    def __init__(self, database: Database, audit: Audit, policy: ReviewPolicy) -> None:
        self._database = database
        self._audit = audit
        self.policy = policy
        self.next_timer = inf
        """When :meth:`handle_timers` is due (Unix seconds); never later than the first case's timer."""

    async def open(self, now: float) -> None:
        """Take up what the last process left; a clock that was set back meanwhile makes no lease longer."""
        until = now + self.policy.lease
        late = sa.and_(_C.state == CaseState.CLAIMED.value, _C.lease_until > until)
        async with self._database.begin() as connection:
            await connection.execute(sa.update(CASES).where(late).values(lease_until=until, timer_at=until))
        await self._look()

    async def claim(
        self, reviewer: str, now: float, search: Search, *, senior: bool = False
    ) -> tuple[Row | None, Events]:
        """Give a reviewer the first case that they may decide; None if there is none."""
        async with self._database.begin() as connection:
            row = await self._first(connection, reviewer, now, search, senior=senior)
            if row is None:
                return None, []
            if not row.gathers and row.appeal is None:
                await self._gather(connection, row)
            until = now + self.policy.lease
            events: Events = [CaseClaimed(now, name_of(row.id), reviewer, until)]
            await self._note(connection, events, ())
        self.next_timer = min(self.next_timer, until)
        return row, events

    async def act(
        self,
        number: int,
        step: Step,
        *,
        named: Collection[str] = (),
        acts: Sequence[Act] = (),
        beside: Beside | None = None,
    ) -> tuple[Case, Events]:
        """Change a case.

        :param named: who must be known as reporters, if they are: whoever is to decide it
        :param beside: what else is written, before the audit log is
        :param acts: what is noted beside what the events say
        :raises Problem: 404, there is none of this number
        :raises ModerationError: the rules refuse it
        """
        async with self._database.begin() as connection:
            (row,) = await self._rows(connection, [number]) or [None]
            if row is None:
                raise unknown_case()
            case = await self._case(connection, row, named)
            events = step(case)
            if beside is not None:
                await beside(connection, case, events)
            await self._put(connection, [(row, case)], events, acts)
        self.next_timer = min(self.next_timer, case.next_timer)
        return case, events

    async def handle_timers(self, now: float) -> Events:
        """Whatever time alone brings to cases, up to :data:`BATCH` of them."""
        due = sa.select(_C.id).where(_C.timer_at <= now).order_by(_C.timer_at, _C.id).limit(BATCH)
        async with self._database.begin() as connection:
            rows = await self._rows(connection, (await connection.execute(due)).scalars().all())
            decisions = await self._decisions(connection, [row.id for row in rows])
            changed: list[tuple[Row, Case]] = []
            events: Events = []
            for row in rows:
                case = case_of(row, self.policy, {}, decisions.get(row.id, []))
                happened = case.handle_timer(now)
                if happened:
                    changed.append((row, case))
                    events += happened
            await self._put(connection, changed, events, ())
        await self._look()
        return events

    async def _look(self) -> None:
        """Find out when something is due next."""
        async with self._database.connect() as connection:
            first = (await connection.execute(sa.select(sa.func.min(_C.timer_at)))).scalar()
        self.next_timer = inf if first is None else first

    async def _first(
        self, connection: AsyncConnection, reviewer: str, now: float, search: Search, *, senior: bool
    ) -> Row | None:
        values = {"b_reviewer": reviewer, "b_now": now, "b_until": now + self.policy.lease}
        if connection.dialect.name == "postgresql":
            locks = _locks(search, senior)
            places = [(await connection.execute(lock, {"b_reviewer": reviewer})).first() for lock in locks]
            found = min((tuple(place) for place in places if place is not None), default=None)
            if found is None:
                return None
            return (await connection.execute(_MARK_ONE, values | {"b_id": found[2]})).first()
        return (await connection.execute(_mark(search, senior), values)).first()

    async def _rows(self, connection: AsyncConnection, numbers: Sequence[int]) -> list[Row]:
        """Read cases, so that nothing else changes them until the transaction ends."""
        if not numbers:
            return []
        query = sa.select(CASES).where(_C.id.in_(numbers)).order_by(_C.id).with_for_update()
        return list(await connection.execute(query))

    async def _case(self, connection: AsyncConnection, row: Row, named: Collection[str]) -> Case:
        reporters: dict[str, bool] = {}
        if named:
            mine = sa.select(REPORTS.c.reporter, REPORTS.c.credible)
            mine = mine.where(REPORTS.c.case_id == row.id, REPORTS.c.reporter.in_(named))
            reporters = {each.reporter: each.credible for each in await connection.execute(mine)}
        decisions = await self._decisions(connection, [row.id])
        return case_of(row, self.policy, reporters, decisions.get(row.id, []))

    async def _decisions(self, connection: AsyncConnection, numbers: Sequence[int]) -> dict[int, list[Decision]]:
        """Read the decisions that stand."""
        found: dict[int, list[Decision]] = {}
        if numbers:
            query = sa.select(DECISIONS).where(_D.case_id.in_(numbers), _D.undone_at.is_(None)).order_by(_D.id)
            for row in await connection.execute(query):
                found.setdefault(row.case_id, []).append(decision_of(row))
        return found

    async def _put(
        self,
        connection: AsyncConnection,
        changed: Sequence[tuple[Row, Case]],
        events: Events,
        acts: Sequence[Act],
    ) -> None:
        """Write cases back, with all that follows from what happened to them."""
        for row, case in changed:
            if case.state in UNDECIDED and case.appeal is None and not row.gathers:
                await self._gather(connection, row)
        if changed:
            values = [
                {"b_id": row.id} | {f"b_{k}": v for k, v in values_of(case).items()} for row, case in changed
            ]
            await connection.execute(_PUT, values)
        for event in events:
            match event:
                case CaseDecided(decision=decision):
                    await connection.execute(sa.insert(DECISIONS), [_row_of(int(event.case), decision)])
                case DecisionUndone():
                    stands = sa.select(sa.func.max(_D.id)).where(
                        _D.case_id == int(event.case), _D.undone_at.is_(None)
                    )
                    undo = sa.update(DECISIONS).where(_D.id == stands.scalar_subquery())
                    await connection.execute(undo.values(undone_at=event.at, unfinished=True))
                case _:
                    pass
        await self._judge(connection, {case.id: case for _, case in changed}, events)
        await self._note(connection, events, acts)

    async def _gather(self, connection: AsyncConnection, row: Row) -> None:
        """Have further reports on a matter added to a case, and to no other one."""
        same = (_C.space_id == row.space_id, _C.user_id == row.user_id, _C.category == row.category)
        others = sa.update(CASES).where(_C.gathers, *same, _C.id != row.id)
        await connection.execute(others.values(gathers=False))
        await connection.execute(sa.update(CASES).where(_C.id == row.id).values(gathers=True))

    async def _judge(self, connection: AsyncConnection, cases: dict[str, Case], events: Events) -> None:
        """Remember what came of reports, for how much their reporters' word counts."""
        right: dict[int, bool] = {}
        corrected: set[int] = set()
        for event in events:
            if isinstance(event, CaseClosed):
                right[int(event.case)] = event.decision.violation
            elif isinstance(event, AppealAnswered) and event.outcome is Outcome.OVERTURNED:
                right[int(event.case)] = cases[event.case].violation
                corrected.add(int(event.case))
        if not right:
            return
        query = sa.select(REPORTS.c.case_id, REPORTS.c.reporter).where(REPORTS.c.case_id.in_(right))
        pairs = [(row.case_id, row.reporter) for row in await connection.execute(query.order_by(REPORTS.c.id))]
        known = await people.load(connection, {reporter for _, reporter in pairs})
        order = {number: place for place, number in enumerate(right)}
        for number, reporter in sorted(pairs, key=lambda pair: order[pair[0]]):
            note = known[reporter].correct_outcome if number in corrected else known[reporter].note_outcome
            note(name_of(number), right[number])
        await people.save(connection, known.values(), self.policy)

    async def _note(self, connection: AsyncConnection, events: Events, acts: Sequence[Act]) -> None:
        """Write the timeline and, as the last thing in a transaction, the audit log."""
        lines = lines_of(events)
        if lines:
            await connection.execute(sa.insert(TIMELINE), lines)
        await self._audit.write(connection, [*acts_of(events), *acts])


_REVIEWER: Final = sa.bindparam("b_reviewer", type_=sa.String)
_MARK: Final = (
    sa.update(CASES)
    .values(
        state=CaseState.CLAIMED.value,
        reviewer=_REVIEWER,
        lease_until=sa.bindparam("b_until", type_=sa.Float),
        timer_at=sa.bindparam("b_until", type_=sa.Float),
        claimed_at=sa.func.coalesce(_C.claimed_at, sa.bindparam("b_now", type_=sa.Float)),
    )
    .returning(*_C)
)
_MARK_ONE: Final = _MARK.where(_C.id == sa.bindparam("b_id", type_=sa.BigInteger))


@lru_cache(maxsize=512)
def _mark(search: Search, senior: bool) -> Any:
    """Return the statement that finds the next case and marks it."""
    firsts = firsts_waiting(_REVIEWER, search, senior=senior)
    some = sa.union_all(*(sa.select(query.subquery()) for query in firsts)).subquery()
    best = sa.select(some.c.id).order_by(some.c.due_at, some.c.rank, some.c.id).limit(1)
    return _MARK.where(_C.id == best.scalar_subquery())


@lru_cache(maxsize=512)
def _locks(search: Search, senior: bool) -> list[Any]:
    """Return the queries that each lock the first case that nobody else is about to have."""
    firsts = firsts_waiting(_REVIEWER, search, senior=senior)
    return [query.with_for_update(skip_locked=True, of=CASES) for query in firsts]


_PUT: Final = (
    sa.update(CASES)
    .where(_C.id == sa.bindparam("b_id"))
    .values(
        {
            name: sa.bindparam(f"b_{name}", type_=_C[name].type)
            for name in (
                *("state", "due_at", "gathers", "escalated", "reviewer", "lease_until", "timer_at"),
                *("decided_at", "violation", "appeal", "outcome"),
            )
        }
    )
)


def _row_of(number: int, decision: Decision) -> dict[str, Any]:
    return {
        "case_id": number,
        "at": decision.at,
        "reviewer": decision.reviewer,
        "actions": sorted(decision.actions),
        "note": decision.note,
        "effects": None,
        "undone_at": None,
        "restored": None,
        "unfinished": True,
    }
