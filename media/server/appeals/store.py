"""Statements of reasons and complaints in the store, written in the transactions of their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.decision import Outcome
from media.server.appeals.tables import APPEALS, STATEMENTS
from media.server.database import Database

_S: Final = STATEMENTS.c
_A: Final = APPEALS.c
Place = tuple[float, str]
"""Time and id of a statement, in the order of lists."""


@dataclass(frozen=True, slots=True)
class Told:
    """A statement as it was made, and what came of a complaint about it.  Times in Unix seconds."""

    id: str
    case_id: int
    at: float
    user_id: str
    space_id: str
    category: str
    actions: Sequence[str]
    told: dict[str, Any]
    complain_until: float
    evidence_until: float | None
    stands_at: float
    complained_at: float | None
    text: str | None
    """Of the complaint."""
    evidence: bool | None
    """Whether a complaint found the recording still there."""
    answered_at: float | None
    outcome: Outcome | None
    reasons: str | None


class Statements:
    """Statements and complaints of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, connection: AsyncConnection, row: dict[str, Any]) -> None:
        """Write a statement; whether the user had one before that stood is found out here."""
        before = sa.select(sa.func.count()).where(
            _S.user_id == row["user_id"], _S.case_id != row["case_id"], _S.withdrawn_at.is_(None)
        )
        overturned = sa.select(_A.case_id).where(_A.outcome == Outcome.OVERTURNED.value)
        count = (await connection.execute(before.where(_S.case_id.not_in(overturned)))).scalar() or 0
        await connection.execute(sa.insert(STATEMENTS).values(row | {"repeated": count > 0}))

    async def withdraw(self, connection: AsyncConnection, case_id: int, at: float) -> None:
        """Take back the statement of a decision that was taken back."""
        mine = sa.update(STATEMENTS).where(_S.case_id == case_id, _S.withdrawn_at.is_(None))
        await connection.execute(mine.values(withdrawn_at=at))

    async def complain(
        self, connection: AsyncConnection, statement: Told, at: float, text: str, evidence: bool
    ) -> None:
        """Write a complaint down."""
        row: dict[str, Any] = {
            "case_id": statement.case_id,
            "statement_id": statement.id,
            "at": at,
            "user_id": statement.user_id,
            "text": text,
            "evidence": evidence,
            "reasons": "",
        }
        await connection.execute(sa.insert(APPEALS).values(row))

    async def answer(
        self, connection: AsyncConnection, case_id: int, at: float, reviewer: str, outcome: Outcome, reasons: str
    ) -> None:
        """Write down what came of a complaint."""
        mine = sa.update(APPEALS).where(_A.case_id == case_id)
        answer = {"answered_at": at, "reviewer": reviewer, "outcome": outcome.value, "reasons": reasons}
        await connection.execute(mine.values(answer))

    async def settle(self, connection: AsyncConnection, case_id: int, at: float) -> None:
        """Write down that all has been done that follows from an answer."""
        await connection.execute(sa.update(APPEALS).where(_A.case_id == case_id).values(settled_at=at))

    async def unsettled(self) -> list[int]:
        """Return the cases of answers of which something may still be to be done."""
        query = sa.select(_A.case_id).where(_A.answered_at.is_not(None), _A.settled_at.is_(None))
        async with self._database.connect() as connection:
            return list((await connection.execute(query.order_by(_A.answered_at))).scalars())

    async def get(self, statement_id: str) -> Told | None:
        """Return a statement that holds."""
        return await self._one(_S.id == statement_id)

    async def of_case(self, case_id: int) -> Told | None:
        """Return the statement of the decision on a case."""
        return await self._one(_S.case_id == case_id)

    async def of_user(self, user_id: str, after: Place | None, limit: int) -> list[Told]:
        """Return what a user was told, the newest first."""
        query = _query().where(_S.user_id == user_id).order_by(_S.at.desc(), _S.id.desc()).limit(limit)
        if after is not None:
            query = query.where(sa.tuple_(_S.at, _S.id) < after)
        return await self._read(query)

    async def to_file(self, now: float, after: Place | None, limit: int) -> list[tuple[Place, dict[str, Any]]]:
        """Return forms for the Transparency Database, the oldest first, once nobody can take a decision back."""
        query = sa.select(_S.at, _S.id, _S.filed).order_by(_S.at, _S.id).limit(limit)
        query = query.where(_S.filed.is_not(None), _S.withdrawn_at.is_(None), _S.stands_at <= now)
        if after is not None:
            query = query.where(sa.tuple_(_S.at, _S.id) > after)
        async with self._database.connect() as connection:
            return [((row.at, row.id), row.filed) for row in await connection.execute(query)]

    async def _one(self, condition: sa.ColumnElement[bool]) -> Told | None:
        found = await self._read(_query().where(condition))
        return found[0] if found else None

    async def _read(self, query: sa.Select[Any]) -> list[Told]:
        async with self._database.connect() as connection:
            return [_told(row) for row in await connection.execute(query)]


def _query() -> sa.Select[Any]:
    statement = [_S[name] for name in Told.__dataclass_fields__ if name in _S]
    complaint = (_A.at.label("complained_at"), _A.text, _A.evidence, _A.answered_at, _A.outcome, _A.reasons)
    both = STATEMENTS.outerjoin(APPEALS, _A.statement_id == _S.id)
    return sa.select(*statement, *complaint).select_from(both).where(_S.withdrawn_at.is_(None))


def _told(row: sa.Row[Any]) -> Told:
    fields: dict[str, Any] = {name: getattr(row, name) for name in Told.__dataclass_fields__}
    fields["outcome"] = None if row.outcome is None else Outcome(row.outcome)
    return Told(**fields)
