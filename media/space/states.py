"""The two state machines of a Space, as tables: every transition that exists stands here.

A **Space** goes through ``draft → scheduled → live → ended``, or is canceled before it starts. Most inputs do not
change that state; they are in its table because they are allowed in it. An input with no cell is refused.

A **person** has a standing in the Space::

    outside ⇄ listener → requested ─┐
                  └────→ invited ───┴→ speaker → cohost          removed (final)

``requested`` and ``invited`` lead to ``speaker`` by approval and by acceptance, and an invitation link leads there
from anywhere but the way out. A speaker *is* approved: whether
the microphone has connected yet, and whether it is muted, are flags of the person and no standings, because every
combination of them occurs. The host is the host from the first moment to the last.

Someone whose standing is ``outside`` or ``listener`` is, as a rule, no object at all but part of a number.

Permissions (who may cause an input) stand in ``permissions.py``; conditions (are seats free, is the cool-down
over) with the inputs, in the files that :mod:`media.space.meeting` lists. What must hold for *every*
person in a state belongs here.
"""

from enum import StrEnum
from typing import Final

from media.space.errors import RemovedError, WrongStateError


class State(StrEnum):
    """Of a Space; the names are those of X API v2, and ``draft`` before any of them."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELED = "canceled"


class Standing(StrEnum):
    """Of a person in a Space."""

    OUTSIDE = "outside"
    LISTENER = "listener"
    REQUESTED = "requested"
    INVITED = "invited"
    SPEAKER = "speaker"
    COHOST = "cohost"
    HOST = "host"
    REMOVED = "removed"


class Input(StrEnum):
    """What can happen to a Space; each is a method of it, or a timer of it."""

    SCHEDULE = "schedule"
    START = "start"
    CANCEL = "cancel"
    END = "end"
    SPEAK_POLICY = "set the speak policy of"
    ENTRY = "choose who comes into"
    ARRIVE = "arrive in"
    DEPART = "depart from"
    EDIT = "change"
    GO_BY = "choose the rules of"
    REMIND = "set a reminder for"
    SELL = "sell tickets for"
    MUTE_ALL = "mute everyone in"
    LIFT_MUTES = "lift the mutes of"
    MAKE_LINK = "make an invitation link to"
    REVOKE_LINK = "revoke an invitation link to"
    PIN = "pin a post in"
    UNPIN = "unpin a post in"
    SHARE = "share a post in"
    SAY = "send a message in"
    REACT = "react in"
    # from here on about one person
    JOIN = "join"
    DROP = "lose the connection to"
    EXPIRE = "time out of"
    LEAVE = "leave"
    ASK = "ask to speak in"
    WITHDRAW = "withdraw a request in"
    APPROVE = "approve a request in"
    DENY = "deny a request in"
    INVITE = "invite to speak in"
    UNINVITE = "take back an invitation to"
    ACCEPT = "accept an invitation in"
    DECLINE = "decline an invitation in"
    FOLLOW_LINK = "come by an invitation link to"
    PROMOTE = "make a co-host in"
    DEMOTE = "make a speaker again in"
    STEP_DOWN = "step down from the stage of"
    MUTE = "mute in"
    UNMUTE = "unmute in"
    RAISE_HAND = "raise a hand in"
    LOWER_HAND = "lower a hand in"
    REMOVE = "remove from"
    RESTORE = "restore in"


_S, _P, _I = State, Standing, Input

_BEFORE: Final = frozenset({_I.SCHEDULE, _I.START, _I.CANCEL, _I.REMIND, _I.SELL, _I.GO_BY})
"""What can happen only before it starts."""

SPACE: Final[dict[tuple[State, Input], State]] = {
    (_S.DRAFT, _I.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _I.SCHEDULE): _S.SCHEDULED,  # another time
    (_S.DRAFT, _I.START): _S.LIVE,
    (_S.SCHEDULED, _I.START): _S.LIVE,
    (_S.DRAFT, _I.CANCEL): _S.CANCELED,
    (_S.SCHEDULED, _I.CANCEL): _S.CANCELED,
    (_S.LIVE, _I.END): _S.ENDED,
    (_S.SCHEDULED, _I.REMIND): _S.SCHEDULED,
    # Before it starts: people can be invited and can decline, and what it will be can be thought over.
    **{
        (s, i): s
        for s in (_S.DRAFT, _S.SCHEDULED)
        for i in (
            *(_I.INVITE, _I.UNINVITE, _I.DECLINE, _I.MAKE_LINK, _I.REVOKE_LINK),
            *(_I.SPEAK_POLICY, _I.ENTRY, _I.EDIT, _I.PIN, _I.UNPIN, _I.SELL, _I.GO_BY),
        )
    },
    # While it is live: everything but starting it again.
    **{(_S.LIVE, i): _S.LIVE for i in Input if i not in _BEFORE | {_I.END}},
}

PERSON: Final[dict[tuple[Standing, Input], Standing]] = {
    # Connections come and go without changing what a person is, except at the edge of the crowd.
    (_P.OUTSIDE, _I.JOIN): _P.LISTENER,
    **{(p, _I.JOIN): p for p in Standing if p not in (_P.OUTSIDE, _P.REMOVED)},
    (_P.LISTENER, _I.DROP): _P.OUTSIDE,
    **{(p, _I.DROP): p for p in Standing if p is not _P.LISTENER},
    # Only the time that a role waits for its connection can run out.
    **{(p, _I.EXPIRE): _P.OUTSIDE for p in (_P.REQUESTED, _P.SPEAKER, _P.COHOST)},
    **{(p, _I.LEAVE): _P.OUTSIDE for p in (_P.LISTENER, _P.REQUESTED, _P.INVITED, _P.SPEAKER, _P.COHOST)},
    # The ways to the stage and back.
    (_P.OUTSIDE, _I.ASK): _P.REQUESTED,
    (_P.LISTENER, _I.ASK): _P.REQUESTED,
    (_P.REQUESTED, _I.WITHDRAW): _P.LISTENER,
    (_P.REQUESTED, _I.DENY): _P.LISTENER,
    (_P.REQUESTED, _I.APPROVE): _P.SPEAKER,
    (_P.OUTSIDE, _I.INVITE): _P.INVITED,
    (_P.LISTENER, _I.INVITE): _P.INVITED,
    (_P.INVITED, _I.ACCEPT): _P.SPEAKER,
    (_P.INVITED, _I.DECLINE): _P.LISTENER,
    (_P.INVITED, _I.UNINVITE): _P.LISTENER,
    **{(p, _I.FOLLOW_LINK): _P.SPEAKER for p in (_P.OUTSIDE, _P.LISTENER, _P.REQUESTED, _P.INVITED)},
    (_P.SPEAKER, _I.PROMOTE): _P.COHOST,
    (_P.COHOST, _I.DEMOTE): _P.SPEAKER,
    (_P.SPEAKER, _I.STEP_DOWN): _P.LISTENER,
    (_P.COHOST, _I.STEP_DOWN): _P.LISTENER,
    **{
        (p, i): p
        for p in (_P.SPEAKER, _P.COHOST, _P.HOST)
        for i in (_I.MUTE, _I.UNMUTE, _I.RAISE_HAND, _I.LOWER_HAND)
    },
    # The way out.
    **{(p, _I.REMOVE): _P.REMOVED for p in Standing if p not in (_P.HOST, _P.REMOVED)},
    # What the house takes back that it had decided.
    (_P.REMOVED, _I.RESTORE): _P.OUTSIDE,
    (_P.LISTENER, _I.RESTORE): _P.SPEAKER,
}

ON_STAGE: Final = frozenset({_P.HOST, _P.COHOST, _P.SPEAKER})
"""The standings that have the right to speak."""

PERSONAL: Final = frozenset(i for i in Input if any(key[1] is i for key in PERSON))
"""The inputs that are about one person."""


def next_state(state: State, happening: Input) -> State:
    """Look a transition of a Space up.

    :raises WrongStateError: the table has no such cell
    """
    try:
        return SPACE[state, happening]
    except KeyError:
        raise WrongStateError(f"Nobody can {happening} a Space that is {state}.") from None


def next_standing(standing: Standing, happening: Input, person: str) -> Standing:
    """Look a transition of a person up.

    :raises RemovedError: the person was removed, which only the house takes back
    :raises WrongStateError: the table has no such cell
    """
    try:
        return PERSON[standing, happening]
    except KeyError:
        pass
    if standing is Standing.REMOVED:
        raise RemovedError(f"{person} was removed from this Space and cannot come back to it.")
    if standing is Standing.HOST and happening in (Input.LEAVE, Input.STEP_DOWN, Input.REMOVE):
        raise WrongStateError("The host cannot leave or be removed; end the Space instead.")
    raise WrongStateError(f"{person} is {_AS[standing]}, and so cannot {_DOING.get(happening, happening)} it.")


_AS: Final = {
    _P.OUTSIDE: "not in this Space",
    _P.LISTENER: "a listener in this Space",
    _P.REQUESTED: "waiting to speak in this Space",
    _P.INVITED: "invited to speak in this Space",
    _P.SPEAKER: "a speaker in this Space",
    _P.COHOST: "a co-host of this Space",
    _P.HOST: "the host of this Space",
}
_DOING: Final = {
    _I.APPROVE: "be approved in",
    _I.DENY: "be denied in",
    _I.INVITE: "be invited to",
    _I.UNINVITE: "have an invitation taken back to",
    _I.PROMOTE: "be made a co-host of",
    _I.DEMOTE: "be made a speaker again of",
    _I.MUTE: "be muted in",
    _I.UNMUTE: "be unmuted in",
    _I.RESTORE: "be restored in",
}
