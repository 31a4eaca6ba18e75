"""Reads what the transparency report and the statistics are counted from: the very tables that are decided on."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Outcome
from media.moderation.reporters import RULE_MARK
from media.moderation.statement import RESTRICTIONS, Ground, Source
from media.moderation.statistics import Handled
from media.moderation.transparency_records import Complaint, Judged, Measure, Notice, Records
from media.server.appeals.orders import Orders
from media.server.appeals.tables import APPEALS, STATEMENTS
from media.server.audit.tables import AUDIT_LOG
from media.server.database import Database
from media.server.moderation.tables import CASES, DECISIONS, REPORTS

Row = Any
"""Of a query with columns of several tables."""
MUTED: Final = "muted reporter"
"""What the audit log says of somebody whose reports are not looked at any more."""
PAGE: Final = 1_000
"""Cases that are read at a time, so that nobody else waits for all of them."""
_C: Final = CASES.c
_D: Final = DECISIONS.c
_R: Final = REPORTS.c
_S: Final = STATEMENTS.c
_A: Final = APPEALS.c


class RecordReader:
    """Reads periods: from a time (Unix seconds) on, until before another."""

    def __init__(self, database: Database, orders: Orders) -> None:
        self._database = database
        self._orders = orders

    async def records(self, begin: float, end: float, texts: Mapping[str, str]) -> Records:
        """Return all that a transparency report counts; ``texts`` are its qualitative part."""
        notices = sa.select(_R.category, _R.trusted, sa.func.sum(_R.times).label("count"))
        by_users = sa.not_(_R.reporter.startswith(RULE_MARK))
        notices = notices.where(_R.at >= begin, _R.at < end, by_users).group_by(_R.category, _R.trusted)
        noticed = sa.select(_R.case_id, sa.func.min(_R.at).label("at")).where(by_users)
        noticed = noticed.group_by(_R.case_id).subquery()
        measures = sa.select(_S.at, _S.category, _S.filed, _S.repeated, noticed.c.at.label("noticed_at"))
        measures = measures.select_from(STATEMENTS.outerjoin(noticed, noticed.c.case_id == _S.case_id))
        measures = measures.where(
            _S.at >= begin, _S.at < end, _S.withdrawn_at.is_(None), _S.filed.is_not(None)
        ).order_by(_S.at, _S.id)
        complaints = sa.select(_A.at, _A.answered_at, _A.outcome, _S.actions)
        complaints = complaints.join(STATEMENTS, _S.id == _A.statement_id).where(_A.at >= begin, _A.at < end)
        log = AUDIT_LOG.c
        muted = sa.select(sa.func.count()).where(log.act == MUTED, log.at >= begin, log.at < end)
        orders = await self._orders.received(begin, end)
        async with self._database.connect() as connection:
            return Records(
                notices=[
                    Notice(Category(category), trusted, int(count))
                    for category, trusted, count in await connection.execute(notices)
                ],
                measures=[_measure(row) for row in await connection.execute(measures)],
                complaints=[
                    Complaint(row.at, _restrictions(row.actions), row.answered_at, _outcome(row.outcome))
                    for row in await connection.execute(complaints)
                ],
                orders=orders,
                judged=await _judged(connection, begin, end),
                reporters_muted=(await connection.execute(muted)).scalar() or 0,
                texts=texts,
            )

    async def handled(self, begin: float, end: float) -> list[Handled]:
        """Return the cases that were opened in a period."""
        last = sa.select(_D.case_id, sa.func.max(_D.id).label("id")).where(_D.undone_at.is_(None))
        stands = last.group_by(_D.case_id).subquery()
        query = sa.select(
            *(_C.id, _C.category, _C.opened_at, _C.claimed_at, _C.decided_at, _C.outcome),
            _D.reviewer.label("decided_by"),
        )
        joined = CASES.outerjoin(stands, stands.c.case_id == _C.id).outerjoin(DECISIONS, _D.id == stands.c.id)
        query = query.select_from(joined).where(_C.opened_at >= begin, _C.opened_at < end)
        found: list[Handled] = []
        after = 0
        while True:
            page = query.where(_C.id > after).order_by(_C.id).limit(PAGE)
            async with self._database.connect() as connection:
                rows = (await connection.execute(page)).all()
            found += [_handled(row) for row in rows]
            if len(rows) < PAGE:
                return found
            after = rows[-1].id


async def _judged(connection: AsyncConnection, begin: float, end: float) -> list[Judged]:
    """Return what rules said of the cases that were decided in a period, and what people did."""
    flagged = sa.exists().where(_R.case_id == _C.id, _R.reporter.startswith(RULE_MARK))
    query = sa.select(flagged.label("flagged"), _C.violation, sa.func.count())
    query = query.where(_C.decided_at >= begin, _C.decided_at < end).group_by("flagged", _C.violation)
    return [
        Judged(bool(said), bool(violation), count) for said, violation, count in await connection.execute(query)
    ]


def _handled(row: Row) -> Handled:
    category = Category(row.category)
    return Handled(
        category,
        row.opened_at,
        row.opened_at + URGENCY[category].due,  # that of a complaint stands in its place later on
        row.claimed_at,
        row.decided_at,
        row.decided_by or "",
        _outcome(row.outcome),
    )


def _measure(row: Row) -> Measure:
    filed: Mapping[str, Any] = row.filed
    keywords: list[str] = filed.get("category_specification", [])
    return Measure(
        at=row.at,
        category=Category(row.category),
        ground=Ground(filed["decision_ground"]),
        source=Source(filed["source_type"]),
        restrictions=frozenset(_values(filed)),
        keyword=keywords[0] if keywords else "",
        detected_automatically=filed["automated_detection"] == "Yes",
        noticed_at=row.noticed_at,
        repeated=row.repeated,
    )


def _values(filed: Mapping[str, Any]) -> Iterable[str]:
    yield from filed.get("decision_visibility", [])
    for field in ("decision_provision", "decision_account"):
        if field in filed:
            yield filed[field]


def _restrictions(actions: Iterable[str]) -> frozenset[str]:
    return frozenset(RESTRICTIONS[Action(each)][1] for each in actions if Action(each) in RESTRICTIONS)


def _outcome(name: str | None) -> Outcome | None:
    return None if name is None else Outcome(name)
