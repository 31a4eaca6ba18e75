"""Second readings and golden cases: which case a reader gets, what they said, and how far it agrees.

Which decisions are read again nobody can guess, and a golden case looks like any other one. What a reader says
changes nothing for anybody; it is compared, and the reader is shown with what.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.agreement import is_golden_turn, is_sampled, verdict
from media.moderation.case import Case
from media.moderation.decision import Action, Decision
from media.moderation.statistics import Reading
from media.server.appeals.tables import GOLDEN_CASES, READINGS
from media.server.audit.audit import Act, Audit
from media.server.database import Database
from media.server.errors import Problem
from media.server.moderation.tables import CASES, DECISIONS, REPORTS

LEASE: Final = 3_600.0
"""Seconds for which a reading is its reader's; unread, it goes to another one."""
REPORTS_SHOWN: Final = 50
"""Of a case that is read."""
_R: Final = READINGS.c
_G: Final = GOLDEN_CASES.c
_C: Final = CASES.c


@dataclass(frozen=True, slots=True)
class Open:
    """A reading that somebody has."""

    id: str
    case_id: int
    until: float


@dataclass(frozen=True, slots=True)
class Compared:
    """What a reading came to."""

    said: Action
    other: Action
    """Of the decision, or of the golden case's answer."""
    golden: bool

    @property
    def agreed(self) -> bool:
        """Whether both say the same."""
        return self.said is self.other


class Readings:
    """The readings of one database.  Times in Unix seconds."""

    def __init__(self, database: Database, audit: Audit, secret: bytes) -> None:
        """Take a secret by which decisions are chosen."""
        self._database = database
        self._audit = audit
        self._secret = secret

    async def sample(self, connection: AsyncConnection, case: Case, decision: Decision) -> None:
        """Have a decision read again, if it is one of those; a part of its transaction."""
        if is_sampled(case.id, self._secret):
            await connection.execute(sa.insert(READINGS).values(_row(int(case.id), decision, decision.at)))

    async def drop(self, connection: AsyncConnection, case_id: int) -> None:
        """Delete the second reading of a case unless it was made; a part of the transaction that calls for it."""
        unread = sa.delete(READINGS).where(_R.case_id == case_id, _R.read_at.is_(None), sa.not_(_R.golden))
        await connection.execute(unread)

    async def next(self, reader: str, now: float) -> Open | None:
        """Give a reader a case: the one that they have, a golden one when its turn has come, or the oldest."""
        async with self._database.begin() as connection:
            mine = sa.select(READINGS).where(_R.reader == reader, _R.read_at.is_(None), _R.until > now)
            row = (await connection.execute(mine.limit(1))).first()
            if row is not None:
                return Open(row.id, row.case_id, row.until)
            done = sa.select(sa.func.count()).where(_R.reader == reader, _R.read_at.is_not(None))
            if is_golden_turn((await connection.execute(done)).scalar() or 0):
                golden = await self._golden(connection, reader, now)
                if golden is not None:
                    return golden
            return await self._oldest(connection, reader, now)

    async def case(self, case_id: int) -> tuple[Any, Sequence[Any]]:
        """Return the row of a case, and those of its first reports."""
        reports = sa.select(REPORTS.c.at, REPORTS.c.moment, REPORTS.c.text).where(REPORTS.c.case_id == case_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(sa.select(CASES).where(_C.id == case_id))).one()
            return row, (await connection.execute(reports.order_by(REPORTS.c.id).limit(REPORTS_SHOWN))).all()

    async def read(self, reading_id: str, reader: str, actions: Collection[Action], now: float) -> Compared:
        """Take what a reader says.

        :raises Problem: 404, it is no reading of theirs; 409, they have read it, or had it for too long
        """
        async with self._database.begin() as connection:
            row = (await connection.execute(sa.select(READINGS).where(_R.id == reading_id))).first()
            if row is None or row.reader != reader:
                raise Problem(404, "unknown-reading", "You have no reading of this id; ask for the next one.")
            said = sorted(actions)
            free = sa.update(READINGS).where(
                _R.id == reading_id, _R.reader == reader, _R.read_at.is_(None), _R.until > now
            )
            if (await connection.execute(free.values(said=said, read_at=now))).rowcount == 0:
                raise Problem(409, "reading-over", "This reading is over; ask for the next one.")
            await self._audit.write(connection, [Act(reader, "read again", f"case {row.case_id:08d}")])
        return Compared(verdict(actions), verdict(map(Action, row.compared)), row.golden)

    async def set_golden(
        self, case_id: int, actions: Collection[Action], reason: str, by: str, now: float
    ) -> None:
        """Set the answer of a case for all who are to be compared with it; an unread second reading is dropped.

        :raises Problem: 404, there is no such case; 409, nobody has decided it yet
        """
        async with self._database.begin() as connection:
            state = (await connection.execute(sa.select(_C.decided_at).where(_C.id == case_id))).first()
            if state is None:
                raise Problem(404, "unknown-case", "There is no case of this id.")
            if state.decided_at is None:
                raise Problem(
                    409, "wrong-state", "This case is undecided; only a decided one can be a golden case."
                )
            await connection.execute(sa.delete(GOLDEN_CASES).where(_G.case_id == case_id))
            values = {"actions": sorted(actions), "reason": reason, "set_by": by, "set_at": now}
            await connection.execute(sa.insert(GOLDEN_CASES).values(case_id=case_id, **values))
            await self.drop(connection, case_id)
            await self._audit.write(connection, [Act(by, "set golden", f"case {case_id:08d}", reason)])

    async def unset_golden(self, case_id: int, by: str) -> None:
        """Let a case be no golden one any more; readings of it stay."""
        async with self._database.begin() as connection:
            gone = await connection.execute(sa.delete(GOLDEN_CASES).where(_G.case_id == case_id))
            if gone.rowcount:
                await self._audit.write(connection, [Act(by, "unset golden", f"case {case_id:08d}")])

    async def done(self, begin: float, end: float) -> list[Reading]:
        """Return the readings that were made in a period."""
        query = sa.select(READINGS).where(_R.read_at >= begin, _R.read_at < end).order_by(_R.read_at)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Reading(row.reader, verdict(map(Action, row.said)), verdict(map(Action, row.compared)), row.golden)
            for row in rows
        ]

    async def _golden(self, connection: AsyncConnection, reader: str, now: float) -> Open | None:
        known = sa.select(_R.case_id).where(_R.reader == reader)
        query = sa.select(GOLDEN_CASES).join(CASES, _C.id == _G.case_id)
        query = query.where(_G.set_by != reader, _G.case_id.not_in(known), *_impartial(reader))
        row = (await connection.execute(query.order_by(_G.set_at, _G.case_id).limit(1))).first()
        if row is None:
            return None
        values = _row(row.case_id, Decision(now, row.set_by, frozenset(map(Action, row.actions))), now)
        values |= {"golden": True, "reader": reader, "until": now + LEASE}
        await connection.execute(sa.insert(READINGS).values(values))
        return Open(values["id"], row.case_id, now + LEASE)

    async def _oldest(self, connection: AsyncConnection, reader: str, now: float) -> Open | None:
        free = sa.or_(_R.reader.is_(None), _R.until <= now)
        query = sa.select(_R.id, _R.case_id).join(CASES, _C.id == _R.case_id)
        query = query.where(_R.read_at.is_(None), sa.not_(_R.golden), free, *_impartial(reader))
        query = query.order_by(_R.made_at, _R.id).limit(1).with_for_update(skip_locked=True, of=READINGS)
        row = (await connection.execute(query)).first()
        if row is None:
            return None
        take = sa.update(READINGS).where(_R.id == row.id).values(reader=reader, until=now + LEASE)
        await connection.execute(take)
        return Open(row.id, row.case_id, now + LEASE)


def _row(case_id: int, decision: Decision, now: float) -> dict[str, Any]:
    actions: Sequence[str] = sorted(decision.actions)
    return {
        "id": secrets.token_hex(16),
        "case_id": case_id,
        "golden": False,
        "compared": actions,
        "decided_by": decision.reviewer,
        "made_at": now,
        "reader": None,
        "until": None,
        "said": None,
        "read_at": None,
    }


def _impartial(reader: str) -> list[sa.ColumnElement[bool]]:
    """Conditions under which a reader fits: they are no part of the case, and did not decide it."""
    about = sa.case((_C.user_id != "", _C.user_id), else_=_C.host_id)
    reported = sa.exists().where(REPORTS.c.case_id == _C.id, REPORTS.c.reporter == reader)
    decided = sa.exists().where(DECISIONS.c.case_id == _C.id, DECISIONS.c.reviewer == reader)
    return [about != reader, sa.not_(reported), sa.not_(decided)]
