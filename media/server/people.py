"""The people of a Space over HTTP: who asks to speak, who is invited, who is on the stage, who is muted or out.

``me`` stands for the caller wherever a path names a person. An admin of the service acts as enforcement where
the caller's own role in the Space has no right to act.
"""

from typing import Final

from fastapi import APIRouter, Depends, Response

from media.server.auth import Caller, Named
from media.server.database_faults import UnwrittenError
from media.server.errors import Problem
from media.server.host_tools.routes import HostToolsHere
from media.server.paging import Paged
from media.server.room.readers import FromInside
from media.server.routes import (
    SEEN,
    AccountsHere,
    DiscoveryHere,
    GuardHere,
    Person,
    SessionsHere,
    SpacesHere,
    actor,
    participates,
    problems,
)
from media.server.schemas import (
    NewInvitation,
    PersonList,
    PersonOut,
    RequestList,
    RequestOut,
    Stage,
)
from media.space.permissions import Action, check, role_of
from media.space.space import Events, Space
from media.space.states import Standing

router: Final = APIRouter(prefix="/spaces/{space_id}", dependencies=[*SEEN])


async def welcome(space_id: str, who: Named, spaces: SpacesHere, guard: GuardHere) -> None:
    """Gate: whoever the host of the Space has not blocked; asked again, as the block may be of this moment."""
    space = await spaces.get(space_id)
    await guard.know(space.host)
    guard.check_entry(space, who.name)


async def has_ticket(space_id: str, who: Named, spaces: SpacesHere, guard: GuardHere) -> None:
    """Gate: whoever has a ticket, where one needs one; whoever is invited to speak needs none."""
    guard.check_ticket(await spaces.get(space_id), who.name)


@router.post(
    "/requests",
    status_code=201,
    tags=["Asking to speak"],
    responses=problems(402, 403, 404, 409, 429),
    dependencies=[Depends(welcome), Depends(has_ticket)],
)
async def ask(
    space_id: str,
    who: Named,
    spaces: SpacesHere,
    sessions: SessionsHere,
    accounts: AccountsHere,
    response: Response,
) -> RequestOut:
    """Ask to speak.

    `granted` at once if the speak policy says so and a seat is free, else `queued`. Whoever is not connected yet
    has 30 seconds to be. A denied person must wait a minute before asking again (429 with `Retry-After`), and
    when a thousand wait nobody else can (409).
    """
    followed = await accounts.follows((await spaces.get(space_id)).host, who.name)

    def step(space: Space, now: float) -> Events:
        return space.ask(who.name, now, present=sessions.present(space.id, who.name), followed=followed)

    space = await spaces.act(space_id, step)
    response.headers["Location"] = f"/spaces/{space_id}/participants/{who.name}"
    return RequestOut.of(space, who.name, spaces.clock())


@router.get("/requests", tags=["Asking to speak"], responses=problems(402, 403, 404, 422))
async def list_requests(space: FromInside, page: Paged, spaces: SpacesHere) -> RequestList:
    """Show the queue, longest waiting first, how long each has waited, and how long it will still be.

    To whoever is in the Space, waits, speaks or is invited to, and to admins; to nobody from outside. Host and
    co-hosts need not keep to the order.
    """
    now, after = spaces.clock(), page.after_number() or 0
    queue = [(place, p) for place, p in enumerate(space.people.queue, 1) if p.turn > after]
    shown, following = page.cut(queue, [waiting.turn for _, waiting in queue])
    data = [RequestOut.queued(space, waiting, place, now) for place, waiting in shown]
    return RequestList.of(space, data, following)


@router.delete("/requests/me", status_code=204, tags=["Asking to speak"], responses=problems(404, 409))
async def withdraw(space_id: str, who: Named, spaces: SpacesHere) -> None:
    """Take one's own request back."""
    await spaces.act(space_id, lambda s, now: s.withdraw(who.name, now))


@router.post("/requests/{user_id}/approve", tags=["Asking to speak"], responses=problems(403, 404, 409))
async def approve(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> RequestOut:
    """Give a waiting person a seat; host and co-hosts may.  When all are taken (409) the request stays queued."""
    return RequestOut.of(await spaces.act(space_id, lambda s, now: s.approve(who.name, person, now)), person)


@router.post("/requests/{user_id}/deny", tags=["Asking to speak"], responses=problems(403, 404, 409))
async def deny(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> RequestOut:
    """Answer a request with no; host and co-hosts may."""
    return RequestOut.of(await spaces.act(space_id, lambda s, now: s.deny(who.name, person, now)), person)


@router.post("/invitations", status_code=201, tags=["Invitations"], responses=problems(403, 404, 409, 422))
async def invite(
    space_id: str,
    body: NewInvitation,
    who: Named,
    spaces: SpacesHere,
    sessions: SessionsHere,
    discovery: DiscoveryHere,
) -> PersonOut:
    """Offer a person a seat, also before the Space starts: host and co-hosts may, and to co-host only the host.

    Everyone may invite to listen, which takes no answer but to come. Nobody can invite whom they or the host have
    blocked, nor who has blocked them.
    """
    if {who.name, (await spaces.get(space_id)).host} & await discovery.blocks(body.user_id):
        raise Problem(403, "blocked", "There is a block between this person and you or the host; invite others.")

    def step(space: Space, now: float) -> Events:
        participates(space, who, sessions)
        present = sessions.present(space.id, body.user_id)
        return space.invite(who.name, body.user_id, now, role=body.role, via=body.via, present=present)

    space = await spaces.act(space_id, step)
    return PersonOut.of(space.people.look(body.user_id, sessions.present(space_id, body.user_id)))


@router.get("/invitations", tags=["Invitations"], responses=problems(403, 404))
async def list_invitations(space_id: str, who: Named, spaces: SpacesHere) -> PersonList:
    """List the invitations to the stage that are open; host, co-hosts and admins may."""
    space = await spaces.get(space_id)
    if not (who.admin or _admin_of(space, who)):
        check(role_of(space.people.standing(who.name)), Action.INVITE)
    return PersonList(data=[PersonOut.of(p) for p in space.people.with_standing(Standing.INVITED)])


@router.delete("/invitations/{user_id}", status_code=204, tags=["Invitations"], responses=problems(403, 404, 409))
async def uninvite(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> None:
    """Take an invitation back: host and co-hosts may, and those to co-host only the host."""
    await spaces.act(space_id, lambda s, now: s.uninvite(who.name, person, now))


@router.post(
    "/invitations/me/accept",
    tags=["Invitations"],
    responses=problems(403, 404, 409),
    dependencies=[Depends(welcome)],
)
async def accept(space_id: str, who: Named, spaces: SpacesHere) -> PersonOut:
    """Take the seat that was offered; needs a live Space and a free seat."""
    space = await spaces.act(space_id, lambda s, now: s.accept(who.name, now))
    return PersonOut.of(space.people.known(who.name))


@router.post("/invitations/me/decline", status_code=204, tags=["Invitations"], responses=problems(403, 404, 409))
async def decline(space_id: str, who: Named, spaces: SpacesHere) -> None:
    """Turn an invitation down."""
    await spaces.act(space_id, lambda s, now: s.decline(who.name, now))


@router.get("/participants", tags=["Participants"], responses=problems(404))
async def list_participants(space_id: str, spaces: SpacesHere) -> Stage:
    """Show who has the right to speak, and how many listen: the crowd is a number."""
    space = await spaces.get(space_id)
    return Stage.of(space)


@router.get("/participants/{user_id}", tags=["Participants"], responses=problems(403, 404))
async def get_participant(
    space_id: str, person: Person, who: Named, spaces: SpacesHere, sessions: SessionsHere
) -> PersonOut:
    """Show a person: oneself always, people on the stage to everyone, others to host, co-hosts and admins."""
    return _show(await spaces.get(space_id), person, who, sessions.present(space_id, person))


@router.post("/participants/{user_id}/mute", tags=["Participants"], responses=problems(403, 404, 409))
async def mute(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Silence oneself or, as host, co-host or admin, somebody else.

    These are two flags: a person cannot unmute while an admin's mute is set.
    """
    space = await spaces.silence(
        space_id, lambda s, now: s.mute(actor(s, who, Action.MUTE_OTHERS, person), person, now)
    )
    return PersonOut.of(space.people.known(person))


@router.post("/participants/{user_id}/unmute", tags=["Participants"], responses=problems(403, 404, 409))
async def unmute(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Open one's own microphone, or lift an admin's mute: nobody opens the microphone of somebody else."""
    space = await spaces.act(
        space_id, lambda s, now: s.unmute(actor(s, who, Action.MUTE_OTHERS, person), person, now)
    )
    return PersonOut.of(space.people.known(person))


@router.post("/participants/{user_id}/promote", tags=["Participants"], responses=problems(403, 404, 409))
async def promote(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Make a speaker a co-host, which frees a speaker's seat; the host may."""
    space = await spaces.act(space_id, lambda s, now: s.promote(who.name, person, now))
    return PersonOut.of(space.people.known(person))


@router.post("/participants/{user_id}/demote", tags=["Participants"], responses=problems(403, 404, 409))
async def demote(space_id: str, person: Person, who: Named, spaces: SpacesHere) -> PersonOut:
    """Make a co-host a speaker again, which takes a free seat; the host may, and co-hosts themselves."""
    space = await spaces.act(space_id, lambda s, now: s.demote(who.name, person, now))
    return PersonOut.of(space.people.known(person))


@router.post("/participants/{user_id}/step-down", tags=["Participants"], responses=problems(403, 404, 409))
async def step_down(
    space_id: str, person: Person, who: Named, spaces: SpacesHere, sessions: SessionsHere
) -> PersonOut:
    """Leave the stage and go on listening, or take somebody else off it as host, co-host or admin."""
    space = await spaces.silence(
        space_id, lambda s, now: s.step_down(actor(s, who, Action.REVOKE, person), person, now)
    )
    return PersonOut.of(space.people.look(person, sessions.present(space_id, person)))


@router.delete(
    "/participants/{user_id}", status_code=204, tags=["Participants"], responses=problems(403, 404, 409)
)
async def remove(
    space_id: str,
    person: Person,
    who: Named,
    spaces: SpacesHere,
    sessions: SessionsHere,
    tools: HostToolsHere,
) -> None:
    """Leave (oneself), or remove somebody for good as host, co-host or admin.  Their connections end at once.

    Removal is by name: whoever was removed is refused at every address of this Space (403), and cannot come back
    to it by any invitation. Where people listen without a token they can do that, too, unheard, unseen and unable
    to ask, react or write; `removal_ends_anonymous` of the Space ends anonymous listening with the first removal.
    With `carry_removals` in the host's settings they are on the host's block list, too, from then on.
    """
    if person == who.name:
        await spaces.leave(space_id, person)
        return

    def step(space: Space, now: float) -> Events:
        present = sessions.present(space.id, person)
        return space.remove(actor(space, who, Action.REMOVE, person), person, now, present=present)

    space = await spaces.get(space_id)
    by_host = actor(space, who, Action.REMOVE, person) is not None  # what the house does is no wish of the host
    try:
        await spaces.silence(space_id, step)
    except UnwrittenError:
        if by_host:
            await tools.carry(space, person, who.name)
        raise
    if by_host:
        await tools.carry(space, person, who.name)


def _show(space: Space, person: str, who: Caller, present: bool) -> PersonOut:
    participant = space.people.look(person, present)
    if participant.on_stage or person == who.name or who.admin or _admin_of(space, who):
        return PersonOut.of(participant)
    raise Problem(403, "no-right", "Only people on the stage are shown by name; the crowd is a number.")


def _admin_of(space: Space, who: Caller) -> bool:
    return space.people.standing(who.name) in (Standing.HOST, Standing.COHOST)
