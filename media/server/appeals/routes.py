"""Statements of reasons over HTTP, for whom they are about: reading them, and complaining.

Open to users whose account is suspended: it is they who have most to complain about.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request

from media.server.appeals.schemas import (
    NewAppeal,
    StatementAnswer,
    StatementList,
    StatementOut,
)
from media.server.appeals.service import Appeals
from media.server.auth import Account
from media.server.errors import Problem
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/users/me/statements", tags=["Reports"])


async def _appeals(request: Request) -> Appeals:
    return request.app.state.appeals


AppealsHere = Annotated[Appeals, Depends(_appeals)]
StatementId = Annotated[
    str,
    Path(
        max_length=32,
        pattern=r"^[0-9a-f]+$",
        description="id of a statement of reasons",
        examples=["5f0c3a1e9b7d4c2f8a6e1d0b3c5f7a90"],
    ),
]


@router.get("", responses=problems(422))
async def my_statements(who: Account, page: Paged, appeals: AppealsHere) -> StatementList:
    """List the decisions about oneself, with their reasons, the newest first.

    Each says until when one can complain, and until when there is a recording of what it is about.
    """
    found = await appeals.statements.of_user(who.name, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{told.at!r} {told.id}" for told in found])
    now = appeals.clock()
    data = [StatementOut.of(told, now) for told in shown]
    return StatementList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/{statement_id}", responses=problems(404, 422))
async def my_statement(statement_id: StatementId, who: Account, appeals: AppealsHere) -> StatementAnswer:
    """Show a decision about oneself, and what came of a complaint."""
    told = await appeals.statements.get(statement_id)
    if told is None or told.user_id != who.name:
        raise Problem(404, "unknown-statement", "You were told of no decision of this id.")
    return StatementAnswer(data=StatementOut.of(told, appeals.clock()))


@router.post("/{statement_id}/appeal", status_code=201, responses=problems(403, 404, 409, 422))
async def complain(
    statement_id: StatementId, body: NewAppeal, who: Account, appeals: AppealsHere
) -> StatementAnswer:
    """Complain about a decision, within six months and free of charge: another reviewer answers, for good.

    The recording is kept until then, if it is still there.
    """
    told = await appeals.complain(statement_id, who.name, body.text)
    return StatementAnswer(data=StatementOut.of(told, appeals.clock()))
