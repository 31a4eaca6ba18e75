"""The kill switch over HTTP, for admins."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from media.server.auth import Admin
from media.server.input import Input
from media.server.kill_switch.service import KillSwitch
from media.server.routes import problems
from media.server.schemas import UserId

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"])


class EndSpaces(Input):
    """Which Spaces to end."""

    host: Annotated[UserId | None, Field(description="whose; null for everybody's")] = None


class EndedSpaces(BaseModel):
    """What was ended."""

    ended_count: int = Field(description="live Spaces that this call has ended; 0 if there were none any more")


class EndedSpacesOut(BaseModel):
    """The answer, in X's envelope."""

    data: EndedSpaces


@router.post("/end-spaces", responses=problems(403, 422))
async def end_spaces(body: EndSpaces, who: Admin, request: Request) -> EndedSpacesOut:
    """End all live Spaces, or all of one host, for everyone at once; admins only.

    The sound stops before anything is written, so this works while the store is away (503 then says so, and how
    many are ended). It can be repeated: what is ended stays ended. `python -m media end-all` does the same.
    """
    switch: KillSwitch = request.app.state.kill_switch
    return EndedSpacesOut(data=EndedSpaces(ended_count=await switch.end_spaces(who.name, body.host)))
