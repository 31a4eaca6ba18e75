"""Queues and reporters over HTTP: for reviewers to read, for senior ones to arrange."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path

from media.moderation.reporters import Reporter
from media.server.auth import Admin, Reviewer, reviewer
from media.server.errors import Problem
from media.server.moderation.here import ModerationHere, QueuesHere, ReadingHere
from media.server.moderation.shapes import QueueList, QueueOut, ReporterOut, SearchIn, time_of
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"], dependencies=[Depends(reviewer)])
_Name = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="name of a queue",
        examples=["urgent"],
    ),
]
_Reporter = Annotated[
    str,
    Path(
        max_length=64,
        pattern=r"^~?[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="who reports, or the rule that does",
        examples=["ben"],
    ),
]


async def senior(who: Reviewer) -> None:
    """Gate: senior reviewers and admins.

    :raises Problem: 403
    """
    if not who.senior:
        raise Problem(403, "not-senior", "Only a senior reviewer may do this; ask one.")


@router.get("/queues", responses=problems(403))
async def list_queues(moderation: ModerationHere, reading: ReadingHere, queues: QueuesHere) -> QueueList:
    """List the queues, and how much there is to do in each."""
    data: list[QueueOut] = []
    for name, search in (await queues.list()).items():
        waiting, overdue, oldest = await reading.waiting(search.search(), moderation.now)
        at = None if oldest is None else time_of(oldest)
        data.append(QueueOut(name=name, search=search, waiting=waiting, overdue=overdue, oldest=at))
    return QueueList(data=data)


@router.put("/queues/{name}", status_code=204, responses=problems(403, 422), dependencies=[Depends(senior)])
async def save_queue(
    name: _Name, body: SearchIn, who: Reviewer, moderation: ModerationHere, queues: QueuesHere
) -> None:
    """Save a search as a queue, for everyone; senior reviewers only."""
    await queues.keep(name, body, who.name, moderation.now)


@router.delete(
    "/queues/{name}", status_code=204, responses=problems(403, 404, 422), dependencies=[Depends(senior)]
)
async def delete_queue(name: _Name, who: Reviewer, queues: QueuesHere) -> None:
    """Forget a queue; its cases stay where they are.  Senior reviewers only."""
    await queues.discard(name, who.name)


@router.get("/reporters/{reporter_id}", responses=problems(403, 422))
async def get_reporter(reporter_id: _Reporter, reading: ReadingHere) -> ReporterOut:
    """Show how much a reporter's word counts."""
    return _shown(await reading.reporter(reporter_id))


@router.put("/reporters/{reporter_id}/mute", responses=problems(403, 422), dependencies=[Depends(senior)])
async def mute_reporter(reporter_id: _Reporter, who: Reviewer, moderation: ModerationHere) -> ReporterOut:
    """Take somebody's reports from now on without opening a case; senior reviewers only.

    They are answered as everybody's are.
    """
    return _shown(await moderation.mark(reporter_id, who, muted=True))


@router.delete("/reporters/{reporter_id}/mute", responses=problems(403, 422), dependencies=[Depends(senior)])
async def unmute_reporter(reporter_id: _Reporter, who: Reviewer, moderation: ModerationHere) -> ReporterOut:
    """Open cases for somebody's reports again; senior reviewers only."""
    return _shown(await moderation.mark(reporter_id, who, muted=False))


@router.put("/reporters/{reporter_id}/trust", responses=problems(403, 422))
async def trust_reporter(reporter_id: _Reporter, who: Admin, moderation: ModerationHere) -> ReporterOut:
    """Name a trusted flagger, whose reports come first and are not limited in number; admins only."""
    return _shown(await moderation.mark(reporter_id, who, trusted=True))


@router.delete("/reporters/{reporter_id}/trust", responses=problems(403, 422))
async def distrust_reporter(reporter_id: _Reporter, who: Admin, moderation: ModerationHere) -> ReporterOut:
    """Take that back; admins only."""
    return _shown(await moderation.mark(reporter_id, who, trusted=False))


def _shown(reporter: Reporter) -> ReporterOut:
    return ReporterOut(
        user_id=reporter.user_id,
        trusted=reporter.trusted,
        muted=reporter.muted,
        accuracy=round(reporter.accuracy, 3),
        decided=len(reporter.outcomes),
    )
