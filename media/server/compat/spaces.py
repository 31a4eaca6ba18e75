"""Spaces as X API v2 answers for them: by id, by creator, by words; what was shared, who bought."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from media.server.auth import Caller, Named, caller
from media.server.compat import parameters as p
from media.server.compat.answers import OneSpace, SomePosts, SomeSpaces, SomeUsers, answer, not_found
from media.server.compat.routes import NumbersHere, XRoute, x_answers
from media.server.compat.show import Showing, whoever
from media.server.errors import Problem
from media.server.finding.posts import Posts
from media.server.paging import Page
from media.server.routes import AccountsHere, DiscoveryHere, SpacesHere, VisibilityHere
from media.server.spaces import Spaces
from media.server.tickets.routes import OfficeHere
from media.server.visibility import Visibility
from media.space.space import Space
from media.space.states import State
from media.space.visibility import View, announced

router: Final = APIRouter(
    prefix="/2/spaces", tags=["X API v2"], dependencies=[Depends(caller)], route_class=XRoute
)
_OF_POSTS: Final = (p.POST_FIELDS, p.POST_FIELDS_TOO)
_SHOWN: Final = (p.SPACE_FIELDS, p.SPACE_EXPANSIONS, p.USER_FIELDS, p.TOPIC_FIELDS)
_ONE: Final = p.Asked(*_SHOWN)
_SOME: Final = p.Asked(p.IDS, *_SHOWN)
_BY: Final = p.Asked(p.USER_IDS, *_SHOWN)
_SEARCH: Final = p.Asked(p.QUERY, p.STATE, p.MAX_RESULTS, *_SHOWN)
_BUYERS: Final = p.Asked(p.MAX_RESULTS, p.PAGINATION_TOKEN, p.USER_FIELDS, p.USER_EXPANSIONS, *_OF_POSTS)
_POSTS: Final = p.Asked(
    *(p.MAX_RESULTS, *_OF_POSTS, p.POST_EXPANSIONS, p.USER_FIELDS),
    *(p.MEDIA_FIELDS, p.POLL_FIELDS, p.PLACE_FIELDS),
)
_STATES: Final = {
    "all": (State.LIVE, State.SCHEDULED),
    "live": (State.LIVE,),
    "scheduled": (State.SCHEDULED,),
}

SpaceId = Annotated[
    str, Path(pattern=r"^[a-zA-Z0-9]{1,13}$", description="of a Space", examples=["1DXxyRYNejbKM"])
]


@router.get("", responses=x_answers(SomeSpaces), openapi_extra=_SOME.document())
async def find_spaces_by_ids(
    request: Request,
    who: Named,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    accounts: AccountsHere,
    numbers: NumbersHere,
) -> Response:
    """Look Spaces up by their ids; one that is not there is an error beside the others."""
    wanted = _SOME.read(request.query_params)
    found = {space_id: await _known(spaces, visibility, space_id, who) for space_id in wanted["ids"]}
    there = [space for space in found.values() if space is not None]
    data, includes = await Showing(accounts, numbers, wanted).spaces(there, who.name)
    errors = [not_found("space", "ids", space_id) for space_id, space in found.items() if space is None]
    return answer(data, includes=includes, errors=errors, meta=None)


@router.get("/by/creator_ids", responses=x_answers(SomeSpaces), openapi_extra=_BY.document())
async def find_spaces_by_creator_ids(
    request: Request,
    who: Named,
    spaces: SpacesHere,
    discovery: DiscoveryHere,
    accounts: AccountsHere,
    numbers: NumbersHere,
) -> Response:
    """Find the live and scheduled Spaces of some creators."""
    wanted = _BY.read(request.query_params)
    people = await numbers.people(map(int, wanted["user_ids"]))
    creators = set(people.values())
    theirs = [space for space in _public(spaces, "all") if space.host in creators]
    found = await discovery.visible(theirs, who.name, admin=who.admin)
    data, includes = await Showing(accounts, numbers, wanted).spaces(found, who.name)
    strangers = [number for number in wanted["user_ids"] if int(number) not in people]
    errors = [not_found("user", "user_ids", number) for number in strangers]
    return answer(data, includes=includes, errors=errors, meta={"result_count": len(data)})


@router.get("/search", responses=x_answers(SomeSpaces), openapi_extra=_SEARCH.document())
async def search_spaces(
    request: Request, who: Named, discovery: DiscoveryHere, accounts: AccountsHere, numbers: NumbersHere
) -> Response:
    """Find live and scheduled Spaces with all the words of a query, youngest first, as `/spaces/search` does."""
    wanted = _SEARCH.read(request.query_params)
    states = _STATES[wanted["state"][0]]
    matches = await discovery.search(wanted["query"][0], viewer=who.name, states=states)
    found = sorted((match.space for match in matches), key=lambda space: -space.created_at)
    most = int(wanted["max_results"][0])
    data, includes = await Showing(accounts, numbers, wanted).spaces(found[:most], who.name)
    return answer(data, includes=includes, errors=[], meta={"result_count": len(data)})


@router.get("/{id}", responses=x_answers(OneSpace), openapi_extra=_ONE.document())
async def find_space_by_id(
    space_id: Annotated[SpaceId, Path(alias="id")],
    request: Request,
    who: Named,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    accounts: AccountsHere,
    numbers: NumbersHere,
) -> Response:
    """Look a Space up by its id.  X knows no drafts, so they are not found."""
    wanted = _ONE.read(request.query_params)
    space = await _known(spaces, visibility, space_id, who)
    if space is None:
        return answer(None, includes={}, errors=[not_found("space", "id", space_id)], meta=None)
    data, includes = await Showing(accounts, numbers, wanted).spaces([space], who.name)
    return answer(data[0], includes=includes, errors=[], meta=None)


@router.get("/{id}/buyers", responses=x_answers(SomeUsers), openapi_extra=_BUYERS.document())
async def space_buyers(
    space_id: Annotated[SpaceId, Path(alias="id")],
    request: Request,
    who: Named,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    accounts: AccountsHere,
    numbers: NumbersHere,
    office: OfficeHere,
) -> Response:
    """List who holds a ticket, in the order of their ids here; the creator alone may ask."""
    wanted = _BUYERS.read(request.query_params)
    space = await _known(spaces, visibility, space_id, who)
    if space is None:
        return answer(None, includes={}, errors=[not_found("space", "id", space_id)], meta=None)
    if who.name != space.host:
        raise Problem(403, "no-right", "Only the creator of a Space may see who bought a ticket.")
    page = Page(int(wanted["max_results"][0]), next(iter(wanted["pagination_token"]), None))
    found = await office.till.buyers(space_id, p.place_of(page), page.limit)
    shown, following = page.cut(found, [ticket.user_id for ticket in found])
    buyers = await whoever(accounts, [ticket.user_id for ticket in shown])
    data = await Showing(accounts, numbers, wanted).users(buyers)
    meta: dict[str, Any] = {"result_count": len(data)} | ({"next_token": following} if following else {})
    return answer(data, includes={}, errors=[], meta=meta)


@router.get("/{id}/tweets", responses=x_answers(SomePosts), openapi_extra=_POSTS.document())
async def space_tweets(
    space_id: Annotated[SpaceId, Path(alias="id")],
    request: Request,
    who: Named,
    spaces: SpacesHere,
    visibility: VisibilityHere,
    accounts: AccountsHere,
    numbers: NumbersHere,
) -> Response:
    """List the posts that were shared in a Space, newest first; those of elsewhere are errors beside them."""
    wanted = _POSTS.read(request.query_params)
    space = await _known(spaces, visibility, space_id, who)
    if space is None:
        return answer(None, includes={}, errors=[not_found("space", "id", space_id)], meta=None)
    posts: Posts = request.app.state.posts
    shared = list(dict.fromkeys(shown.post_id for shown in reversed(space.notes.shared)))
    found = {post_id: await posts.get(post_id, who.name) for post_id in shared[: int(wanted["max_results"][0])]}
    there = [post for post in found.values() if post is not None]
    data, includes = await Showing(accounts, numbers, wanted).posts(there)
    errors = [not_found("tweet", "id", post_id) for post_id, post in found.items() if post is None]
    return answer(data, includes=includes, errors=errors, meta={"result_count": len(data)})


async def _known(spaces: Spaces, visibility: Visibility, space_id: str, who: Caller) -> Space | None:
    try:
        space = await spaces.get(space_id)
    except Problem:
        return None
    shown = announced(space) and await visibility.view(space, who) >= View.CARD
    return space if shown else None


def _public(spaces: Spaces, state: str) -> Sequence[Space]:
    found: list[Any] = [space for space in spaces.in_memory if space.state in _STATES[state]]
    return sorted(found, key=lambda space: -space.created_at)
