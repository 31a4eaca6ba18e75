"""Where the sessions of one Space are: the relay's own rules of placement, applied to many sessions at once.

Each rule is :mod:`media.relay.placement`'s. One session after the other would take minutes for a crowd of
hundreds of thousands, so a step places all sessions in a row that the rule would give the same relay; the result
is that of one after the other (tested).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from media.relay.placement import links_wanted, move_room, place_listener, place_room

Counts = NDArray[np.int64]
CROWD = "listeners"
"""Stands for all participants who may not talk."""


class Spreading:
    """One Space on a pool of relays. ``loads``: relay to its sessions, of relays that live."""

    def __init__(self, relays: int, limit: int) -> None:
        """All relays empty; ``limit``: sessions of a relay from which on the Space is spread."""
        self.loads: dict[int, int] = dict.fromkeys(range(relays), 0)
        self.limit = limit
        home = place_room(self.loads, {})
        assert home is not None
        self.home: int = home
        self.having = {home}

    @property
    def links(self) -> set[int]:
        """Relays that the home feeds by a cascade link."""
        sessions = {(relay, CROWD): count for relay, count in self.loads.items()}
        return {relay for relay, _ in links_wanted(self.home, sessions, self.loads, ())}

    def seat(self, speakers: int) -> None:
        """Connect those who may talk: all of them are at the home, full or not."""
        self.loads[self.home] += speakers

    def join(self, count: int) -> dict[int, int]:
        """Place so many more listeners; returns how many each relay took."""
        before = dict(self.loads)
        while count:
            relay = place_listener(self.home, self.having, self.loads, self.limit)
            if min(self.loads.values()) >= self.limit and self.having.issuperset(self.loads):
                self._level(count)
                break
            step = min(count, self._row(relay))
            self.having.add(relay)
            self.loads[relay] += step
            count -= step
        return {relay: load - before[relay] for relay, load in self.loads.items() if load > before[relay]}

    def leave(self, left: Mapping[int, int]) -> None:
        """Let so many of each relay go; a relay without sessions has its link cut."""
        for relay, count in left.items():
            self.loads[relay] -= count
        self.having = {self.home} | {relay for relay in self.having if self.loads[relay]}

    def lose(self, relay: int) -> int:
        """A relay ends; returns how many sessions it had. The Space moves, if it was the home."""
        lost = self.loads.pop(relay)
        self.having.discard(relay)
        if relay == self.home and self.loads:
            home = move_room(self.loads, self.loads, {})
            assert home is not None
            self.home = home
            self.having.add(home)
        return lost

    def restart(self, relay: int) -> None:
        """A relay lives again, without sessions."""
        self.loads.setdefault(relay, 0)

    def sessions(self, relays: int) -> Counts:
        """Sessions of relays 0 to ``relays`` - 1, shape (relays,); 0 of one that does not live."""
        return np.array([self.loads.get(relay, 0) for relay in range(relays)], dtype=np.int64)

    def _row(self, relay: int) -> int:
        """How many sessions in a row get this relay, at least 1."""
        load = self.loads[relay]
        if relay == self.home and load < self.limit:
            return self.limit - load
        if load >= self.limit:
            return 1
        others = [self.loads[other] + (relay < other) for other in self.having if other not in (relay, self.home)]
        return max(1, min([self.limit, *others]) - load)

    def _level(self, count: int) -> None:
        """Fill the emptiest first, ties by number, where the limit binds nobody any more."""
        order = sorted(self.loads)
        loads = np.array([self.loads[relay] for relay in order], dtype=np.int64)
        ascending = np.sort(loads)
        below = np.arange(1, len(loads) + 1)
        # sessions that lift the first so many to the level of the last of them
        room = below * ascending - np.cumsum(ascending)
        lifted = int(np.searchsorted(room, count, side="right"))
        total = int(ascending[:lifted].sum()) + count
        level, over = divmod(total, lifted)
        low = np.flatnonzero(loads <= level)
        loads[low] = level
        loads[low[:over]] += 1
        self.loads.update(zip(order, loads.tolist(), strict=True))
