"""Discovery over HTTP: bubbles, search, topics, and what a shared link says of itself."""

from functools import partial
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Header, Query, Request

from media.server.addresses import base_of
from media.server.auth import Named, NamedOrNobody, caller
from media.server.discovery.discovery import PUBLIC, Taste
from media.server.discovery.languages import languages
from media.server.discovery.pages import RankedPage
from media.server.discovery.schema import Card, FoundList, TopicList, TopicMeta, TopicOut
from media.server.discovery.topics import TOPICS
from media.server.errors import Problem
from media.server.paging import Page, PageToken
from media.server.routes import AccountsHere, DiscoveryHere, SpacesHere, VisibilityHere, problems
from media.server.spaces import unknown_space
from media.server.tickets.routes import OfficeHere
from media.space.states import State
from media.space.visibility import View, announced

router: Final = APIRouter(tags=["Discovery"], dependencies=[Depends(caller)])
public: Final = APIRouter(tags=["Discovery"])
PROVIDER: Final = "Spaces Lab"

_STATES: Final = {
    "all": PUBLIC,
    "live": (State.LIVE,),
    "scheduled": (State.SCHEDULED,),
    "ended": (State.ENDED,),
}
_FEW: Final = 20
_MOST: Final = 100


async def _languages(
    accept_language: Annotated[
        str, Header(max_length=1_000, description="which languages count for a Space")
    ] = "",
) -> dict[str, float]:
    return languages(accept_language)


Languages = Annotated[dict[str, float], Depends(_languages)]
TopicIds = Annotated[
    list[Annotated[str, Query(max_length=40, pattern=r"^[^\x00]*$")]],
    Query(
        max_length=10, description="ids of topics, as `GET /topics` lists them", examples=[["848920371311001600"]]
    ),
]


async def _ranked(
    max_results: Annotated[int, Query(ge=1, le=_MOST, description="entries to show")] = _FEW,
    pagination_token: PageToken = None,
) -> RankedPage:
    return RankedPage(Page(max_results, pagination_token))


Ranking = Annotated[RankedPage, Depends(_ranked)]


@router.get("/users/me/bubbles", responses=problems(422))
async def my_bubbles(
    who: Named,
    page: Ranking,
    request: Request,
    discovery: DiscoveryHere,
    spaces: SpacesHere,
    read: Languages,
    office: OfficeHere,
    prefer: TopicIds = [],  # noqa: B006 - FastAPI copies it
) -> FoundList:
    """List the live Spaces in which somebody hosts or speaks whom the caller follows: the purple bubbles.

    Each entry says who that is, in which role, and why it stands where it does. `prefer` names topics that the
    caller cares for. Spaces of people who are blocked, or have blocked the caller, are left out.
    """
    page.begin(spaces.clock())
    found = await discovery.bubbles(who.name, Taste(prefer, read, page.at))
    return await page.list(found, base_of(request), partial(office.tags, who.name))


@router.get("/spaces/search", responses=problems(422))
async def search_spaces(
    who: Named,
    page: Ranking,
    request: Request,
    discovery: DiscoveryHere,
    spaces: SpacesHere,
    read: Languages,
    office: OfficeHere,
    query: Annotated[
        str,
        Query(
            max_length=200,
            pattern=r"^[^\x00]*$",
            description="words, all of which must be in the title, the topics or the names of the hosts; "
            "the beginning of a word is enough, and neither case nor accents count. Without it, all are listed",
            examples=["product launch"],
        ),
    ] = "",
    state: Annotated[str, Query(pattern="^(all|live|scheduled|ended)$", description="which to find")] = "all",
    topic: TopicIds = [],  # noqa: B006
    prefer: TopicIds = [],  # noqa: B006
) -> FoundList:
    """Find live and scheduled Spaces, best first, and say of each why it stands where it does.

    As at X, `all` are those; with `ended` the youngest 200 that have taken place are searched instead.

    `topic` leaves out Spaces that have none of these; `prefer` only lifts those that have.
    """
    page.begin(spaces.clock())
    taste = Taste((*prefer, *topic), read, page.at)
    found = await discovery.search(query, viewer=who.name, states=_STATES[state], topics=topic, taste=taste)
    return await page.list(found, base_of(request), partial(office.tags, who.name))


@router.get("/topics", responses=problems())
async def list_topics(discovery: DiscoveryHere) -> TopicList:
    """List topics, with X's ids and names, and how many live Spaces have each."""
    counts = discovery.live_counts()
    data = [
        TopicOut(id=t.id, name=t.name, description=t.description, live_count=counts.get(t.id, 0))
        for t in TOPICS.values()
    ]
    others = sorted((topic for topic in counts if topic not in TOPICS), key=lambda t: (-counts[t], t))[:_MOST]
    data += [TopicOut(id=t, name=t, description="", live_count=counts[t]) for t in others]
    return TopicList(data=data, meta=TopicMeta(result_count=len(data)))


@public.get("/oembed", responses={s: p for s, p in problems(404, 422).items() if s != 401})
async def describe_link(
    request: Request,
    url: Annotated[
        str, Query(max_length=500, description="a link to a Space", examples=["http://spaces/s/1DXxyRYNejbKM"])
    ],
    who: NamedOrNobody,
    spaces: SpacesHere,
    accounts: AccountsHere,
    visibility: VisibilityHere,
    _format: Annotated[Literal["json"], Query(alias="format", description="the only one there is")] = "json",
) -> Card:
    """Describe a shared link to whoever shows it (oEmbed 1.0); needs no token, as the link does not.

    With a token it is described to whoever may know of the Space.
    """
    space_id = _linked(url)
    space = await spaces.get(space_id)
    if await visibility.view(space, who) < View.CARD or not announced(space):
        raise unknown_space()
    host = await accounts.get(space.host)
    name, handle = (host.name, host.username) if host else (space.host, space.host)
    base = base_of(request)
    sentence = {
        State.LIVE: f"{name} is hosting a Space; {_people(space.participant_count)} there now.",
        State.SCHEDULED: f"{name} is going to host a Space.",
        State.CANCELED: f"{name} has called this Space off.",
    }.get(space.state, f"{name} hosted a Space.")
    return Card(
        title=space.title or f"{name}'s Space",
        author_name=name,
        author_url=f"{base}users/by/username/{handle}",
        provider_name=PROVIDER,
        provider_url=base,
        url=f"{base}s/{space.id}",
        description=sentence,
        cache_age=60,
    )


def _linked(url: str) -> str:
    try:
        parts = urlsplit(url).path.split("/")
    except ValueError:
        parts = []
    if parts[-2:-1] != ["s"] or not parts[-1].isalnum() or len(parts[-1]) > 16:
        raise Problem(404, "unknown-space", "This is no link to a Space here; one ends with /s/ and its id.")
    return parts[-1]


def _people(count: int) -> str:
    return "one person is" if count == 1 else f"{count} people are"
