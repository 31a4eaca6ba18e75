"""The rules of entry in the way of media: who is a newcomer, whom the host follows, whose turn it is.

The rules themselves are :mod:`media.space.entry`. What they leave open comes from here: the Space knows listeners
as a number, and only this server knows who of them is connected, or was a moment ago.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from media.server.accounts import Accounts
from media.server.sessions import Sessions
from media.space.permissions import ANONYMOUS
from media.space.policy import EntryPolicy
from media.space.space import Space
from media.space.states import State

LOST_KEPT: Final = 100_000
"""Lost listeners who are remembered, of all Spaces: more than one relay can lose at once."""


class EntryGate:
    """Asked by admission and visibility."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        clock: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        """Take the clock of the Spaces in Unix seconds, and one in seconds that is never set."""
        self._accounts = accounts
        self._sessions = sessions
        self._clock = clock
        self._steady = steady
        self._lost: OrderedDict[tuple[str, str], float] = OrderedDict()
        """Who lost the connection to which Space, and when."""

    def note_lost(self, space_id: str, person: str) -> None:
        """Remember that somebody lost the connection: they are no newcomers when they are back in time."""
        self._lost[space_id, person] = self._steady()
        self._lost.move_to_end((space_id, person))
        if len(self._lost) > LOST_KEPT:
            self._lost.popitem(last=False)

    def is_inside(self, space: Space, person: str) -> bool:
        """Whether somebody is connected to a Space, or was within the grace time that a lost role has."""
        if self._sessions.present(space.id, person):
            return True
        lost = self._lost.get((space.id, person))
        return lost is not None and self._steady() <= lost + space.policy.grace

    async def is_followed(self, space: Space, person: str | None) -> bool:
        """Whether the host follows somebody; not asked where nothing depends on it.

        :raises StoreUnavailableError: it depends on it, and nobody knows
        """
        return space.state is State.LIVE and await self.was_followed(space, person)

    async def was_followed(self, space: Space, person: str | None) -> bool:
        """Whether the host follows somebody, also of a Space that is over; not asked where nothing depends on it.

        :raises StoreUnavailableError: it depends on it, and nobody knows
        """
        if person is None or space.entry_policy is EntryPolicy.EVERYONE:
            return False
        return await self._accounts.follows(space.host, person)

    async def admit(self, space: Space, person: str | None, network: str) -> Callable[[], None]:
        """Let somebody in, a newcomer in their turn; None for an anonymous listener.

        Return a check that is to pass again when the offer is answered, as the host may have locked meanwhile.

        :param network: of an anonymous listener: from each, one waits at a time
        :raises NoEntryError: the rules keep them out
        :raises SlowEntryError: it is not their turn yet
        """
        present = person is not None and self.is_inside(space, person)
        followed = await self.is_followed(space, person)

        def check() -> None:
            space.check_newcomer(person, present=present, followed=followed)

        check()
        if space.is_newcomer(person, present=present):
            space.admit(person if person is not None else ANONYMOUS + network, self._clock())
        return check
