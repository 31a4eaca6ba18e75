"""A data plane without media: it keeps rooms and sessions as the interface promises, and records every command."""

import asyncio
from collections.abc import Callable
from typing import get_args

from media.relay.plane import (
    DownReason,
    Levels,
    OfferError,
    PlaneError,
    PlaneEvent,
    RelayFullError,
    SessionDown,
    SessionUp,
)


class RecordingPlane:
    def __init__(self) -> None:
        self.ready = True
        self.places = 1_000
        self.commands: list[tuple[object, ...]] = []
        self.rooms: set[str] = set()
        self.sessions: dict[str, tuple[str, str]] = {}
        """Session to (room, participant)."""
        self.offers: list[str] = []
        self.while_answering: Callable[[], None] = lambda: None
        self._listeners: list[Callable[[PlaneEvent], None]] = []

    def subscribe(self, listener: Callable[[PlaneEvent], None]) -> None:
        self._listeners.append(listener)

    async def open_room(self, room: str) -> None:
        self.commands.append(("open_room",))
        self.rooms.add(room)

    async def close_room(self, room: str) -> None:
        self.commands.append(("close_room",))
        self.rooms.discard(room)
        self._end([s for s, (r, _) in self.sessions.items() if r == room], "room closed")

    async def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        if not offer.startswith("v=0"):
            raise OfferError("The offer does not begin with v=0.")
        if room not in self.rooms:
            raise PlaneError("no such room")
        if len(self.sessions) >= self.places:
            raise RelayFullError("All places of this relay are taken; try again in a moment.")
        await asyncio.sleep(0)
        self.offers.append(offer)
        self.sessions[session] = (room, participant)
        self.while_answering()
        return "v=0\r\ns=answer\r\n"

    async def restart_ice(self, session: str, fragment: str) -> str:
        if not fragment.startswith("a="):
            raise OfferError("The fragment does not begin with a=.")
        if session not in self.sessions:
            raise PlaneError("no such session")
        await asyncio.sleep(0)
        return "a=ice-lite\r\n" if "new" in fragment else ""

    async def rename_session(self, session: str, participant: str) -> None:
        await asyncio.sleep(0)
        self.commands.append(("rename_session", session, participant))
        if session in self.sessions:
            self.sessions[session] = (self.sessions[session][0], participant)

    async def drop_session(self, session: str) -> None:
        self.commands.append(("drop_session", session))
        self._end([session], "deleted")

    async def drop_participant(self, room: str, participant: str) -> None:
        self.commands.append(("drop_participant", participant))
        self._end([s for s, where in self.sessions.items() if where == (room, participant)], "removed")

    async def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        self._need(room)
        self.commands.append(("let_talk", participant, allowed))

    async def mute(self, room: str, participant: str, muted: bool) -> None:
        self._need(room)
        self.commands.append(("mute", participant, muted))

    async def record(self, room: str) -> None:
        self._need(room)

    # What a network does

    def connect(self, session: str) -> None:
        room, participant = self.sessions[session]
        self._tell(SessionUp(room, participant, session, 0.01))

    def lose(self, session: str, reason: DownReason = "consent lost") -> None:
        assert reason in get_args(DownReason)
        self._end([session], reason)

    def speak(self, room: str, dbov: dict[str, float]) -> None:
        self._tell(Levels(room, dbov))

    def taken(self) -> list[tuple[object, ...]]:
        """The commands since this was last asked."""
        commands, self.commands = self.commands, []
        return commands

    def _need(self, room: str) -> None:
        if room not in self.rooms:
            raise PlaneError("no such room")

    def _end(self, sessions: list[str], reason: DownReason) -> None:
        for session in sessions:
            if where := self.sessions.pop(session, None):
                asyncio.get_running_loop().call_soon(self._tell, SessionDown(*where, session, reason))

    def _tell(self, event: PlaneEvent) -> None:
        for listener in self._listeners:
            listener(event)
