"""Statements of reasons, complaints and what comes of them: told with the decision, answered by somebody else.

The rules are those of :class:`media.moderation.case.Case`. What follows from an answer is done after it is
written, and taken up by the next process if this one ends before.
"""

import asyncio
import secrets
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.case import Case
from media.moderation.decision import Action, Decision, Outcome
from media.moderation.events import CaseDecided, DecisionUndone, Events
from media.server.appeals.readings import Readings
from media.server.appeals.reasons import Made, Prepared, Reasons
from media.server.appeals.restoration import Restoration
from media.server.appeals.schemas import StatementForm
from media.server.appeals.store import Statements, Told
from media.server.database import Database
from media.server.errors import Problem
from media.server.moderation.desk import Beside
from media.server.moderation.rows import case_of, decision_of, name_of
from media.server.moderation.service import Moderation
from media.server.moderation.tables import CASES, DECISIONS, REPORTS

_C: Final = CASES.c


class Appeals:
    """Driven by decisions, by users who complain, and by reviewers who answer."""

    def __init__(
        self,
        database: Database,
        moderation: Moderation,
        statements: Statements,
        reasons: Reasons,
        readings: Readings,
        restoration: Restoration,
    ) -> None:
        self._database = database
        self._moderation = moderation
        self.statements = statements
        self._reasons = reasons
        self._readings = readings
        self._restoration = restoration

    def clock(self) -> float:
        """Return the time by which cases go (Unix seconds)."""
        return self._moderation.now

    async def open(self) -> None:
        """Do what is still to be done of what was answered: at the start, and when the store is back."""
        for number in await self.statements.unsettled():
            await self._settle(number)

    async def preview(
        self, number: int, reviewer: str, actions: Collection[Action], form: StatementForm | None, *, senior: bool
    ) -> Made:
        """Return the statement that a decision would be told with.

        :raises Problem: 404, there is no such case; 422, the decision tells nobody anything
        :raises ModerationError: the reviewer must not decide it, or what they wrote cannot be sent
        """
        case, language = await self._look(number, reviewer)
        case.check_reviewer(reviewer, senior=senior)
        decision = Decision(self.clock(), reviewer, frozenset(actions))
        if not decision.violation:
            raise Problem(
                422, "no-statement", "A decision that finds no violation is told to nobody with reasons."
            )
        prepared = await self._reasons.prepare(case, language, form, self.clock())
        return self._reasons.make(secrets.token_hex(16), decision, prepared)

    async def beside_decision(self, number: int, reviewer: str, form: StatementForm | None) -> Beside:
        """Return what is to be written in the transaction of a decision, or of its being taken back."""
        case, language = await self._look(number, reviewer)
        prepared = await self._reasons.prepare(case, language, form, self.clock())

        async def write(connection: AsyncConnection, case: Case, events: Events) -> None:
            for event in events:
                if isinstance(event, CaseDecided):
                    await self._decided(connection, case, event.decision, prepared)

        return write

    async def beside_undo(self, connection: AsyncConnection, case: Case, events: Events) -> None:
        """Take back what was told, in the transaction in which a decision is taken back."""
        for event in events:
            if isinstance(event, DecisionUndone):
                await self.statements.withdraw(connection, int(case.id), event.at)
                await self._readings.drop(connection, int(case.id))

    async def complain(self, statement_id: str, user: str, text: str) -> Told:
        """Take a complaint; the case is queued again, and its recording kept if it is still there.

        :raises Problem: 404, it is no statement of theirs
        :raises ModerationError: why they cannot complain about it
        """
        told = await self.statements.get(statement_id)
        if told is None or told.user_id != user:
            raise Problem(404, "unknown-statement", "You were told of no decision of this id.")
        await self._moderation.sweep()
        evidence = self._moderation.evidence

        async def write(connection: AsyncConnection, case: Case, events: Events) -> None:
            held = evidence is not None and await evidence.write_hold(connection, told.space_id, case.id)
            for event in events:
                await self.statements.complain(connection, told, event.at, text, held)

        await self._moderation.act(told.case_id, lambda case, now: case.complain(user, text, now), beside=write)
        return await self._known(statement_id)

    async def answer(self, number: int, reviewer: str, outcome: Outcome, reasons: str) -> Told:
        """Answer a complaint, for good; what was overturned is taken back in the media path.

        :raises ModerationError: they do not have the case, or nobody complained
        """

        async def write(connection: AsyncConnection, case: Case, events: Events) -> None:
            for event in events:
                await self.statements.answer(connection, number, event.at, reviewer, outcome, reasons)

        def step(case: Case, now: float) -> Events:
            return case.answer(reviewer, outcome, now, reasons)

        await self._moderation.act(number, step, named=[reviewer], beside=write)
        await asyncio.shield(self._settle(number))  # whole, even if nobody waits for it any more
        told = await self.statements.of_case(number)
        assert told is not None
        return told

    async def _settle(self, number: int) -> None:
        """Do what follows from an answer."""
        told = await self.statements.of_case(number)
        assert told is not None
        overturned = told.outcome is Outcome.OVERTURNED
        if overturned:
            await self._restoration.restore(number)
        evidence = self._moderation.evidence
        async with self._database.begin() as connection:
            if evidence is not None and told.evidence:
                holder = name_of(number)
                await evidence.write_release(connection, told.space_id, holder, violation=not overturned)
            await self.statements.settle(connection, number, self.clock())

    async def _decided(
        self, connection: AsyncConnection, case: Case, decision: Decision, prepared: Prepared
    ) -> None:
        if decision.violation and case.subject.affected is not None:
            made = self._reasons.make(secrets.token_hex(16), decision, prepared)
            await self.statements.add(connection, self._reasons.row_of(case, made))
        await self._readings.sample(connection, case, decision)

    async def _known(self, statement_id: str) -> Told:
        told = await self.statements.get(statement_id)
        assert told is not None
        return told

    async def _look(self, number: int, reviewer: str) -> tuple[Case, str]:
        """Read a case without changing it; with its language."""
        reported = sa.select(REPORTS.c.credible).where(REPORTS.c.case_id == number, REPORTS.c.reporter == reviewer)
        stand = sa.select(DECISIONS).where(DECISIONS.c.case_id == number, DECISIONS.c.undone_at.is_(None))
        async with self._database.connect() as connection:
            row: Any = (await connection.execute(sa.select(CASES).where(_C.id == number))).first()
            if row is None:
                raise Problem(404, "unknown-case", "There is no case of this id.")
            credible = (await connection.execute(reported)).scalar()
            decisions = [decision_of(each) for each in await connection.execute(stand.order_by(DECISIONS.c.id))]
        known = {} if credible is None else {reviewer: credible}
        return case_of(row, self._moderation.policy, known, decisions), row.language
