"""Host tools over HTTP: what holds for all Spaces of the caller, and whom removals keep out of them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from media.server.auth import Named, caller
from media.server.errors import Problem
from media.server.host_tools.service import HostTools
from media.server.host_tools.settings_shapes import (
    CarriedRemovalList,
    CarriedRemovalOut,
    HostSettingsChange,
    HostSettingsOut,
)
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.routes import problems

router: Final = APIRouter(prefix="/users/me", tags=["Host tools"], dependencies=[Depends(caller)])


async def _tools(request: Request) -> HostTools:
    return request.app.state.host_tools


HostToolsHere = Annotated[HostTools, Depends(_tools)]


@router.get("/host-settings", responses=problems())
async def get_host_settings(who: Named, tools: HostToolsHere) -> HostSettingsOut:
    """Show what holds for all Spaces of the caller."""
    return HostSettingsOut.of(await tools.settings(who.name))


@router.patch("/host-settings", responses=problems(422))
async def change_host_settings(who: Named, body: HostSettingsChange, tools: HostToolsHere) -> HostSettingsOut:
    """Change it: whether removals are carried on, at once; and what new Spaces begin with.

    The rules of entry of one Space are changed with `PATCH /spaces/{id}`, also while it is live.
    """
    return HostSettingsOut.of(await tools.change(who.name, **body.changes()))


@router.get("/carried-removals", responses=problems(422))
async def list_carried_removals(who: Named, page: Paged, tools: HostToolsHere) -> CarriedRemovalList:
    """List whom removals put on the caller's block list: who removed them, and from which Space, newest first.

    All whom the caller blocks are in `GET /users/me/blocking`.
    """
    found = await tools.store.carried(who.name, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{removal.at!r} {removal.user_id}" for removal in found])
    data = [CarriedRemovalOut.of(removal) for removal in shown]
    return CarriedRemovalList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.delete("/carried-removals/{target_user_id}", status_code=204, responses=problems(404))
async def delete_carried_removal(target_user_id: str, who: Named, tools: HostToolsHere) -> None:
    """Let somebody into the caller's Spaces again, except where they were removed."""
    if not await tools.uncarry(who.name, target_user_id):
        raise Problem(404, "unknown-removal", "No removal put this person on your block list.")
