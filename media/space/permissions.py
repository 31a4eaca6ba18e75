"""Who may do what: the permission table of the product, and who outranks whom.

Conditions of the moment (the Space is not live, all seats are taken) are not here: this is about rights.
"""

from enum import StrEnum
from typing import Final

from media.space.errors import NoRightError
from media.space.states import Standing

ANONYMOUS: Final = "~"
"""First letter of the names of anonymous listeners; nobody else's name starts with it."""


class Role(StrEnum):
    """What a person may do follows from this."""

    HOST = "host"
    COHOST = "cohost"
    SPEAKER = "speaker"
    LISTENER = "listener"
    ANONYMOUS = "anonymous"
    ENFORCEMENT = "enforcement"
    """Whoever runs the service; acts by the rules of the house, not as a member of the Space."""


class Action(StrEnum):
    """Rows of the permission table, in its order; the value completes "Only … may …"."""

    END = "end a Space"
    EDIT = "schedule, start, change or cancel a Space"
    TICKETS = "sell tickets"
    RECORD = "record a Space"
    ANONYMOUS_LISTENING = "choose whether people can listen anonymously"
    COHOSTS = "choose co-hosts"

    ADMIT = "approve or deny requests"
    INVITE = "invite people to speak"
    MUTE_OTHERS = "mute other people"
    REVOKE = "take other people off the stage"
    REMOVE = "remove people"
    SPEAK_POLICY = "choose who can speak"

    PIN = "pin posts"
    SHARE_POST = "share posts"
    BE_CAPTIONED = "consent to captions of what they say"
    MUTE_SELF = "mute and unmute themselves"
    RAISE_HAND = "raise a hand"

    ASK = "ask to speak"
    REACT = "react"

    SEE_CAPTIONS = "see captions"
    SHARE_LINK = "share the link"
    REPORT = "report"

    DOWNLOAD_ALL = "download everything of a Space"
    DOWNLOAD_OWN = "download the transcript of what they said"

    # What the table does not name: participants may invite listeners, there are messages, and tools of hosts.
    INVITE_LISTENERS = "invite people to listen"
    MESSAGE = "send messages"
    ENTRY = "choose who comes in"


_ADMINS: Final = frozenset({Role.HOST, Role.COHOST})
_STAGE: Final = _ADMINS | {Role.SPEAKER}
_NAMED: Final = _STAGE | {Role.LISTENER}
_PEOPLE: Final = _NAMED | {Role.ANONYMOUS}
_HOUSE: Final = frozenset({Role.ENFORCEMENT})

ALLOWED: Final[dict[Action, frozenset[Role]]] = {
    Action.END: frozenset({Role.HOST}) | _HOUSE,
    Action.EDIT: frozenset({Role.HOST}),
    Action.TICKETS: frozenset({Role.HOST}),
    Action.RECORD: frozenset({Role.HOST}),
    Action.ANONYMOUS_LISTENING: frozenset({Role.HOST}),
    Action.COHOSTS: frozenset({Role.HOST}),
    Action.ADMIT: _ADMINS,
    Action.INVITE: _ADMINS,
    Action.MUTE_OTHERS: _ADMINS | _HOUSE,
    Action.REVOKE: _ADMINS | _HOUSE,
    Action.REMOVE: _ADMINS | _HOUSE,
    Action.SPEAK_POLICY: _ADMINS,
    Action.PIN: _STAGE,
    Action.SHARE_POST: _STAGE,
    Action.BE_CAPTIONED: _STAGE,
    Action.MUTE_SELF: _STAGE,
    Action.RAISE_HAND: _STAGE,
    Action.ASK: frozenset({Role.LISTENER}),
    Action.REACT: frozenset({Role.SPEAKER, Role.LISTENER}),
    Action.SEE_CAPTIONS: _PEOPLE,
    Action.SHARE_LINK: _PEOPLE,
    Action.REPORT: _PEOPLE,
    Action.DOWNLOAD_ALL: frozenset({Role.HOST}),
    Action.DOWNLOAD_OWN: _STAGE,
    Action.INVITE_LISTENERS: _NAMED,
    Action.MESSAGE: _NAMED,
    Action.ENTRY: _ADMINS,
}

OUT_OF_REACH: Final[dict[Role, frozenset[Standing]]] = {
    Role.COHOST: frozenset({Standing.HOST, Standing.COHOST}),
}
"""Whom a role cannot act upon, even with the right to the action: co-hosts neither the host nor each other."""

_ROLES: Final = {
    Standing.HOST: Role.HOST,
    Standing.COHOST: Role.COHOST,
    Standing.SPEAKER: Role.SPEAKER,
}


def is_anonymous(person: str) -> bool:
    """Whether this is a listener without a name of their own."""
    return person.startswith(ANONYMOUS)


def role_of(standing: Standing) -> Role:
    """Return the role that goes with the standing of somebody who has a name."""
    return _ROLES.get(standing, Role.LISTENER)


def reaches(role: Role, target: Standing) -> bool:
    """Whether a role can act upon people of a standing, if it has the right to the action."""
    return target not in OUT_OF_REACH.get(role, ())


def check(role: Role, action: Action, target: Standing | None = None) -> None:
    """Pass if the role has the right to the action, upon a person of the given standing if there is one.

    :raises NoRightError: it has not
    """
    if role not in ALLOWED[action]:
        holders = [name for r, name in _NAMES.items() if r in ALLOWED[action]]
        listed = " and ".join(filter(None, [", ".join(holders[:-1]), holders[-1]]))
        advice = "; take a name first" if role is Role.ANONYMOUS and Role.LISTENER in ALLOWED[action] else ""
        raise NoRightError(f"Only {listed} may {action}{advice}.")
    if target is not None and not reaches(role, target):
        raise NoRightError("A co-host cannot act upon the host or another co-host; ask the host.")


_NAMES: Final = {
    Role.HOST: "the host",
    Role.COHOST: "co-hosts",
    Role.SPEAKER: "speakers",
    Role.LISTENER: "listeners who have a name",
    Role.ANONYMOUS: "anonymous listeners",
}
