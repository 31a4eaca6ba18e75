"""Posts in a Space: pinned above it, or shared with everyone who is there."""

from typing import Final

from fastapi import APIRouter

from media.server.auth import Named
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.room.readers import Readable
from media.server.room.shapes import PinList, PostId, PostOut, SharedList, SharedPost
from media.server.routes import SEEN, SpacesHere, problems
from media.space.notes import Shown
from media.space.space import Events, Space

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["In the room"])


@router.put("/pins/{post_id}", responses=problems(403, 404, 409, 422), dependencies=[*SEEN])
async def pin(space_id: str, post_id: PostId, who: Named, spaces: SpacesHere) -> PinList:
    """Pin a post above the Space, before the others; people on the stage may.

    The policy bounds their number (409); pinning a post twice changes nothing.
    """
    space = await spaces.act(space_id, lambda s, now: s.pin(who.name, post_id, now))
    return PinList(data=[PostOut.of(shown) for shown in space.notes.pins])


@router.delete("/pins/{post_id}", status_code=204, responses=problems(403, 404, 409, 422), dependencies=[*SEEN])
async def unpin(space_id: str, post_id: PostId, who: Named, spaces: SpacesHere) -> None:
    """Take a post down: host and co-hosts any, speakers what they pinned themselves."""
    await spaces.act(space_id, lambda s, now: s.unpin(who.name, post_id, now))


@router.get("/pins", responses=problems(403, 404))
async def list_pins(space: Readable) -> PinList:
    """List what is pinned, newest first, for whoever may listen."""
    return PinList(data=[PostOut.of(shown) for shown in space.notes.pins])


@router.post("/shared", status_code=201, responses=problems(403, 404, 409, 422), dependencies=[*SEEN])
async def share(space_id: str, body: SharedPost, who: Named, spaces: SpacesHere) -> PostOut:
    """Show a post to everyone who is there, in a `shared` event; people on the stage may."""
    shared: list[Shown] = []

    def step(space: Space, now: float) -> Events:
        events = space.share(who.name, body.post_id, now)
        shared.append(space.notes.shared[-1])
        return events

    await spaces.act(space_id, step)
    return PostOut.of(shared[0])


@router.get("/shared", responses=problems(403, 404, 422))
async def list_shared(space: Readable, page: Paged) -> SharedList:
    """List what was shared last, up to 100 posts, newest first, for whoever may listen."""
    before = page.after_number()
    found = [s for s in reversed(space.notes.shared) if before is None or s.number < before]
    posts, following = page.cut(found, [s.number for s in found])
    return SharedList(
        data=[PostOut.of(s) for s in posts], meta=PageMeta(result_count=len(posts), next_token=following)
    )
