"""Who may do what: the permission table of the product, and who outranks whom.

Conditions of the moment (the Space is not live, all seats are taken) are not here: this is about rights.
"""

from enum import StrEnum
from typing import Final

from media.space.errors import NoRightError
from media.space.states import Standing


class Role(StrEnum):
    """What a person may do follows from this."""

    HOST = "host"
    COHOST = "cohost"
    SPEAKER = "speaker"
    LISTENER = "listener"
    ENFORCEMENT = "enforcement"
    """Whoever runs the service; acts by the rules of the house, not as a member of the Space."""


class Action(StrEnum):
    """Rows of the permission table; the value completes "Only … may …"."""

    EDIT = "schedule, start or cancel a Space"
    END = "end a Space"
    COHOSTS = "choose co-hosts"
    ADMIT = "approve or deny requests"
    INVITE = "invite people to speak"
    SPEAK_POLICY = "choose who can speak"
    MUTE_OTHERS = "mute other people"
    REVOKE = "take other people off the stage"
    REMOVE = "remove people"


_ADMINS: Final = frozenset({Role.HOST, Role.COHOST})
_HOUSE: Final = frozenset({Role.ENFORCEMENT})

ALLOWED: Final[dict[Action, frozenset[Role]]] = {
    Action.EDIT: frozenset({Role.HOST}),
    Action.END: frozenset({Role.HOST}) | _HOUSE,
    Action.COHOSTS: frozenset({Role.HOST}),
    Action.ADMIT: _ADMINS,
    Action.INVITE: _ADMINS,
    Action.SPEAK_POLICY: _ADMINS,
    Action.MUTE_OTHERS: _ADMINS | _HOUSE,
    Action.REVOKE: _ADMINS | _HOUSE,
    Action.REMOVE: _ADMINS | _HOUSE,
}

OUT_OF_REACH: Final[dict[Role, frozenset[Standing]]] = {
    Role.HOST: frozenset(),
    Role.COHOST: frozenset({Standing.HOST, Standing.COHOST}),
    Role.ENFORCEMENT: frozenset(),
}
"""Whom a role cannot act upon, even with the right to the action: co-hosts neither the host nor each other."""

_ROLES: Final = {
    Standing.HOST: Role.HOST,
    Standing.COHOST: Role.COHOST,
    Standing.SPEAKER: Role.SPEAKER,
}


def role_of(standing: Standing) -> Role:
    """Return the role that goes with a standing."""
    return _ROLES.get(standing, Role.LISTENER)


def check(role: Role, action: Action, target: Standing | None = None) -> None:
    """Pass if the role has the right to the action, upon a person of the given standing if there is one.

    :raises NoRightError: it has not
    """
    if role not in ALLOWED[action]:
        holders = " and ".join(sorted({_NAMES[r] for r in ALLOWED[action] if r in _NAMES}, reverse=True))
        raise NoRightError(f"Only {holders} may {action}.")
    if target is not None and target in OUT_OF_REACH[role]:
        raise NoRightError("A co-host cannot act upon the host or another co-host; ask the host.")


_NAMES: Final = {Role.HOST: "the host", Role.COHOST: "co-hosts"}
