"""Posts, the people behind them, and inviting these, over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from media.server.auth import Caller, Named, is_name
from media.server.errors import Problem
from media.server.finding.attendance import Attendance
from media.server.finding.campaigns import Campaigns
from media.server.finding.finding import Finding
from media.server.finding.guests import Guest, Guests
from media.server.finding.posts import Post, Posts, new_id
from media.server.finding.relevance import DAY, HALF_LIFE, REACH
from media.server.finding.schema import (
    LANG,
    TERM,
    CampaignList,
    CampaignOut,
    CampaignReport,
    Feed,
    FeedPost,
    FoundPeople,
    FoundPeopleMeta,
    FoundPerson,
    MyInvitation,
    MyInvitations,
    NewCampaign,
    NewPost,
    OptOut,
    SentCampaign,
)
from media.server.finding.terms import TERM_MAX, TERMS_MAX
from media.server.paging import Page, Paged, PageToken
from media.server.profiles import PageMeta
from media.server.routes import SEEN, SpacesHere, problems

router: Final = APIRouter(dependencies=[*SEEN])
_CAMPAIGNS_MAX: Final = 100
"""Of a page: each is shown with what became of up to 500 guests."""


async def _posts(request: Request) -> Posts:
    return request.app.state.posts


async def _finding(request: Request) -> Finding:
    return request.app.state.finding


async def _campaigns(request: Request) -> Campaigns:
    return request.app.state.campaigns


async def _guests(request: Request) -> Guests:
    return request.app.state.guests


async def _attendance(request: Request) -> Attendance:
    return request.app.state.attendance


PostsHere = Annotated[Posts, Depends(_posts)]
FindingHere = Annotated[Finding, Depends(_finding)]
CampaignsHere = Annotated[Campaigns, Depends(_campaigns)]
GuestsHere = Annotated[Guests, Depends(_guests)]
AttendanceHere = Annotated[Attendance, Depends(_attendance)]


@router.post("/posts", status_code=201, tags=["Posts"], responses=problems(422))
async def create_post(
    body: NewPost, who: Named, posts: PostsHere, spaces: SpacesHere, response: Response
) -> FeedPost:
    """Say something to everyone; to one's followers only, if one's account is protected."""
    now = spaces.clock()
    post = Post(new_id(now), who.name, body.text, body.lang, now)
    await posts.add(post)
    response.headers["Location"] = f"/posts/{post.id}"
    return FeedPost.of(post)


@router.get("/posts", tags=["Posts"], responses=problems(422))
async def list_posts(
    page: Paged,
    who: Named,
    posts: PostsHere,
    author_id: Annotated[
        str | None, Query(max_length=64, pattern=r"^[^\x00]*$", description="only this person's", examples=["ana"])
    ] = None,
) -> Feed:
    """List the posts that the caller may see, those first that came last."""
    found = await posts.page(who.name, author_id, page.after_number(), page.limit)
    shown, following = page.cut(found, [post.number for post in found])
    return Feed(
        data=[FeedPost.of(post) for post in shown],
        meta=PageMeta(result_count=len(shown), next_token=following),
    )


@router.get("/posts/{post_id}", tags=["Posts"], responses=problems(404))
async def get_post(post_id: str, who: Named, posts: PostsHere) -> FeedPost:
    """Show a post."""
    return FeedPost.of(await _post(posts, post_id, who))


@router.delete("/posts/{post_id}", status_code=204, tags=["Posts"], responses=problems(403, 404))
async def delete_post(post_id: str, who: Named, posts: PostsHere) -> None:
    """Take a post of one's own back; an admin takes back anybody's."""
    post = await _post(posts, post_id, who)
    if post.author_id != who.name and not who.admin:
        raise Problem(403, "not-yours", "Only who wrote a post, or an admin, can delete it.")
    await posts.remove(post)


@router.get("/people/search", tags=["Finding people"], responses=problems(422))
async def search_people(
    who: Named,
    finding: FindingHere,
    terms: Annotated[
        list[Annotated[str, Query(min_length=1, max_length=TERM_MAX, pattern=TERM)]],
        Query(
            min_length=1,
            max_length=TERMS_MAX,
            description="words, phrases, `#hashtags`, `@handles`; in any case, as whole words",
            examples=[["#launch", "acme speaker"]],
        ),
    ],
    reach: Annotated[
        float, Query(ge=0, le=1, description="share of the score that followers can make up")
    ] = REACH,
    half_life_days: Annotated[
        float, Query(ge=0.01, le=3_650, description="age in days at which a mention counts half")
    ] = HALF_LIFE / DAY,
    lang: Annotated[
        str | None, Query(max_length=35, pattern=LANG, description="only posts of this language")
    ] = None,
    max_results: Annotated[int, Query(ge=1, le=500)] = 20,
) -> FoundPeople:
    """Find people who mention terms in public posts, best first, with the reasons and some of these posts.

    A term's mentions saturate (the tenth says less than the second) and fade with age; a term that few people
    mention counts more than one that all do. Looked through are the 5,000 newest posts that have a term. Left out
    are people who want no invitations, and people between whom and the caller is a block.
    """
    found, count = await finding.people(
        terms,
        who.name,
        max_results,
        reach=reach,
        half_life=half_life_days * DAY,
        lang=lang and lang.partition("-")[0],
    )
    data = [FoundPerson.of(match) for match in found]
    return FoundPeople(data=data, meta=FoundPeopleMeta(result_count=len(data), found_count=count))


@router.post(
    "/spaces/{space_id}/campaigns",
    status_code=201,
    tags=["Finding people"],
    responses=problems(403, 404, 409, 422, 429),
)
async def send_campaign(
    space_id: str, body: NewCampaign, who: Named, campaigns: CampaignsHere, response: Response
) -> SentCampaign:
    """Invite many at once, by message; host and co-hosts may.

    `people` names them; without it, the best of those who mention `terms` are invited. Each person is invited to a
    Space once, gets at most five such invitations a week, and none after opting out. A sender has a thousand a
    day.
    """
    campaign, guests, passed = await campaigns.send(
        space_id,
        who.name,
        terms=body.terms,
        people=list(dict.fromkeys(body.people)),
        most=body.max_people,
        role=body.role,
        message=body.message,
    )
    response.headers["Location"] = f"/spaces/{space_id}/campaigns/{campaign.id}"
    return SentCampaign.sent(campaign, guests, passed)


@router.get("/spaces/{space_id}/campaigns", tags=["Finding people"], responses=problems(403, 404, 422))
async def list_campaigns(
    space_id: str,
    who: Named,
    spaces: SpacesHere,
    guests: GuestsHere,
    max_results: Annotated[int, Query(ge=1, le=_CAMPAIGNS_MAX)] = _CAMPAIGNS_MAX,
    pagination_token: PageToken = None,
) -> CampaignList:
    """List the campaigns of a Space, newest first, and what became of them; for the host and admins."""
    page = Page(max_results, pagination_token)
    await _check_host(spaces, space_id, who)
    found = await guests.campaigns(space_id, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{campaign.created_at!r} {campaign.id}" for campaign in found])
    by_id: dict[str, list[Guest]] = {campaign.id: [] for campaign in shown}
    for guest in await guests.of_campaigns(by_id):
        by_id[guest.campaign_id].append(guest)
    data = [CampaignOut.of(campaign, by_id[campaign.id]) for campaign in shown]
    return CampaignList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/spaces/{space_id}/campaigns/{campaign_id}", tags=["Finding people"], responses=problems(403, 404))
async def get_campaign(
    space_id: str,
    campaign_id: str,
    who: Named,
    spaces: SpacesHere,
    guests: GuestsHere,
    attendance: AttendanceHere,
) -> CampaignReport:
    """Show who came of those who were invited, who spoke, and how long they stayed; for the host and admins."""
    await _check_host(spaces, space_id, who)
    campaign = await guests.campaign(campaign_id)
    if campaign is None or campaign.space_id != space_id:
        raise Problem(404, "unknown-campaign", "This Space has no campaign of this id.")
    await attendance.write()
    return CampaignReport.report(campaign, await guests.of_campaigns([campaign_id]))


@router.get("/users/me/campaign-invitations", tags=["Finding people"], responses=problems(422))
async def my_campaign_invitations(who: Named, page: Paged, guests: GuestsHere) -> MyInvitations:
    """List the invitations that campaigns have sent to the caller, newest first.

    The host of the Space is shown whether it was opened, and whether and how long the caller was there.
    """
    found = await guests.to(who.name, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{guest.invited_at!r} {guest.campaign_id}" for guest, _ in found])
    data = [MyInvitation.of(*each) for each in shown]
    return MyInvitations(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.post(
    "/users/me/campaign-invitations/{campaign_id}/open",
    status_code=204,
    tags=["Finding people"],
    responses=problems(404),
)
async def open_campaign_invitation(
    campaign_id: str, who: Named, guests: GuestsHere, attendance: AttendanceHere
) -> None:
    """Say that one has read an invitation."""
    guest = await guests.guest(campaign_id, who.name) if is_name(campaign_id) else None
    if guest is None:
        raise Problem(404, "unknown-campaign", "No campaign of this id has invited you.")
    attendance.opened(guest)
    await attendance.write()


@router.get("/users/me/campaign-opt-out", tags=["Finding people"], responses=problems())
async def get_campaign_opt_out(who: Named, guests: GuestsHere) -> OptOut:
    """Tell whether the caller wants no invitations by campaigns."""
    return OptOut(opted_out=await guests.opted_out(who.name))


@router.put("/users/me/campaign-opt-out", tags=["Finding people"], responses=problems())
async def opt_out_of_campaigns(who: Named, guests: GuestsHere, spaces: SpacesHere) -> OptOut:
    """Be neither found nor invited by campaigns any more."""
    await guests.opt(who.name, out=True, at=spaces.clock())
    return OptOut(opted_out=True)


@router.delete("/users/me/campaign-opt-out", tags=["Finding people"], responses=problems())
async def opt_in_to_campaigns(who: Named, guests: GuestsHere, spaces: SpacesHere) -> OptOut:
    """Be found and invited again."""
    await guests.opt(who.name, out=False, at=spaces.clock())
    return OptOut(opted_out=False)


async def _post(posts: Posts, post_id: str, who: Caller) -> Post:
    post = await posts.get(post_id, who.name)
    if post is None:
        raise Problem(404, "unknown-post", "There is no post of this id that you can see.")
    return post


async def _check_host(spaces: SpacesHere, space_id: str, who: Caller) -> None:
    space = await spaces.get(space_id)
    if who.name != space.host and not who.admin:
        raise Problem(403, "not-yours", "Only the host of a Space and admins see its campaigns.")
