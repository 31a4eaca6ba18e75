"""Several relays as one data plane: rooms that are mixed on one and heard on as many as it takes.

A room has a *home* that mixes it. Whoever may talk is connected there; listeners are, too, until the home is
full, and then on other relays, to which the home sends the encoded mix. A relay can be lost at any time: its
sessions end, its rooms move to another home with the rights that were given in them, and nobody else is touched.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from media.relay.placement import LISTENERS_PER_RELAY, place_listener
from media.relay.plane import (
    RELAY_LOST,
    Levels,
    PlaneError,
    PlaneEvent,
    RelayFullError,
    RelayLostError,
    RelayPlane,
    SessionDown,
    SessionUp,
)
from media.relay.spread import Spread

logger = logging.getLogger(__name__)

EVENTS = 32
"""Events that are told in one turn of the event loop, where thousands come at once."""


class RelayPool:
    """Implements :class:`media.relay.plane.DataPlane` over relays that come and go, by number."""

    def __init__(self, listeners_per_relay: int = LISTENERS_PER_RELAY) -> None:
        self._limit = listeners_per_relay
        self._relays: dict[int, RelayPlane] = {}
        self._rooms: dict[str, Spread] = {}
        self._sessions: dict[str, tuple[Spread, str, int]] = {}
        self._loads: Counter[int] = Counter()
        self._homes: Counter[int] = Counter()
        self._listeners: list[Callable[[PlaneEvent], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsettled: set[Spread] = set()
        self.ending = False
        """The relays are being stopped: sessions that end now were not lost."""

    @property
    def relays(self) -> dict[int, RelayPlane]:
        """Those that live."""
        return self._relays

    def load(self, index: int) -> int:
        """Sessions of a relay."""
        return self._loads[index]

    def add(self, index: int, relay: RelayPlane) -> None:
        """A relay is ready; rooms without a home find one."""
        relay.subscribe(partial(self._receive, index))
        self._relays[index] = relay
        for room in self._rooms.values():
            if room.home is None:
                self._settle_soon(room)

    def lose(self, index: int) -> None:
        """A relay is gone: its sessions are over, its rooms move."""
        if self._relays.pop(index, None) is None:
            return
        lost = [(name, *placed) for name, placed in self._sessions.items() if placed[2] == index]
        for session, *_ in lost:
            self._forget(session)
        self._follow(
            self._tell_all(
                [SessionDown(room.name, person, session, RELAY_LOST) for session, room, person, _ in lost]
            )
        )
        for room in self._rooms.values():
            if room.home == index:
                self._tell(Levels(room.name, {}))
            self._settle_soon(room)

    async def settle(self) -> None:
        """Wait until every room is where it is to be."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def subscribe(self, listener: Callable[[PlaneEvent], None]) -> None:
        """See :class:`media.relay.plane.DataPlane`; so for the methods below."""
        self._listeners.append(listener)

    async def open_room(self, room: str) -> None:
        """Make a room; where no relay lives, it is made when one does."""
        if room not in self._rooms:
            self._rooms[room] = Spread(room, self._relays, self._loads, self._homes)
        with suppress(RelayLostError):  # it is made again elsewhere when the loss is noticed
            await self._rooms[room].settle()

    async def close_room(self, room: str) -> None:
        """End every session of the room and forget it."""
        if state := self._rooms.pop(room, None):
            await state.close()

    async def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        """Answer an SDP offer, on the relay where there is a place."""
        state = self._room(room)
        if session in self._sessions:
            raise PlaneError(f"Session {session} exists already.")
        if state.home not in self._relays:
            await state.settle()
        if state.home is None:
            raise RelayFullError("The relays are being started; try again in a few seconds.")
        index = state.home
        if not state.may_talk(participant):
            loads = {relay: self._loads[relay] for relay in self._relays}
            index = place_listener(state.home, state.having, loads, self._limit)
        self._sessions[session] = state, participant, index
        self._loads[index] += 1
        state.sessions[index, participant] += 1
        try:
            if index != state.home:
                await state.settle()
            return await self._relay(index).add_session(room, participant, session, offer)
        except BaseException:
            self._forget(session)
            raise

    async def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an ICE restart, on the relay where the session is."""
        if session not in self._sessions:
            raise PlaneError(f"Session {session} has ended.")
        return await self._relay(self._sessions[session][2]).restart_ice(session, fragment)

    async def rename_session(self, session: str, participant: str) -> None:
        """Let a session be that of another participant, who may need a mix of their own where it is."""
        if placed := self._sessions.get(session):
            room, was, index = placed
            room.leave(index, was)
            room.sessions[index, participant] += 1
            self._sessions[session] = room, participant, index
            with suppress(RelayLostError):  # then it has ended
                await self._relay(index).rename_session(session, participant)
                await room.settle()

    async def drop_session(self, session: str) -> None:
        """End one session."""
        if placed := self._sessions.get(session):
            with suppress(RelayLostError):  # then it has ended
                await self._relay(placed[2]).drop_session(session)

    async def drop_participant(self, room: str, participant: str) -> None:
        """End all sessions of a participant."""
        state = self._rooms.get(room)
        for index in [index for index, name in (state.sessions if state else ()) if name == participant]:
            if index in self._relays:
                with suppress(RelayLostError):
                    await self._relays[index].drop_participant(room, participant)

    async def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard."""
        await self._room(room).let_talk(participant, allowed)

    async def mute(self, room: str, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        await self._room(room).mute(participant, muted)

    async def record(self, room: str) -> None:
        """Give the recorder what is heard in a room."""
        await self._room(room).record()

    def _room(self, name: str) -> Spread:
        if name not in self._rooms:
            raise PlaneError(f"Room {name} is not open.")
        return self._rooms[name]

    def _relay(self, index: int) -> RelayPlane:
        if index not in self._relays:
            raise RelayLostError("The relay has just ended; join again.")
        return self._relays[index]

    def _receive(self, index: int, event: PlaneEvent) -> None:
        match event:
            case Levels(room=name) if (room := self._rooms.get(name)) is None or room.home != index:
                return
            case SessionDown(session=session, reason=reason):
                placed = self._forget(session)
                if placed and placed[2] != placed[0].home:
                    self._settle_soon(placed[0])  # perhaps nobody is left who needs its link
                if reason == "shutdown" and not self.ending:
                    event = SessionDown(event.room, event.participant, session, RELAY_LOST)
            case SessionUp() | Levels():
                pass
        self._tell(event)

    def _tell(self, event: PlaneEvent) -> None:
        for listener in self._listeners:
            listener(event)

    async def _tell_all(self, events: Sequence[PlaneEvent]) -> None:
        """Tell many, in their order and a few in each turn of the event loop."""
        for number, event in enumerate(events):
            if number % EVENTS == EVENTS - 1:
                await asyncio.sleep(0)
            self._tell(event)

    def _settle_soon(self, room: Spread) -> None:
        """Have a room settled once, however often that is asked for before it begins."""
        if room not in self._unsettled:
            self._unsettled.add(room)
            self._follow(self._settle(room))

    async def _settle(self, room: Spread) -> None:
        self._unsettled.discard(room)
        await room.settle()

    def _forget(self, session: str) -> tuple[Spread, str, int] | None:
        placed = self._sessions.pop(session, None)
        if placed is not None:
            room, participant, index = placed
            self._loads[index] -= 1
            room.leave(index, participant)
        return placed

    def _follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something soon; what a lost relay leaves undone is settled when its loss is noticed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RelayLostError):
            logger.info("a room moves again: %s", error)
        elif error:
            logger.error("a room could not be moved", exc_info=error)
