"""What the routes share: how refusals are described, who is meant by a path, as whom a caller acts."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request

from media.server.accounts import Accounts
from media.server.admission import Admission
from media.server.auth import ME, Caller, Named
from media.server.discovery.discovery import Discovery
from media.server.guard import Guard
from media.server.schemas import ProblemOut
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.server.visibility import Visibility
from media.space.errors import NoRightError
from media.space.permissions import ALLOWED, Action, Role, role_of
from media.space.space import Space
from media.space.states import Standing
from media.space.visibility import View


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route for the OpenAPI document."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}},
            },
            "model": ProblemOut,
        }
        for status in sorted({401, *statuses})
    }


async def _spaces(request: Request) -> Spaces:
    return request.app.state.spaces


async def _sessions(request: Request) -> Sessions:
    return request.app.state.sessions


async def _admission(request: Request) -> Admission:
    return request.app.state.admission


async def _accounts(request: Request) -> Accounts:
    return request.app.state.accounts


async def _guard(request: Request) -> Guard:
    return request.app.state.guard


async def _visibility(request: Request) -> Visibility:
    return request.app.state.visibility


async def _discovery(request: Request) -> Discovery:
    return request.app.state.discovery


SpacesHere = Annotated[Spaces, Depends(_spaces)]
SessionsHere = Annotated[Sessions, Depends(_sessions)]
AdmissionHere = Annotated[Admission, Depends(_admission)]
AccountsHere = Annotated[Accounts, Depends(_accounts)]
GuardHere = Annotated[Guard, Depends(_guard)]
VisibilityHere = Annotated[Visibility, Depends(_visibility)]
DiscoveryHere = Annotated[Discovery, Depends(_discovery)]


async def seen(request: Request, who: Named) -> None:
    """Gate: if the path names a Space, whoever is shown at least its card.

    :raises Problem: 404, there is no such Space, or none for the caller; 403, its host has blocked the caller
    :raises RemovedError: the caller was removed from it
    """
    space_id = request.path_params.get("space_id")
    if space_id is not None:
        spaces: Spaces = request.app.state.spaces
        visibility: Visibility = request.app.state.visibility
        space = await spaces.get(space_id)
        await visibility.check(space, who, View.CARD, request.path_params.get("code"))


SEEN: Final = (Depends(seen),)
"""The gate of all that is about a Space, and needs a token, too."""

UserPath = Annotated[str, Path(description="a user id, or `me`", examples=["me"])]


async def person_of(user_id: UserPath, who: Named) -> str:
    """Return whom a path means."""
    return who.name if user_id == ME else user_id


Person = Annotated[str, Depends(person_of)]


def participates(space: Space, who: Caller, sessions: Sessions) -> None:
    """Pass if the caller has a part in a Space, or is connected to it: from outside nobody invites to it.

    :raises NoRightError: neither
    """
    known = space.people.standing(who.name) is not Standing.OUTSIDE
    if not (known or sessions.present(space.id, who.name)):
        raise NoRightError("Only people who are in a Space may invite to it; join it first.")


def actor(space: Space, who: Caller, action: Action, person: str | None = None) -> str | None:
    """Return as whom the caller acts: None for enforcement."""
    role = role_of(space.people.standing(who.name))
    if who.admin and who.name != person and role not in ALLOWED[action] and Role.ENFORCEMENT in ALLOWED[action]:
        return None
    return who.name
