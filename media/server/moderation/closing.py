"""What follows when a decision stands: its reporters are told, and the evidence is no longer held for the case."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from media.moderation.events import CaseClosed
from media.moderation.states import CaseState
from media.server.database import Database
from media.server.events.hub import Hub
from media.server.events.schema import ReportData
from media.server.moderation.evidence import Evidence
from media.server.moderation.rows import name_of
from media.server.moderation.tables import CASES, REPORTS

RELEASED: Final = 86_400.0
"""Seconds for which the evidence of closed cases is released again at a start, in case the last process died."""


class Closing:
    """Called with cases that were just closed."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub

    async def close(self, closed: Sequence[CaseClosed], evidence: Evidence | None) -> None:
        """Tell reporters what came of their reports, and let the clock of the evidence decide again."""
        for event in closed:
            violation = event.decision.violation
            query = sa.select(REPORTS.c.id, REPORTS.c.reporter, REPORTS.c.space_id)
            async with self._database.connect() as connection:
                rows = list(await connection.execute(query.where(REPORTS.c.case_id == int(event.case))))
            for row in rows:
                data = ReportData(report_id=str(row.id), status="acted" if violation else "no violation")
                self._hub.publish_to_user(row.reporter, "report", data)
            if evidence is not None and rows:
                await evidence.release(rows[0].space_id, event.case, violation=violation)

    async def release_again(self, evidence: Evidence | None, now: float) -> None:
        """Release what the last process may not have come to; releasing twice changes nothing."""
        if evidence is None:
            return
        c = CASES.c
        late = (c.state == CaseState.CLOSED.value, c.decided_at > now - RELEASED)
        async with self._database.connect() as connection:
            rows = list(await connection.execute(sa.select(c.id, c.space_id, c.violation).where(*late)))
        for row in rows:
            await evidence.release(row.space_id, name_of(row.id), violation=bool(row.violation))
