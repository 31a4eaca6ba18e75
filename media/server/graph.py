"""Who follows and blocks whom, over HTTP, with the paths and fields of X API v2.

A protected account is asked first, and shows its followers to nobody but them.
"""

from typing import Final

from fastapi import APIRouter, Depends

from media.server.accounts import Accounts, Relation, User
from media.server.auth import Caller, Named, caller, is_name
from media.server.errors import Problem
from media.server.paging import Page, Paged
from media.server.profiles import Blocking, Following, PageMeta, Target, UserList, UserOut
from media.server.routes import AccountsHere, GuardHere, Person, problems
from media.server.users import Mine

router: Final = APIRouter(prefix="/users/{user_id}", dependencies=[Depends(caller)])


@router.post("/following", tags=["Following"], responses=problems(403, 404, 409, 422))
async def follow(person: Mine, body: Target, accounts: AccountsHere) -> Following:
    """Follow somebody; a protected account is asked, and `pending_follow` until it answers."""
    target = await accounts.known(body.target_user_id)
    await accounts.known(person)
    if person == target.id:
        raise Problem(409, "yourself", "Nobody can follow themselves; name somebody else.")
    for one, other in ((person, target.id), (target.id, person)):
        if await accounts.related(Relation.BLOCK, one, other):
            raise Problem(
                403, "blocked", "One of you has blocked the other, who cannot be followed until unblocked."
            )
    if await accounts.related(Relation.FOLLOW, person, target.id):
        return Following(following=True, pending_follow=False)
    await accounts.relate(Relation.ASK if target.protected else Relation.FOLLOW, person, target.id)
    return Following(following=not target.protected, pending_follow=target.protected)


@router.delete("/following/{target_user_id}", tags=["Following"], responses=problems(403, 404))
async def unfollow(person: Mine, target_user_id: str, accounts: AccountsHere) -> Following:
    """Follow somebody no more, or ask no more to."""
    for kind in (Relation.FOLLOW, Relation.ASK):
        await accounts.part(kind, *_ids(person, target_user_id))
    return Following(following=False, pending_follow=False)


@router.get("/following", tags=["Following"], responses=problems(403, 404, 422))
async def list_following(person: Person, page: Paged, who: Named, accounts: AccountsHere) -> UserList:
    """List whom a user follows, newest first."""
    await _check_visible(accounts, person, who)
    return _list(page, await accounts.targets(Relation.FOLLOW, person, page.after_number(), page.limit))


@router.get("/followers", tags=["Following"], responses=problems(403, 404, 422))
async def list_followers(person: Person, page: Paged, who: Named, accounts: AccountsHere) -> UserList:
    """List who follows a user, newest first."""
    await _check_visible(accounts, person, who)
    return _list(page, await accounts.sources(Relation.FOLLOW, person, page.after_number(), page.limit))


@router.get("/follow-requests", tags=["Following"], responses=problems(403, 404, 422))
async def list_follow_requests(person: Mine, page: Paged, accounts: AccountsHere) -> UserList:
    """List who asks to follow a protected account of one's own, newest first."""
    return _list(page, await accounts.sources(Relation.ASK, person, page.after_number(), page.limit))


@router.post("/follow-requests/{source_user_id}/accept", tags=["Following"], responses=problems(403, 404))
async def accept_follower(person: Mine, source_user_id: str, accounts: AccountsHere) -> Following:
    """Let somebody follow who asked to."""
    if not await accounts.related(Relation.ASK, *_ids(source_user_id, person)):
        raise Problem(
            404, "no-follow-request", "This person does not ask to follow; see follow-requests for who does."
        )
    await accounts.relate(Relation.FOLLOW, source_user_id, person)
    return Following(following=True, pending_follow=False)


@router.delete(
    "/follow-requests/{source_user_id}", status_code=204, tags=["Following"], responses=problems(403, 404)
)
async def decline_follower(person: Mine, source_user_id: str, accounts: AccountsHere) -> None:
    """Do not let somebody follow who asked to."""
    await accounts.part(Relation.ASK, *_ids(source_user_id, person))


@router.post("/blocking", tags=["Blocking"], responses=problems(403, 404, 409, 422))
async def block(person: Mine, body: Target, guard: GuardHere) -> Blocking:
    """Block somebody: neither follows the other, and they are out of all Spaces that this person hosts."""
    if person == body.target_user_id:
        raise Problem(409, "yourself", "Nobody can block themselves; name somebody else.")
    await guard.block(*_ids(person, body.target_user_id))
    return Blocking(blocking=True)


@router.delete("/blocking/{target_user_id}", tags=["Blocking"], responses=problems(403, 404))
async def unblock(person: Mine, target_user_id: str, guard: GuardHere) -> Blocking:
    """Block somebody no more.  From a Space that they were removed from they stay removed."""
    await guard.unblock(*_ids(person, target_user_id))
    return Blocking(blocking=False)


@router.get("/blocking", tags=["Blocking"], responses=problems(403, 404, 422))
async def list_blocking(person: Mine, page: Paged, accounts: AccountsHere) -> UserList:
    """List whom one blocks, newest first."""
    return _list(page, await accounts.targets(Relation.BLOCK, person, page.after_number(), page.limit))


async def _check_visible(accounts: Accounts, person: str, who: Caller) -> None:
    user = await accounts.known(person)
    if not user.protected or who.admin or who.name == person:
        return
    if not await accounts.related(Relation.FOLLOW, who.name, person):
        raise Problem(403, "protected", "This account is protected; follow it to see its lists.")


def _list(page: Page, entries: list[tuple[int, User]]) -> UserList:
    shown, following = page.cut(entries, [number for number, _ in entries])
    data = [UserOut.of(user) for _, user in shown]
    return UserList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


def _ids(one: str, other: str) -> tuple[str, str]:
    """Return the two ids of a path, if people can have them.

    :raises Problem: 404
    """
    if not (is_name(one) and is_name(other)):
        raise Problem(404, "unknown-user", "Nobody can have this id; GET /users lists who there is.")
    return one, other
