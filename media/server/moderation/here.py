"""What the routes of moderation find in the app, and what their paths mean."""

from typing import Annotated

from fastapi import Depends, Path, Request

from media.server.moderation.queues import Queues
from media.server.moderation.reading import Reading
from media.server.moderation.service import Moderation


async def _moderation(request: Request) -> Moderation:
    return request.app.state.moderation


async def _reading(request: Request) -> Reading:
    return request.app.state.cases


async def _queues(request: Request) -> Queues:
    return request.app.state.queues


ModerationHere = Annotated[Moderation, Depends(_moderation)]
ReadingHere = Annotated[Reading, Depends(_reading)]
QueuesHere = Annotated[Queues, Depends(_queues)]
CaseId = Annotated[
    str, Path(min_length=8, max_length=18, pattern=r"^[0-9]+$", description="id of a case", examples=["00000417"])
]
