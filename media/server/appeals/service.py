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
from media.server.moderation.evidence import EvidenceGoneError
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
        self._turn = asyncio.Lock()
        """Of complaints: what one holds the next one must not release."""

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
        prepared = await self._reasons.prepare(case, language, form)
        return self._reasons.make(secrets.token_hex(16), decision, prepared)

    async def beside_decision(self, number: int, reviewer: str, form: StatementForm | None) -> Beside:
        """Return what is to be written in the transaction of a decision, or of its being taken back."""
        case, language = await self._look(number, reviewer)
        prepared = await self._reasons.prepare(case, language, form)

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
        async with self._turn:
            told = await self.statements.get(statement_id)
            if told is None or told.user_id != user:
                raise Problem(404, "unknown-statement", "You were told of no decision of this id.")
            await self._moderation.sweep()
            may = told.complained_at is None and told.stands_at <= self.clock() <= told.complain_until
            held = may and await self._hold(told)  # else a refusal would release what another input holds

            async def write(connection: AsyncConnection, case: Case, events: Events) -> None:
                assert case.appeal is not None
                await self.statements.complain(connection, told, case.appeal.at, text, held)

            try:
                await self._moderation.act(
                    told.case_id, lambda case, now: case.complain(user, text, now), beside=write
                )
            except BaseException:
                if held:
                    await self._release(told.space_id, told.case_id, violation=True)
                raise
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
        if told.evidence:
            await self._release(told.space_id, number, violation=not overturned)
        async with self._database.begin() as connection:
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

    async def _hold(self, told: Told) -> bool:
        """Keep the recording of a Space; False if there is none any more."""
        evidence = self._moderation.evidence
        if evidence is None:
            return False
        try:
            await evidence.hold(told.space_id, name_of(told.case_id))
        except EvidenceGoneError:
            return False
        return True

    async def _release(self, space_id: str, number: int, *, violation: bool) -> None:
        if self._moderation.evidence is not None:
            await self._moderation.evidence.release(space_id, name_of(number), violation=violation)

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
