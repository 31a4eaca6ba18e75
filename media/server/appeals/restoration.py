"""Takes back what an overturned decision did, unless another one that stands did the same."""

from typing import Any, Final

import sqlalchemy as sa

from media.moderation.decision import Action, Outcome
from media.moderation.policy import ReviewPolicy
from media.server.database import Database
from media.server.guard import Guard
from media.server.moderation.effects import Effect, Effects, effects_of
from media.server.moderation.rows import case_of, decision_of
from media.server.moderation.tables import CASES, DECISIONS

BY_MODERATION: Final = "Moderation:"
"""How the reason of a suspension begins that a decision imposed, and no admin by hand."""
_C: Final = CASES.c
_D: Final = DECISIONS.c


class Restoration:
    """Restores what can be restored; what has passed with its Space cannot."""

    def __init__(self, database: Database, effects: Effects, guard: Guard, policy: ReviewPolicy) -> None:
        self._database = database
        self._effects = effects
        self._guard = guard
        self._policy = policy

    async def restore(self, number: int) -> list[Effect]:
        """Take back the decision on a case; return what came of each action. Done twice, it is done."""
        stands = sa.select(DECISIONS).where(_D.case_id == number, _D.undone_at.is_(None))
        async with self._database.connect() as connection:
            row: Any = (await connection.execute(sa.select(CASES).where(_C.id == number))).one()
            decision: Any = (await connection.execute(stands.order_by(_D.id.desc()).limit(1))).one()
        case = case_of(row, self._policy, {}, [decision_of(decision)])
        done = effects_of(decision.effects or [])
        passing = [effect for effect in done if effect.action is not Action.SUSPEND]
        restored = await self._effects.take_back(case, passing)
        user = case.subject.affected
        if user is not None and any(effect.action is Action.SUSPEND for effect in done):
            restored.append(await self._lift(user, number))
        async with self._database.begin() as connection:
            note = sa.update(DECISIONS).where(_D.id == decision.id)
            await connection.execute(note.values(restored=[each.to_json() for each in restored]))
        return restored

    async def _lift(self, user: str, number: int) -> Effect:
        reason = self._guard.reason(user)
        if reason is not None and not reason.startswith(BY_MODERATION):
            return Effect(
                Action.SUSPEND, done=False, said="An admin has suspended this account for another reason."
            )
        if await self._suspended_elsewhere(user, number):
            return Effect(Action.SUSPEND, done=False, said="Another decision that stands suspends this account.")
        await self._guard.lift(user)
        return Effect(Action.SUSPEND, done=True)

    async def _suspended_elsewhere(self, user: str, number: int) -> bool:
        affected = sa.case((_C.user_id != "", _C.user_id), else_=_C.host_id)
        holds = sa.or_(_C.outcome.is_(None), _C.outcome != Outcome.OVERTURNED.value)
        query = sa.select(_D.actions).join(CASES, _C.id == _D.case_id)
        query = query.where(affected == user, _C.id != number, _C.violation, holds, _D.undone_at.is_(None))
        async with self._database.connect() as connection:
            return any(Action.SUSPEND in actions for (actions,) in await connection.execute(query))
