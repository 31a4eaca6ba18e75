"""Invitation links: whoever holds one gets what it gives."""

import hashlib
import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.server.addresses import base_of
from media.server.auth import Named
from media.server.paging import Paged
from media.server.people import welcome
from media.server.profiles import PageMeta
from media.server.room.shapes import LinkList, LinkOut, NewLink
from media.server.routes import SEEN, SessionsHere, SpacesHere, participates, problems
from media.server.schemas import PersonOut
from media.space.links import Link
from media.space.space import Events, Space

router: Final = APIRouter(prefix="/spaces/{space_id}/invitation-links", tags=["Invitations"], dependencies=[*SEEN])

Code = Annotated[str, Path(max_length=64, description="the secret in the link", examples=["nJ7mVdQx3pW0aZ2c"])]


@router.post("", status_code=201, responses=problems(403, 404, 409, 422))
async def make_link(
    space_id: str,
    body: NewLink,
    who: Named,
    spaces: SpacesHere,
    sessions: SessionsHere,
    request: Request,
    response: Response,
) -> LinkOut:
    """Make a link that gives a role to whoever follows it, also before the Space starts.

    To co-hosts' seats the host can invite, to speakers' host and co-hosts, to listen everyone. A person can have
    ten links to a Space (409). A link is worth what its maker may do at the time it is followed.
    """
    code = secrets.token_urlsafe(16)

    def step(space: Space, now: float) -> Events:
        participates(space, who, sessions)
        return space.make_link(who.name, code, body.role, now, uses=body.uses)

    space = await spaces.act(space_id, step)
    response.headers["Location"] = f"/spaces/{space_id}/invitation-links/{code}"
    return LinkOut.of(space.links.known(code), space_id, base_of(request))


@router.get("", responses=problems(404, 422))
async def list_links(space_id: str, who: Named, page: Paged, spaces: SpacesHere, request: Request) -> LinkList:
    """List the links that the caller made, the oldest first; the host sees all."""
    space, after = await spaces.get(space_id), page.after_time()
    mine = [(link, _place(link)) for link in space.links if who.name in (link.by, space.host)]
    left = sorted((one for one in mine if after is None or one[1] > after), key=lambda one: one[1])
    shown, following = page.cut(left, ["{!r} {}".format(*place) for _, place in left])
    data = [LinkOut.of(link, space_id, base_of(request)) for link, _ in shown]
    return LinkList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


def _place(link: Link) -> tuple[float, str]:
    """Where a link stands; a token is seen by whoever logs addresses, so there is no secret in it."""
    return link.made_at, hashlib.sha256(link.code.encode()).hexdigest()[:16]


@router.get("/{code}", responses=problems(404, 422))
async def get_link(space_id: str, code: Code, spaces: SpacesHere, request: Request) -> LinkOut:
    """Show what a link gives to whoever holds it."""
    return LinkOut.of((await spaces.get(space_id)).links.known(code), space_id, base_of(request))


@router.delete("/{code}", status_code=204, responses=problems(403, 404, 409, 422))
async def revoke_link(space_id: str, code: Code, who: Named, spaces: SpacesHere) -> None:
    """Let nobody in by it any more: whoever made it may, and host and co-hosts what they could make."""
    await spaces.act(space_id, lambda s, now: s.revoke_link(who.name, code, now))


@router.post("/{code}/accept", responses=problems(403, 404, 409, 422), dependencies=[Depends(welcome)])
async def accept_link(
    space_id: str, code: Code, who: Named, spaces: SpacesHere, sessions: SessionsHere
) -> PersonOut:
    """Take what the link gives: a seat at once, if one is free (else 409, and the link stays good).

    Whoever is not connected yet has 30 seconds to be.
    """

    def step(space: Space, now: float) -> Events:
        return space.follow_link(who.name, code, now, present=sessions.present(space.id, who.name))

    space = await spaces.act(space_id, step)
    return PersonOut.of(space.people.look(who.name, sessions.present(space_id, who.name)))
