"""Who is shown what of a Space, asked by every route: the rule, with what the server knows of callers.

The rule itself is :mod:`media.space.visibility`. What it leaves open comes from here: whom a host has blocked, who
is connected, who holds a ticket or an invitation link; and, where the rule says no, the refusal.
"""

from collections.abc import Iterable
from dataclasses import replace

from media.server.auth import Caller, no_token
from media.server.errors import Problem
from media.server.guard import Guard, blocked
from media.server.host_tools.entry import EntryGate
from media.server.sessions import Sessions
from media.server.spaces import unknown_space
from media.space.errors import NoRightError, UnknownLinkError
from media.space.space import Space
from media.space.states import Input, Standing, next_standing
from media.space.visibility import View, Viewer, hears_replay, kept_out, view_of


class Visibility:
    """Asked by the gates of the routes, by lists, and by whatever tells people of Spaces unasked."""

    def __init__(self, guard: Guard, sessions: Sessions, entry: EntryGate) -> None:
        self._guard = guard
        self._sessions = sessions
        self._entry = entry

    async def view(self, space: Space, who: Caller | None, code: str | None = None) -> View:
        """Return how much of a Space a caller is shown.

        :param code: of an invitation link that the caller has
        """
        return view_of(space, await self._viewer(space, who, code))

    async def _viewer(self, space: Space, who: Caller | None, code: str | None) -> Viewer:
        if who is None:
            return Viewer(None, linked=_is_good(space, code))
        return Viewer(
            who.name,
            admin=who.admin,
            blocked=await self._guard.hides(space, who.name),
            present=self._entry.is_inside(space, who.name),
            followed=_has_seat(space, code) or await self._entry.is_followed(space, who.name),
            linked=_is_good(space, code),
            ticket=self._has_ticket(space, who.name),
        )

    async def shown(self, spaces: Iterable[Space], person: str) -> list[Space]:
        """Leave out the Spaces that a person is not even shown the card of."""
        who = Caller(person)
        return [space for space in spaces if await self.view(space, who) >= View.CARD]

    async def prepare(self, space: Space) -> None:
        """Have in memory whom the host of a Space has blocked, before many people are asked about."""
        await self._guard.know(space.host)

    async def check(self, space: Space, who: Caller | None, least: View, code: str | None = None) -> None:
        """Pass if a caller is shown at least so much.

        :raises Problem: 404, as if there were no such Space; 403, its host has blocked the caller; 401, it takes a
            token; 402, it takes a ticket
        :raises RemovedError: the caller was removed from it
        :raises NoRightError: the caller is not in it
        :raises NoEntryError: the rules of entry keep the caller out
        """
        viewer = await self._viewer(space, who, code)
        view = view_of(space, viewer)
        if view >= least:
            return
        if view is View.NOTHING:
            raise unknown_space()
        if view is View.CARD and kept_out(space, viewer):
            space.check_newcomer(viewer.person, present=viewer.present, followed=viewer.followed)
        if who is None:
            self._guard.check_ticket(space, None)
            raise no_token()
        if view is View.REASON:
            if await self._guard.hides(space, who.name):  # which removes from a live Space, and says more
                raise blocked()
            next_standing(Standing.REMOVED, Input.JOIN, who.name)
        self._guard.check_ticket(space, who.name)
        if least is View.HOST:
            raise NoRightError("Only the host and co-hosts of a Space see this.")
        raise NoRightError("Only people who are in this Space see this; join it first.")

    async def hears(self, space: Space, who: Caller | None) -> bool:
        """Whether a caller may hear a Space again when it is over."""
        viewer = await self._viewer(space, who, None)
        followed = await self._entry.was_followed(space, viewer.person)
        return hears_replay(space, replace(viewer, followed=followed))

    async def check_replay(self, space: Space, who: Caller | None) -> None:
        """Pass if a caller may hear a Space again when it is over.

        :raises Problem: as of :meth:`check`; 401, it takes a token
        :raises NoRightError: only people came in whom the host follows, and the caller was not among them
        """
        if who is None:
            if not await self.hears(space, None):
                raise no_token()
            return
        await self.check(space, who, View.SOUND)
        if not await self.hears(space, who):
            raise NoRightError(
                "Only people whom its host follows, and who spoke in it, hear the replay of this Space."
            )

    def _has_ticket(self, space: Space, person: str) -> bool:
        try:
            self._guard.check_ticket(space, person)
        except Problem:
            return False
        return True


def _has_seat(space: Space, code: str | None) -> bool:
    """Whether a link to a Space leads to the stage: whoever holds it is invited to speak."""
    return code is not None and _is_good(space, code) and space.links.known(code).role != "listener"


def _is_good(space: Space, code: str | None) -> bool:
    """Whether a link to a Space is good."""
    if not code:
        return False
    try:
        space.links.known(code)
    except UnknownLinkError:
        return False
    return True
