"""What hosts are called, remembered for a moment: a search is asked for with every letter that is typed."""

from collections.abc import Callable, Collection
from typing import Final

from media.server.accounts import Accounts

KEPT: Final = 15.0
"""Seconds after which a changed name is found."""
MANY: Final = 50_000
"""Names remembered."""
_BATCH: Final = 500
"""Ids in a query: SQLite takes no more than 999 parameters in old builds."""


class Names:
    """Asked by :class:`~media.server.discovery.discovery.Discovery`."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float]) -> None:
        """Take a clock in seconds."""
        self._accounts = accounts
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def of(self, people: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the username and name of each; the id of those without a profile."""
        now = self._clock()
        stale = [p for p in people if p not in self._known or now - self._known[p][0] > KEPT]
        if len(self._known) + len(stale) > MANY:
            self._known.clear()
            stale = list(people)
        for start in range(0, len(stale), _BATCH):
            batch = stale[start : start + _BATCH]
            self._known.update((person, (now, (person,))) for person in batch)
            for user in await self._accounts.some(batch):
                self._known[user.id] = now, (user.username, user.name)
        return {person: self._known[person][1] if person in self._known else (person,) for person in people}
