"""Makes the statement of reasons of a decision: from the records of its case, and from what a reviewer wrote."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from media.moderation.case import Case
from media.moderation.decision import Action, Decision
from media.moderation.draft import Circumstances, draft
from media.moderation.policy import ReviewPolicy
from media.moderation.redress import Redress, redress_of
from media.moderation.reporters import is_rule
from media.moderation.retention import Evidence
from media.moderation.statement import RESTRICTIONS, Ground, Statement
from media.server.accounts import Accounts
from media.server.appeals.schemas import StatementForm
from media.server.database import Database
from media.server.errors import Problem
from media.server.moderation.tables import REPORTS
from media.server.spaces import Spaces

REPORTERS_NAMED: Final = 500
"""Reporters of a case whose names a public text is searched for."""
_PUBLIC: Final = ("rule", "explanation", "public_facts", "reference_url")
"""What a reviewer can change of what the database is told."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a statement needs to know beside the decision."""

    found: Circumstances
    names: Collection[str]
    """Which the database must not be told."""
    evidence: Evidence | None
    """The clock of the recording; None where there is none."""
    form: StatementForm | None


@dataclass(frozen=True, slots=True)
class Made:
    """A statement, and what can be done about the decision."""

    statement: Statement
    redress: Redress


class Reasons:
    """Reads what statements are made of."""

    def __init__(
        self,
        database: Database,
        spaces: Spaces,
        accounts: Accounts,
        policy: ReviewPolicy,
        kept: Callable[[str, float], Awaitable[Evidence | None]],
    ) -> None:
        """Take who knows of the recording of a Space, at a time (Unix seconds)."""
        self._database = database
        self._spaces = spaces
        self._accounts = accounts
        self._policy = policy
        self._kept = kept

    async def prepare(self, case: Case, language: str, form: StatementForm | None, now: float) -> Prepared:
        """Read what the records say of a case."""
        subject = case.subject
        try:
            space = await self._spaces.get(subject.space_id)
        except Problem:  # it is erased
            space = None
        reporters, trusted, found_by_rule = await self._reporters(int(case.id))
        said_at = case.clips[0].begin if case.clips else case.opened_at
        found = Circumstances(
            category=case.category,
            said_on=day_of(said_at),
            title="" if space is None else space.title or "",
            language=_two_letters(language),
            about_space=subject.user_id is None,
            reports=len(reporters),
            found_by_rule=found_by_rule,
            trusted=trusted,
        )
        names = await self._names({subject.affected or "", subject.host_id or "", *reporters})
        return Prepared(found, names, await self._kept(subject.space_id, now), form)

    def make(self, puid: str, decision: Decision, prepared: Prepared) -> Made:
        """Make the statement of a decision that found a violation.

        :raises BadStatementError: what the reviewer wrote cannot be sent
        """
        statement = draft(puid, decision, prepared.found, day_of(decision.at))
        written = {} if prepared.form is None else prepared.form.written()
        statement = replace(statement, **written)
        if restricts(decision.actions):
            # Our own words name nobody, though a user may be called by one of them.
            statement.check(prepared.names if written.keys() & set(_PUBLIC) else ())
        return Made(statement, redress_of(decision.at, prepared.evidence, self._policy))

    def row_of(self, case: Case, made: Made) -> dict[str, Any]:
        """Return the row of a statement."""
        statement, redress, decision = made.statement, made.redress, made.statement.decision
        return {
            "id": statement.puid,
            "case_id": int(case.id),
            "at": decision.at,
            "user_id": case.subject.affected,
            "space_id": case.subject.space_id,
            "category": statement.category.value,
            "actions": sorted(decision.actions),
            "told": told_of(statement),
            "filed": filed_of(statement),
            "complain_until": redress.complain_until,
            "evidence_until": redress.evidence_until,
            "stands_at": decision.at + self._policy.undo,
            "withdrawn_at": None,
        }

    async def _reporters(self, case_id: int) -> tuple[Sequence[str], bool, bool]:
        """Return which users reported, whether a trusted flagger did, and whether a rule was first."""
        mine = REPORTS.c.case_id == case_id
        names = sa.select(REPORTS.c.reporter).where(mine).order_by(REPORTS.c.id).limit(REPORTERS_NAMED)
        trusted = sa.select(sa.exists().where(mine, REPORTS.c.trusted))
        async with self._database.connect() as connection:
            found = (await connection.execute(names)).scalars().all()
            users = [name for name in found if not is_rule(name)]
            return users, bool((await connection.execute(trusted)).scalar()), bool(found) and is_rule(found[0])

    async def _names(self, users: Collection[str]) -> frozenset[str]:
        """Return ids, handles and names."""
        ids = {user for user in users if user}
        known = await self._accounts.some(ids)
        return frozenset(ids | {user.username for user in known} | {user.name for user in known})


def restricts(actions: Collection[Action]) -> bool:
    """Whether the database has to be told of a decision."""
    return any(action in RESTRICTIONS for action in actions)


def told_of(statement: Statement) -> dict[str, Any]:
    """Return what the user is told."""
    return {
        "ground": "law" if statement.ground is Ground.ILLEGAL else "rules",
        "rule": statement.rule,
        "explanation": statement.explanation,
        "facts": statement.facts,
        "source": statement.source.value,
        "reference_url": statement.reference_url,
        "territories": list(statement.territories),
        "source_identity": statement.source_identity,
    }


def filed_of(statement: Statement) -> dict[str, Any] | None:
    """Return what the database is told; None of a decision that restricts nothing."""
    return statement.for_database() if restricts(statement.decision.actions) else None


def day_of(at: float) -> str:
    """Return the day of a time (Unix seconds), YYYY-MM-DD, in UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _two_letters(language: str) -> str:
    code = language.partition("-")[0].lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""
