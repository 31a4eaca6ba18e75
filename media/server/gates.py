"""The token that a route asks for, read from its dependencies and checked before its body is read.

A route's dependencies run when its body has been parsed. Who is refused anyway must not cost that much.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import State
from starlette.types import Scope

from media.server.auth import (
    account,
    admin,
    bearer_of,
    caller,
    caller_or_nobody,
    check_admin,
    check_known,
    check_owner,
    check_reviewer,
    check_token,
    owner,
    owner_or_nobody,
    reviewer,
)
from media.server.routes import seen


class Gate(Enum):
    """Who may use a route."""

    OPEN = auto()
    """Everyone."""
    OPTIONAL = auto()
    """Everyone, but a token that is sent must be right."""
    OWNER = auto()
    """Whoever has a token, which may have expired since."""
    OWNER_OR_NOBODY = auto()
    """The same, or nobody."""
    ACCOUNT = auto()
    """Whoever has a token, though their account is suspended."""
    SIGNED_IN = auto()
    """Whoever has a token."""
    REVIEWER = auto()
    """Whoever has a reviewer's token."""
    ADMIN = auto()
    """Whoever has an admin's token."""


_NOBODY_TOO: Final = (Gate.OPTIONAL, Gate.OWNER_OR_NOBODY)


def gate_of(route: APIRoute) -> Gate:
    """Return the gate that the dependencies of a route make."""
    calls = set(_calls(route.dependant))
    if admin in calls and seen not in calls:  # what a Space is to the caller is told before who is no admin
        return Gate.ADMIN
    if reviewer in calls:
        return Gate.REVIEWER
    if caller in calls:
        return Gate.SIGNED_IN
    if account in calls:
        return Gate.ACCOUNT
    if owner_or_nobody in calls:
        return Gate.OWNER_OR_NOBODY
    if owner in calls:
        return Gate.OWNER
    return Gate.OPTIONAL if caller_or_nobody in calls else Gate.OPEN


def admit(gate: Gate, scope: Scope, state: State) -> None:
    """Let a request pass a gate.

    :raises Problem: 401 or 403, as the route's dependencies would
    """
    if gate is Gate.OPEN:
        return
    if gate in _NOBODY_TOO and not any(name == b"authorization" for name, _ in scope["headers"]):
        return
    if gate in (Gate.OWNER, Gate.OWNER_OR_NOBODY):
        check_owner(state, bearer_of(scope))
        return
    if gate is Gate.ACCOUNT:
        check_known(state, bearer_of(scope))
        return
    who = check_token(state, bearer_of(scope))
    if gate is Gate.ADMIN:
        check_admin(who)
    elif gate is Gate.REVIEWER:
        check_reviewer(who)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
