"""The life of a Space over HTTP: make it, find it, start it, end it."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from media.server.accounts import Accounts
from media.server.auth import Named
from media.server.host_tools.routes import HostToolsHere
from media.server.host_tools.shapes import ENTRY_FIELDS
from media.server.paging import PagedSpaces
from media.server.policies import chosen
from media.server.routes import SEEN, AccountsHere, DiscoveryHere, SpacesHere, actor, problems
from media.server.schemas import NewSpace, NewTime, SpaceChange, SpaceList, SpaceListMeta, SpaceOut
from media.server.tickets.routes import OfficeHere
from media.space.errors import NotEligibleError
from media.space.permissions import Action
from media.space.space import Events, Space
from media.space.states import State
from media.space.tickets import Offer

router: Final = APIRouter(prefix="/spaces", tags=["Spaces"], dependencies=[*SEEN])


@router.post("", status_code=201, responses=problems(403, 409, 422))
async def create_space(
    body: NewSpace,
    who: Named,
    spaces: SpacesHere,
    accounts: AccountsHere,
    office: OfficeHere,
    tools: HostToolsHere,
    request: Request,
    response: Response,
) -> SpaceOut:
    """Make a Space with the caller as its host.

    It is a draft, or scheduled if a time is given; `POST /spaces/{id}/start` makes it live. Protected accounts
    cannot host, and the policy may ask for a number of followers, except of admins. With `tickets` these are on
    sale at once, if the caller may sell any.
    """
    followers = await _followers(accounts, who.name)
    rules = chosen(body.policy, who, request.app.state.policies)
    entry = await tools.rules_for_new(who.name) | body.entry()
    sale = None
    if body.tickets is not None:
        office.payments  # noqa: B018 - refuses where there is none
        offer = Offer(body.tickets.price_cents, body.tickets.quantity)
        sale = offer, await office.seller(who.name, rules.get("policy", spaces.policy))
    space = await spaces.create(
        who.name,
        scheduled_start=body.scheduled_start and body.scheduled_start.timestamp(),
        followers=None if who.admin else followers,
        title=body.title,
        lang=body.lang,
        topic_ids=body.topic_ids,
        speak_policy=body.speak_policy,
        anonymous_listening=body.anonymous_listening,
        removal_ends_anonymous=body.removal_ends_anonymous,
        is_available_for_replay=body.is_available_for_replay,
        sale=sale,
        beside=sale and office.on_sale(sale[0]),
        entry=entry,
        **rules,
    )
    response.headers["Location"] = f"/spaces/{space.id}"
    return SpaceOut.of(space)


@router.get("", responses=problems(422))
async def list_spaces(
    who: Named,
    page: PagedSpaces,
    spaces: SpacesHere,
    discovery: DiscoveryHere,
    state: Annotated[list[State] | None, Query(description="only Spaces of these states")] = None,
) -> SpaceList:
    """List Spaces, youngest first: those live and scheduled, unless other states are asked for.

    Drafts, also those that were called off, are shown to their hosts and to admins. Spaces of people who are
    blocked, or have blocked the caller, are left out, and those that the caller was removed from.
    """
    states = state or [State.LIVE, State.SCHEDULED]
    found = await spaces.find(
        states, page.limit, after=page.after_time(), drafts_of=None if who.admin else who.name
    )
    shown, following = page.cut(found, [f"{space.created_at!r} {space.id}" for space in found])
    data = [SpaceOut.of(space) for space in await discovery.visible(shown, who.name, admin=who.admin)]
    return SpaceList(data=data, meta=SpaceListMeta(result_count=len(data), next_token=following))


@router.get("/{space_id}", responses=problems(403, 404))
async def get_space(space_id: str, spaces: SpacesHere) -> SpaceOut:
    """Show a Space, live or over.

    A draft, and what was called off as one, does not exist (404) but for its host, whom they invited and admins.
    Whom its host has blocked, or who was removed from it, is told so (403), here and at all its addresses, and is
    shown nothing of it. Whoever has blocked the host finds it in no list, and is shown it here.
    """
    return SpaceOut.of(await spaces.get(space_id))


@router.patch("/{space_id}", responses=problems(403, 404, 409, 422))
async def change_space(
    space_id: str, body: SpaceChange, who: Named, spaces: SpacesHere, accounts: AccountsHere
) -> SpaceOut:
    """Change a Space, also while it is live: the host may, and co-hosts who speaks unasked and who comes in.

    Another time goes by the rules of `POST /spaces/{id}/schedule`. If one thing cannot be changed, nothing is.
    """
    if body.scheduled_start is not None:
        await _followers(accounts, who.name)

    def step(space: Space, now: float) -> Events:
        attributes = body.model_dump(exclude={"speak_policy", "scheduled_start", *ENTRY_FIELDS}, exclude_none=True)
        if body.scheduled_start is not None:
            attributes["scheduled_start"] = body.scheduled_start.timestamp()
            attributes["others"] = spaces.scheduled(space)
        events = space.edit(who.name, now, **attributes) if attributes else []
        if body.speak_policy is not None:  # whoever may edit may choose this, too
            events += space.set_speak_policy(who.name, body.speak_policy, now)
        if entry := body.entry():
            events += space.set_entry(who.name, now, **entry)
        return events

    return SpaceOut.of(await spaces.act(space_id, step))


@router.post("/{space_id}/start", responses=problems(403, 404, 409))
async def start_space(space_id: str, who: Named, spaces: SpacesHere, accounts: AccountsHere) -> SpaceOut:
    """Go live; only the host can.  The host is the only speaker then, and muted.

    The Space ends by itself when neither host nor co-host has been connected for five minutes, and when nobody
    at all has for two.
    """
    await _followers(accounts, who.name)
    return SpaceOut.of(await spaces.act(space_id, lambda s, now: s.start(who.name, now)))


@router.post("/{space_id}/schedule", responses=problems(403, 404, 409, 422))
async def schedule_space(
    space_id: str, body: NewTime, who: Named, spaces: SpacesHere, accounts: AccountsHere
) -> SpaceOut:
    """Give a Space a time to start, or another one; only its host can, and not if tickets for it are on sale.

    A scheduled Space that is not started within an hour of its time is canceled by itself.
    """
    await _followers(accounts, who.name)
    return SpaceOut.of(await spaces.schedule(space_id, who.name, body.scheduled_start.timestamp()))


@router.post("/{space_id}/cancel", responses=problems(403, 404, 409))
async def cancel_space(space_id: str, who: Named, spaces: SpacesHere) -> SpaceOut:
    """Call a Space off before it started: its host can, and an admin of the service.

    Whoever set a reminder is told, and tickets are refunded.
    """
    return SpaceOut.of(await spaces.act(space_id, lambda s, now: s.cancel(actor(s, who, Action.END), now)))


@router.post("/{space_id}/end", responses=problems(403, 404, 409))
async def end_space(space_id: str, who: Named, spaces: SpacesHere) -> SpaceOut:
    """End a Space for everyone: its host can, and an admin of the service."""
    return SpaceOut.of(await spaces.silence(space_id, lambda s, now: s.end(actor(s, who, Action.END), now)))


async def _followers(accounts: Accounts, person: str) -> int:
    """Count the followers of somebody who is to host; whoever has no profile has none.

    :raises NotEligibleError: the account is protected
    """
    user = await accounts.get(person)
    if user is not None and user.protected:
        raise NotEligibleError("Protected accounts cannot host; make yours public with PATCH /users/me first.")
    return user.followers_count if user is not None else 0
