"""Decisions carried to their end: the media path obeys, what that came to is noted, and what was left is done."""

import logging
from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa

from media.moderation.case import Case
from media.moderation.decision import Action
from media.moderation.policy import ReviewPolicy
from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.moderation.effects import Effect, Effects, effects_of
from media.server.moderation.rows import case_of, decision_of
from media.server.moderation.tables import CASES, DECISIONS

log = logging.getLogger(__name__)

_D: Final = DECISIONS.c


class Carrying:
    """Called once a decision, or that it is taken back, has been kept; one case at a time."""

    def __init__(self, database: Database, effects: Effects, policy: ReviewPolicy) -> None:
        self._database = database
        self._effects = effects
        self._policy = policy

    async def carry_out(self, case: Case, actions: Collection[Action], by: str) -> list[Effect]:
        """Do what was decided; return what came of each action."""
        effects = await self._effects.carry_out(case, actions, by)
        try:
            await self._note(int(case.id), effects)
        except StoreUnavailableError:  # it holds; the next process finds it unfinished, and does it once more
            log.warning("What came of the decision in case %s could not be noted.", case.id)
        return effects

    async def take_back(self, case: Case) -> list[Effect]:
        """Restore what the newest decision that was taken back has changed; return what came of each action."""
        newest = sa.select(DECISIONS).where(_D.case_id == int(case.id), _D.undone_at.is_not(None), _D.unfinished)
        async with self._database.connect() as connection:
            row = (await connection.execute(newest.order_by(_D.id.desc()).limit(1))).first()
        if row is None:
            return []
        undone = await self._effects.take_back(case, effects_of(row.effects or []))
        kept = [each.to_json() for each in undone]
        note = sa.update(DECISIONS).where(_D.id == row.id).values(restored=kept, unfinished=False)
        async with self._database.begin() as connection:
            await connection.execute(note)
        return undone

    async def finish(self) -> None:
        """Carry out, or take back, what the last process had kept and not seen to its end."""
        query = sa.select(DECISIONS).where(_D.unfinished).order_by(_D.id)
        async with self._database.connect() as connection:
            decisions = list(await connection.execute(query))
            theirs = sa.select(CASES).where(CASES.c.id.in_({row.case_id for row in decisions}))
            cases = {row.id: row for row in await connection.execute(theirs)}
        for row in decisions:
            case = case_of(cases[row.case_id], self._policy, {}, [decision_of(row)])
            if row.undone_at is None:
                await self.carry_out(case, decision_of(row).actions, row.reviewer)
            else:
                await self.take_back(case)

    async def _note(self, number: int, effects: Sequence[Effect]) -> None:
        stands = sa.select(sa.func.max(_D.id)).where(_D.case_id == number, _D.undone_at.is_(None))
        note = sa.update(DECISIONS).where(_D.id == stands.scalar_subquery())
        async with self._database.begin() as connection:
            await connection.execute(note.values(effects=[each.to_json() for each in effects], unfinished=False))
