"""The commands of a relay, each asked for by its name: the same wherever the relay runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from media.relay.plane import Link, PlaneEvent


class Asking(ABC):
    """The part of :class:`media.relay.plane.RelayPlane` that is the same on a thread and in another process.

    Who inherits says how a command reaches the relay, and hands what happens there to :meth:`_deliver`.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[PlaneEvent], None]] = []
        self.ready = False
        """Sockets are open, kernels compiled: commands are taken."""

    @abstractmethod
    async def _ask(self, command: str, *arguments: Any) -> Any:
        """The result of one of :data:`media.relay.commands.COMMANDS`.

        :raises RelayLostError: the relay does not run, and what the command raised
        """

    def _deliver(self, event: PlaneEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def subscribe(self, listener: Callable[[PlaneEvent], None]) -> None:
        """See :class:`media.relay.plane.RelayPlane`; so for the methods below."""
        self._listeners.append(listener)

    async def open_room(self, room: str) -> None:
        """Make a room."""
        await self._ask("open_room", room)

    async def close_room(self, room: str) -> None:
        """End every session of the room and forget it."""
        await self._ask("close_room", room)

    async def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        """Answer an SDP offer."""
        return await self._ask("add_session", room, participant, session, offer)

    async def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an ICE restart."""
        return await self._ask("restart_ice", session, fragment)

    async def rename_session(self, session: str, participant: str) -> None:
        """Let a session be that of another participant."""
        await self._ask("rename_session", session, participant)

    async def drop_session(self, session: str) -> None:
        """End one session."""
        await self._ask("drop_session", session)

    async def drop_participant(self, room: str, participant: str) -> None:
        """End all sessions of a participant."""
        await self._ask("drop_participant", room, participant)

    async def let_talk(self, room: str, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard."""
        await self._ask("let_talk", room, participant, allowed)

    async def mute(self, room: str, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        await self._ask("mute", room, participant, muted)

    async def record(self, room: str) -> None:
        """Give the recorder what is heard in a room."""
        await self._ask("record", room)

    async def feed(self, link: Link) -> None:
        """Send a room's mix along a link."""
        await self._ask("feed", link)

    async def follow(self, link: Link) -> None:
        """Take a room's mix from a link."""
        await self._ask("follow", link)

    async def cut(self, link: Link) -> None:
        """Use a link no more."""
        await self._ask("cut", link)
