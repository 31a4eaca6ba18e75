"""Cases over HTTP: found, claimed under a lease, held, handed on, decided, taken back; for reviewers."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from media.moderation.case import Case
from media.moderation.categories import Category
from media.moderation.states import UNDECIDED, CaseState
from media.server.audit.audit import Act
from media.server.auth import Reviewer, reviewer
from media.server.moderation.effects import Effect
from media.server.moderation.here import CaseId, ModerationHere, QueuesHere, ReadingHere
from media.server.moderation.reading import Place
from media.server.moderation.search import Search, narrowed
from media.server.moderation.shapes import (
    CaseCard,
    CaseList,
    Decided,
    EffectOut,
    HandOver,
    Lease,
    NewClaim,
    NewDecision,
    NewEscalation,
    OneCase,
    OneDecision,
    OneLease,
    Remark,
    time_of,
)
from media.server.paging import Page, PagedSpaces, no_token
from media.server.profiles import PageMeta
from media.server.routes import problems
from media.server.schemas import NO_NUL

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"], dependencies=[Depends(reviewer)])
_Queue = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=NO_NUL, description="a saved search", examples=["all"])
]


@router.get("/cases", responses=problems(403, 404, 422))
async def list_cases(
    who: Reviewer,
    page: PagedSpaces,
    reading: ReadingHere,
    queues: QueuesHere,
    queue: _Queue = None,
    state: Annotated[
        list[CaseState] | None, Query(max_length=7, description="those that are undecided, unless asked otherwise")
    ] = None,
    category: Annotated[list[Category] | None, Query(max_length=14, description="of these categories")] = None,
    language: Annotated[
        list[str] | None, Query(max_length=32, description="of Spaces in these languages", examples=[["en"]])
    ] = None,
    severity: Annotated[int, Query(ge=0, le=4, description="at least so severe")] = 0,
    user_id: Annotated[str, Query(max_length=64, pattern=NO_NUL, description="about this person")] = "",
    space_id: Annotated[str, Query(max_length=16, pattern=NO_NUL, description="in this Space")] = "",
    appeals: Annotated[bool | None, Query(description="only complaints, or none")] = None,
) -> CaseList:
    """List cases in the order in which they are to be looked at: by due time, then by severity.

    Cases that a reviewer has reported, or that are about them, are not shown to them.
    """
    asked = Search(tuple(category or ()), tuple(language or ()), severity, space_id, user_id, appeals)
    search = asked if queue is None else narrowed((await queues.get(queue)).search(), asked)
    if search is None:
        return CaseList(data=[], meta=PageMeta(result_count=0, next_token=None))
    rows = await reading.cases(who.name, search, state or sorted(UNDECIDED), page.limit, _place(page))
    shown, following = page.cut(rows, [f"{row.due_at!r} {row.rank} {row.id}" for row in rows])
    data = [CaseCard.of(row) for row in shown]
    return CaseList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/cases/{case_id}", responses=problems(403, 404, 422))
async def get_case(case_id: CaseId, who: Reviewer, moderation: ModerationHere, reading: ReadingHere) -> OneCase:
    """Show a case with its reports, its clip, its timeline, earlier cases and strikes of the same person."""
    row = await reading.row(int(case_id), who.name)
    return OneCase(data=await reading.case(row, await moderation.began(row.space_id)))


@router.post(
    "/claims",
    responses=problems(403, 404, 422) | {204: {"description": "No case waits for this reviewer."}},
    response_model=OneCase,
)
async def claim_case(
    body: NewClaim, who: Reviewer, moderation: ModerationHere, reading: ReadingHere, queues: QueuesHere
) -> OneCase | Response:
    """Get the next case that the caller may decide, under a lease of ten minutes.

    `PUT …/lease` begins it anew; who is gone for ten minutes loses the case to its queue. Nobody gets a case that
    they have reported, that is about them or, when it is a complaint, that they have decided; those that were
    escalated go to senior reviewers.
    """
    search = body.search()
    if body.queue is not None:
        found = narrowed((await queues.get(body.queue)).search(), search)
        if found is None:
            return Response(status_code=204)
        search = found
    row = await moderation.claim(who, search)
    if row is None:
        return Response(status_code=204)
    return OneCase(data=await reading.case(row, await moderation.began(row.space_id)))


@router.put("/cases/{case_id}/lease", responses=problems(403, 404, 409, 422))
async def extend_lease(case_id: CaseId, who: Reviewer, moderation: ModerationHere) -> OneLease:
    """Begin the lease of a case anew: its reviewer is there."""
    case = await moderation.act(int(case_id), lambda c, now: c.extend(who.name, now))
    return _lease(case)


@router.delete("/cases/{case_id}/lease", status_code=204, responses=problems(403, 404, 409, 422))
async def release_case(case_id: CaseId, who: Reviewer, moderation: ModerationHere) -> None:
    """Put a case back into its queue."""
    await moderation.act(int(case_id), lambda c, now: c.release(who.name, now))


@router.post("/cases/{case_id}/hold", status_code=204, responses=problems(403, 404, 409, 422))
async def hold_case(case_id: CaseId, who: Reviewer, moderation: ModerationHere) -> None:
    """Keep a case without a lease, to wait for something."""
    await moderation.act(int(case_id), lambda c, now: c.hold(who.name, now))


@router.post("/cases/{case_id}/resume", responses=problems(403, 404, 409, 422))
async def resume_case(case_id: CaseId, who: Reviewer, moderation: ModerationHere) -> OneLease:
    """Go on with a case that was held, under a lease."""
    return _lease(await moderation.act(int(case_id), lambda c, now: c.resume(who.name, now)))


@router.post("/cases/{case_id}/escalate", status_code=204, responses=problems(403, 404, 409, 422))
async def escalate_case(case_id: CaseId, body: NewEscalation, who: Reviewer, moderation: ModerationHere) -> None:
    """Let a senior reviewer decide."""
    await moderation.act(int(case_id), lambda c, now: c.escalate(who.name, now, body.note))


@router.post("/cases/{case_id}/hand-over", status_code=204, responses=problems(403, 404, 409, 422))
async def hand_case_over(case_id: CaseId, body: HandOver, who: Reviewer, moderation: ModerationHere) -> None:
    """Give a case to another reviewer, under a lease of theirs.

    The other must be neither part of the matter nor, of a complaint, who has decided it. What was escalated, its
    senior reviewer gives to whom they will.
    """
    await moderation.act(
        int(case_id),
        lambda c, now: c.hand_over(who.name, body.to, now, senior=who.senior),
        named=[body.to],
        acts=[Act(who.name, f"handed over to {body.to}", f"case {case_id}", body.note)],
    )


@router.post("/cases/{case_id}/notes", status_code=204, responses=problems(403, 404, 422))
async def add_note(case_id: CaseId, body: Remark, who: Reviewer, moderation: ModerationHere) -> None:
    """Write something into the timeline of a case, for whoever looks at it next."""
    await moderation.remark(int(case_id), who, body.text)


@router.post("/cases/{case_id}/decision", responses=problems(403, 404, 409, 422))
async def decide_case(
    case_id: CaseId, body: NewDecision, who: Reviewer, moderation: ModerationHere
) -> OneDecision:
    """Decide a case: one or several actions, carried out at once in the sound.

    It takes the lease, and can be taken back for ten seconds. `effects` says what each action came to: a person
    who has left cannot be muted any more, for one. Whoever reported it is told once the decision stands; whom it
    affects is told at once, with reasons, of which `statement` can say more than the records and the rules do.
    """
    case, effects = await moderation.decide(int(case_id), who, body.actions, body.note, body.statement)
    return _decided(case, effects)


@router.delete("/cases/{case_id}/decision", responses=problems(403, 404, 409, 422))
async def undo_decision(case_id: CaseId, who: Reviewer, moderation: ModerationHere) -> OneDecision:
    """Take a decision back within ten seconds; the case is the caller's again, and what can be is restored."""
    return _decided(*await moderation.undo(int(case_id), who))


def _lease(case: Case) -> OneLease:
    assert case.lease_until is not None
    return OneLease(data=Lease(lease_until=time_of(case.lease_until)))


def _decided(case: Case, effects: list[Effect]) -> OneDecision:
    stands = case.state is CaseState.DECIDED
    return OneDecision(
        data=Decided(
            id=case.id,
            state=case.state,
            effects=[EffectOut.of(effect) for effect in effects],
            undo_until=time_of(case.next_timer) if stands else None,
        )
    )


def _place(page: Page) -> Place | None:
    """Read where the last page ended.

    :raises Problem: 422, the token is of another list
    """
    text = page.after()
    if not text:
        return None
    try:
        due, rank, number = text.split(" ")
        return float(due), int(rank), int(number)
    except ValueError:
        raise no_token() from None
