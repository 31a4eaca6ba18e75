"""Users over HTTP: profiles, and suspending one, which ends every session of theirs in the sound."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from media.server.accounts import User
from media.server.auth import Admin, Caller, Named, caller, is_name
from media.server.errors import Problem
from media.server.lookup import Lookup
from media.server.paging import Paged
from media.server.profiles import NewSuspension, NewUser, PageMeta, Suspension, UserChange, UserList, UserOut
from media.server.routes import AccountsHere, GuardHere, Person, SpacesHere, problems
from media.server.schemas import NO_NUL

router: Final = APIRouter(prefix="/users", tags=["Users"], dependencies=[Depends(caller)])


async def _lookup(request: Request) -> Lookup:
    return request.app.state.lookup


LookupHere = Annotated[Lookup, Depends(_lookup)]


async def myself(person: Person, who: Named) -> str:
    """Gate: one's own profile, or an admin.

    :raises Problem: 403, and 404 if nobody can have that id
    """
    if not is_name(person):
        raise Problem(404, "unknown-user", "Nobody can have this id; GET /users lists who there is.")
    if person != who.name and not who.admin:
        raise Problem(403, "not-yours", "Only this person or an admin may do this; use /users/me for yourself.")
    return person


Mine = Annotated[str, Depends(myself)]


@router.post("", status_code=201, responses=problems(403, 409, 422))
async def create_user(
    body: NewUser, who: Named, accounts: AccountsHere, spaces: SpacesHere, response: Response
) -> UserOut:
    """Make one's own profile; an admin makes anybody's."""
    user_id = body.id or who.name
    _may_set(who, user_id, verified=body.verified)
    username = body.username or user_id
    user = User(user_id, username, body.name or username[:50], spaces.clock(), body.protected, body.verified)
    user = replace(user, adult=body.adult)
    await accounts.add(user)
    response.headers["Location"] = f"/users/{user_id}"
    return UserOut.of(user, who)


@router.get("", responses=problems(422))
async def list_users(page: Paged, accounts: AccountsHere) -> UserList:
    """List users in the order of their ids."""
    users = await accounts.page(page.after(), page.limit)
    shown, following = page.cut(users, [user.id for user in users])
    return UserList(
        data=[UserOut.of(user) for user in shown], meta=PageMeta(result_count=len(shown), next_token=following)
    )


@router.get("/search", responses=problems(422))
async def search_users(
    who: Named,
    page: Paged,
    lookup: LookupHere,
    query: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            pattern=NO_NUL,
            description="a handle or a name, or how they begin; all of its words must be found, in any case and "
            "without accents",
            examples=["ana fer"],
        ),
    ],
) -> UserList:
    """Find users by what is typed of their handle or name: whose handle it is, then whom the caller follows.

    The others come by their number of followers, looked for among the first thousand. Left out are people between
    whom and the caller is a block. A protected account is found by its whole handle, and by less only by those
    whom it follows, or who follow it.
    """
    users, following = await lookup.people(query, who.name, page)
    return UserList(
        data=[UserOut.of(user) for user in users], meta=PageMeta(result_count=len(users), next_token=following)
    )


@router.get("/by/username/{username}", responses=problems(404))
async def get_user_by_username(username: str, accounts: AccountsHere) -> UserOut:
    """Show a user by the handle, in upper or lower case."""
    user = await accounts.named(username)
    if user is None:
        raise Problem(404, "unknown-user", "There is no user of this username; GET /users lists who there is.")
    return UserOut.of(user)


@router.get("/{user_id}", responses=problems(404))
async def get_user(person: Person, who: Named, accounts: AccountsHere) -> UserOut:
    """Show a user; `me` is the caller."""
    return UserOut.of(await accounts.known(person), who)


@router.patch("/{user_id}", responses=problems(403, 404, 409, 422))
async def change_user(person: Mine, body: UserChange, who: Named, accounts: AccountsHere) -> UserOut:
    """Change one's own profile; an admin changes anybody's.  Followers stay when an account becomes protected."""
    changes = body.changes()
    _may_set(who, person, verified=changes.get("verified", False))
    await accounts.known(person)
    return UserOut.of(await accounts.change(person, **changes), who)


@router.put("/{user_id}/suspension", tags=["Operation"], responses=problems(403, 404, 422))
async def suspend_user(person: Person, body: NewSuspension, who: Admin, guard: GuardHere) -> Suspension:
    """Suspend an account; admins only.

    Every session of theirs ends at once, in the sound as everywhere, and neither tokens nor offers of theirs are
    taken until it is lifted. Whoever was on a stage has lost the place; a host's
    Space goes on if a co-host is connected, and else ends at once, and what they have scheduled is canceled.
    """
    _check_id(person)
    await guard.suspend(person, who.name, body.reason)
    return Suspension(user_id=person, suspended=True, reason=body.reason)


@router.get("/{user_id}/suspension", tags=["Operation"], responses=problems(403, 404))
async def get_suspension(person: Person, _: Admin, guard: GuardHere) -> Suspension:
    """Tell whether an account is suspended, and why; admins only."""
    _check_id(person)
    reason = guard.reason(person)
    return Suspension(user_id=person, suspended=reason is not None, reason=reason)


@router.delete("/{user_id}/suspension", status_code=204, tags=["Operation"], responses=problems(403, 404))
async def lift_suspension(person: Person, _: Admin, guard: GuardHere) -> None:
    """Let an account in again; admins only."""
    _check_id(person)
    await guard.lift(person)


def _check_id(person: str) -> None:
    if not is_name(person):
        raise Problem(404, "unknown-user", "Nobody can have this id; GET /users lists who there is.")


def _may_set(who: Caller, user_id: str, *, verified: bool) -> None:
    if not who.admin and (user_id != who.name or verified):
        raise Problem(403, "not-admin", "Only an admin may make a profile for somebody else, or verify one.")
