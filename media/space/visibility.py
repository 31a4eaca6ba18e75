"""Who is shown what of a Space: one rule, which every route, list and stream of the server goes by.

Five steps, each of which contains those before it. A Space that has never been announced, a draft or one that was
called off as a draft, does not exist but for its host, whom they invited to it, and whoever runs the service.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from media.space.errors import NoEntryError
from media.space.policy import EntryPolicy
from media.space.space import Space
from media.space.states import Standing, State
from media.space.tickets import needs_ticket


class View(IntEnum):
    """How much somebody is shown."""

    NOTHING = 0
    """As if there were no such Space."""
    REASON = 1
    """Why they may not be here, and nothing of the Space."""
    CARD = 2
    """What lists and links show of it: title, times, who is on the stage or invited to it, counts, tickets."""
    SOUND = 3
    """What whoever may listen is shown: events, messages, pinned and shared posts."""
    INSIDE = 4
    """What those see who are in it or have a part in it: beside that, who waits to speak."""
    HOST = 5
    """Everything, for host and co-hosts and whoever runs the service; single actions have rights of their own."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the rule needs to know of somebody, beside what the Space knows."""

    person: str | None
    """None for somebody without a name."""
    admin: bool = False
    """Whether they run the service."""
    blocked: bool = False
    """Whether the host has blocked them."""
    present: bool = False
    """Whether they are connected to its sound, or were a moment ago."""
    followed: bool = False
    """Whether the host follows them."""
    linked: bool = False
    """Whether they hold an invitation link to it that is good."""
    ticket: bool = False
    """Whether they hold a ticket to it."""


NOBODY: Final = Viewer(None)
_HOSTS: Final = (Standing.HOST, Standing.COHOST)
_PART: Final = (Standing.REQUESTED, Standing.INVITED, Standing.SPEAKER, Standing.LISTENER)
_OPEN: Final = (State.SCHEDULED, State.LIVE)


def announced(space: Space) -> bool:
    """Whether a Space has ever been more than a draft; what was announced once stays so."""
    return space.scheduled_start is not None or space.started_at is not None


def takes_anonymous(space: Space | None) -> bool:
    """Whether a Space answers people without a name otherwise than as one that does not exist."""
    return space is not None and space.anonymous_listening and announced(space)


def kept_out(space: Space, viewer: Viewer) -> bool:
    """Whether the rules of entry keep somebody out of a live Space, who is not in it."""
    if space.state is not State.LIVE or (viewer.person is None and space.entry_policy is EntryPolicy.EVERYONE):
        return False  # nobody can tell whether somebody without a name is in it
    try:
        space.check_newcomer(viewer.person, present=viewer.present, followed=viewer.followed)
    except NoEntryError:
        return True
    return False


def hears_replay(space: Space, viewer: Viewer) -> bool:
    """Whether somebody who is shown a Space may hear it again when it is over.

    Whoever may listen to it may: without a name where people could listen without one, with a ticket where it took
    one. Where only people came in whom the host follows, only they do, and whoever spoke.
    """
    if view_of(space, viewer) >= View.INSIDE:
        return True
    if viewer.person is None:
        return (
            takes_anonymous(space) and space.entry_policy is EntryPolicy.EVERYONE and not needs_ticket(space, None)
        )
    if view_of(space, viewer) < View.SOUND:
        return False
    came_in = space.entry_policy is EntryPolicy.EVERYONE or viewer.person in space.spoke
    return came_in or viewer.followed


def view_of(space: Space, viewer: Viewer) -> View:
    """Return how much of a Space somebody is shown."""
    standing = Standing.OUTSIDE if viewer.person is None else space.people.standing(viewer.person)
    if viewer.admin or standing in _HOSTS:
        return View.HOST
    shut_out = viewer.blocked or standing is Standing.REMOVED
    if not announced(space):
        return View.INSIDE if (standing is Standing.INVITED or viewer.linked) and not shut_out else View.NOTHING
    if shut_out:
        return View.REASON
    if kept_out(space, viewer):
        return View.CARD
    if viewer.person is None:
        listens = space.anonymous_listening and space.state in _OPEN and not needs_ticket(space, None)
        return View.SOUND if listens else View.CARD
    if needs_ticket(space, viewer.person) and not viewer.ticket:
        return View.CARD
    return View.INSIDE if viewer.present or standing in _PART else View.SOUND
