"""Which guests come: of those who were invited by a campaign, and of nobody else, it is noted that they are here.

The host, who may see by name whom they invited and whether that person is here, is shown it. Who listens without a
token is nobody's guest.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from media.relay.plane import DataPlane, Levels, PlaneEvent, SessionDown, SessionUp
from media.server.database_faults import StoreUnavailableError
from media.server.finding.guests import Guest, Guests
from media.server.spaces import Spaces
from media.space.events import Events, SpaceCanceled, SpaceEnded
from media.space.space import Space

log = logging.getLogger(__name__)

WRITE: Final = 5.0
"""Seconds between two writes; also what a killed server forgets."""


class Attendance:
    """Told by the plane and by Spaces."""

    def __init__(self, guests: Guests, spaces: Spaces, plane: DataPlane, clock: Callable[[], float]) -> None:
        """Take a clock in Unix seconds."""
        self._guests = guests
        self._spaces = spaces
        self._clock = clock
        self._awaited: dict[str, dict[str, Guest]] = {}
        """The guests of each Space that is not over."""
        self._here: Counter[tuple[str, str]] = Counter()
        self._since: dict[tuple[str, str], float] = {}
        self._changed: dict[tuple[str, str], Guest] = {}
        self._task: asyncio.Task[None] | None = None
        spaces.watch(self.watch)
        plane.subscribe(self.receive)

    async def open(self) -> None:
        """Know the guests of the Spaces of before, and begin to write."""
        self.await_(await self._guests.of_spaces([space.id for space in self._spaces.in_memory]))
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Write everything down."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self.write()

    def await_(self, guests: Iterable[Guest]) -> None:
        """Note from now on whether these come."""
        for guest in guests:
            self._awaited.setdefault(guest.space_id, {})[guest.user_id] = guest

    def invited(self, space_id: str) -> dict[str, Guest]:
        """Return the guests of a Space that is not over."""
        return self._awaited.get(space_id, {})

    def opened(self, guest: Guest) -> None:
        """Note that a guest has read the invitation."""
        guest = self._awaited.get(guest.space_id, {}).get(guest.user_id, guest)
        if guest.opened_at is None:
            guest.opened_at = self._clock()
            self._changed[guest.space_id, guest.user_id] = guest

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        awaited = self._awaited.get(event.room)
        if not awaited:
            return
        match event:
            case SessionUp(room=room, participant=person) if person in awaited:
                self._up(room, awaited[person])
            case SessionDown(room=room, participant=person, reason=reason):
                if person in awaited and reason != "shutdown" and self._here[room, person] > 0:
                    self._here[room, person] -= 1
                    if not self._here[room, person]:
                        self._count(awaited[person])
                        del self._here[room, person], self._since[room, person]
            case Levels(dbov=levels):
                for person in levels.keys() & awaited.keys():
                    if awaited[person].spoke_at is None:
                        awaited[person].spoke_at = self._clock()
                        self._changed[event.room, person] = awaited[person]
            case _:
                pass

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space: when it is over nobody is awaited any more."""
        if any(isinstance(event, SpaceEnded | SpaceCanceled) for event in events):
            for guest in self._awaited.pop(space.id, {}).values():
                key = guest.space_id, guest.user_id
                if key in self._since:
                    self._count(guest)
                    del self._since[key], self._here[key]
            self._spaces.follow(self.write())

    async def write(self) -> None:
        """Write down what changed."""
        for (space_id, person), _ in list(self._since.items()):
            self._count(self._awaited[space_id][person])
        changed, self._changed = self._changed, {}
        try:
            await self._guests.save(changed.values())
        except BaseException:
            self._changed = changed | self._changed
            raise

    def _up(self, room: str, guest: Guest) -> None:
        now, key = self._clock(), (room, guest.user_id)
        self._here[key] += 1
        self._since.setdefault(key, now)
        guest.joined_at = guest.joined_at or now
        guest.opened_at = guest.opened_at or now
        self._changed[key] = guest

    def _count(self, guest: Guest) -> None:
        """Add the time up to now."""
        now, key = self._clock(), (guest.space_id, guest.user_id)
        guest.seconds += max(0.0, now - self._since[key])
        self._since[key] = now
        self._changed[key] = guest

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITE)
            try:
                await self.write()
            except StoreUnavailableError:
                pass  # which is in the log already
            except Exception:
                log.exception("Who came could not be written down; it is tried again.")
