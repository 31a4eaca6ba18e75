"""Who may not come in: suspended people anywhere, blocked ones to the Spaces of whoever blocked them.

Whom the host has blocked finds the Space in no list, and is told by each of its addresses why, and nothing else.
The other way round nobody is kept out: Spaces of people whom one blocks are in no list, and shown to who asks.

Kept in memory, because every request and every join asks; written to the store after the sound is gone, because
silence never waits for a disk. One server process holds a store, so what is in memory is what is true.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from media.relay.plane import DataPlane, PlaneError
from media.server.accounts import Accounts, Relation
from media.server.database_faults import StoreUnavailableError, UnwrittenError
from media.server.errors import Problem
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.errors import WrongStateError
from media.space.space import Space
from media.space.states import Standing, State

log = logging.getLogger(__name__)


def blocked() -> Problem:
    """Return what whom the host has blocked is told of a Space."""
    return Problem(403, "blocked", "The host of this Space has blocked you; choose another Space.")


class Guard:
    """Asked by every gate; told by the routes of users."""

    def __init__(
        self,
        accounts: Accounts,
        spaces: Spaces,
        sessions: Sessions,
        plane: DataPlane,
        clock: Callable[[], float],
    ) -> None:
        """Take a clock in Unix seconds."""
        self._accounts = accounts
        self._spaces = spaces
        self._sessions = sessions
        self._plane = plane
        self._clock = clock
        self._suspended: dict[str, str] = {}
        self._blocked: dict[str, set[str]] = {}
        """Host to those whom they block, for hosts whose Spaces somebody wanted to join."""
        self._unwritten: dict[tuple[str, ...], Callable[[], Awaitable[None]]] = {}
        self._reading = asyncio.Lock()
        self.on_out: Callable[[str, str | None], None] = lambda person, host: None
        """Told at once who is blocked by a host, or suspended (None): what they follow ends, too."""
        self.on_door: Callable[[Space, str | None], None] = lambda space, person: None
        """Asked for tickets: refuses whoever needs one and has none."""

    async def open(self) -> None:
        """Read who is suspended."""
        self._suspended = await self._accounts.suspended()

    async def know_hosts(self) -> None:
        """Have the blocks of the hosts of live Spaces in memory: to mute there, no store is asked."""
        for space in self._spaces.in_memory:
            if space.state is State.LIVE:
                await self.know(space.host)

    async def catch_up(self) -> None:
        """Write the suspensions and blocks that could not be written while the store was away."""
        for key, write in list(self._unwritten.items()):
            await write()
            if self._unwritten.get(key) is write:
                del self._unwritten[key]

    async def _write(self, key: tuple[str, ...], write: Callable[[], Awaitable[None]]) -> None:
        """Write what holds already; if the store is away, as soon as it is back.

        :raises UnwrittenError: it is not written yet
        """
        self._unwritten[key] = write
        try:
            await write()
        except StoreUnavailableError as error:
            raise UnwrittenError(str(error)) from error
        if self._unwritten.get(key) is write:
            del self._unwritten[key]

    def reason(self, person: str) -> str | None:
        """Why a person is suspended; None if they are not."""
        return self._suspended.get(person)

    def check_account(self, person: str) -> None:
        """Pass if a person is not suspended.

        :raises Problem: 403
        """
        if person in self._suspended:
            raise Problem(403, "suspended", "This account is suspended; ask whoever runs this service about it.")

    def check_ticket(self, space: Space, person: str | None) -> None:
        """Pass if a person, None for somebody anonymous, needs no ticket to a Space or has one.

        :raises Problem: 402
        """
        self.on_door(space, person)

    async def know(self, host: str) -> None:
        """Have the blocks of a host in memory."""
        if host not in self._blocked:
            async with self._reading:
                if host not in self._blocked:
                    self._blocked[host] = await self._accounts.blocked_by(host)

    def check_entry(self, space: Space, person: str | None) -> None:
        """Pass if a person is neither suspended nor blocked by the host, whose blocks are known.

        :raises Problem: 403
        """
        if person is None:
            return
        self.check_account(person)
        if person in self._blocked[space.host]:
            raise blocked()

    async def hides(self, space: Space, person: str) -> bool:
        """Whether the host of a Space has blocked a person."""
        if self._spaces.held(space.id) is not None:
            await self.know(space.host)
        if space.host in self._blocked:
            return person in self._blocked[space.host]
        return await self._accounts.related(Relation.BLOCK, space.host, person)

    async def suspend(self, person: str, by: str, reason: str) -> None:
        """End every session of a person and refuse new ones, at once and until it is lifted.

        Their place in a live Space is gone. A Space whose host is suspended goes on if a co-host is connected,
        and else ends at once; those that they have scheduled are canceled.
        """
        self._suspended[person] = reason  # from here on no token of theirs is taken, and no offer answered
        self.on_out(person, None)
        spaces = [space for space in self._spaces.in_memory if self._is_in(space, person)]
        rooms = {space.id for space in spaces} | {s.space for s in self._sessions if s.person == person}
        await asyncio.gather(*(self._silence(room, person) for room in rooms))
        for space in spaces:
            with contextlib.suppress(UnwrittenError):  # it holds; the next line says so
                await self._spaces.expel(space.id, person)
        at = self._clock()
        await self._write((person,), lambda: self._note_suspension(person, by, at, reason))

    async def _note_suspension(self, person: str, by: str, at: float, reason: str) -> None:
        await self._accounts.suspend(person, by, at, reason)
        for space in [s for s in self._spaces.in_memory if s.host == person and s.state is State.SCHEDULED]:
            with contextlib.suppress(WrongStateError):  # called off by itself this moment
                await self._spaces.act(space.id, lambda s, now: s.cancel(None, now))

    async def lift(self, person: str) -> None:
        """Let a person in again."""
        await self._accounts.lift(person)
        self._unwritten.pop((person,), None)
        self._suspended.pop(person, None)

    async def block(self, person: str, other: str) -> None:
        """Keep somebody out of all Spaces of a person, and remove them from those that are live."""
        async with self._reading:
            self._blocked.setdefault(person, set()).add(other)
            self.on_out(other, person)
            spaces = [s for s in self._spaces.in_memory if s.host == person and self._is_in(s, other)]
            for space in spaces:
                present = self._sessions.present(space.id, other)
                with contextlib.suppress(UnwrittenError):  # it holds; the next line says so
                    await self._spaces.silence(
                        space.id, lambda s, now, here=present: s.remove(person, other, now, present=here)
                    )
            await self._write((person, other), lambda: self._accounts.relate(Relation.BLOCK, person, other))
            await self._read_again(person)

    async def unblock(self, person: str, other: str) -> None:
        """Let somebody in again, except where they were removed."""
        async with self._reading:
            await self._accounts.part(Relation.BLOCK, person, other)
            self._unwritten.pop((person, other), None)
            self._blocked.get(person, set()).discard(other)
            await self._read_again(person)

    async def _read_again(self, person: str) -> None:
        """Read whom a person blocks; what is in memory holds if the store has gone away since."""
        with contextlib.suppress(StoreUnavailableError):
            self._blocked[person] = await self._accounts.blocked_by(person)

    def _is_in(self, space: Space, person: str) -> bool:
        if space.state is not State.LIVE:
            return False
        standing = space.people.standing(person)
        return self._sessions.present(space.id, person) or standing not in (Standing.OUTSIDE, Standing.REMOVED)

    async def _silence(self, room: str, person: str) -> None:
        try:
            await self._plane.drop_participant(room, person)
            for session in self._sessions.of(room, person):
                if session.renamed:
                    await self._plane.drop_session(session.id)
        except PlaneError as error:
            log.warning("The relay could not end the sessions of a suspended person: %s", error)
