"""All that belongs to a case in one question to the database: who claims one waits for a single answer."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from media.moderation.decision import Outcome
from media.moderation.states import CaseState
from media.server.moderation.rows import Row
from media.server.moderation.tables import CASES, DECISIONS, REPORTERS, REPORTS, TIMELINE

EARLIER: Final = 20
"""Earlier cases of a person that are shown."""
SHOWN: Final = 200
"""Reports, decisions and entries of the timeline of one case that are shown, the newest ones."""
_C: Final = CASES.c
_R: Final = REPORTS.c
_D: Final = DECISIONS.c
_T: Final = TIMELINE.c


def belonging(row: Row, dialect: str) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the query for reports, decisions, timeline, earlier cases (lists of lists) and ``strikes``."""
    return _query(dialect), {"number": row.id, "person": row.user_id or row.host_id}


@cache
def _query(dialect: str) -> Any:
    number, person = sa.bindparam("number", type_=sa.BigInteger), sa.bindparam("person", type_=sa.String)
    reports = (
        sa.select(_R.id, _R.reporter, _R.trusted, _R.text, _R.moment, _R.at, _R.times, REPORTERS.c.outcomes)
        .select_from(REPORTS.outerjoin(REPORTERS, _R.reporter == REPORTERS.c.user_id))
        .where(_R.case_id == number)
        .order_by(_R.id.desc())
    )
    decisions = sa.select(_D.id, _D.at, _D.reviewer, _D.actions, _D.note, _D.effects, _D.undone_at)
    decisions = decisions.where(_D.case_id == number).order_by(_D.id.desc())
    lines = sa.select(_T.id, _T.at, _T.actor, _T.what, _T.text)
    lines = lines.where(_T.case_id == number).order_by(_T.id.desc())
    theirs = (_C.user_id == person, _C.user_id != "")
    earlier = sa.select(_C.id, _C.state, _C.category, _C.opened_at, _C.violation)
    earlier = earlier.where(*theirs, _C.id != number).order_by(_C.id.desc())
    settled = _C.state.in_([CaseState.CLOSED.value, CaseState.FINAL.value])
    stands = sa.func.coalesce(_C.outcome, "") != Outcome.OVERTURNED.value
    strikes = sa.select(sa.func.count()).where(*theirs, settled, _C.violation, stands)
    return sa.select(
        *(_listed(query.limit(SHOWN), dialect) for query in (reports, decisions, lines)),
        _listed(earlier.limit(EARLIER), dialect),
        strikes.scalar_subquery().label("strikes"),
    )


def _listed(query: Any, dialect: str) -> sa.ColumnElement[Any]:
    """Return the rows of a query as one JSON value."""
    rows = query.subquery()
    if dialect == "sqlite":
        cells = [sa.func.json(each) if isinstance(each.type, sa.JSON) else each for each in rows.c]
        listed = sa.func.json_group_array(sa.func.json_array(*cells))
    else:
        listed = sa.func.json_agg(sa.func.json_build_array(*rows.c))
    return sa.type_coerce(sa.select(listed).scalar_subquery(), sa.JSON)
