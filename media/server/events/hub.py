"""Where the news of the server meet their readers: a broadcast for each Space that somebody follows.

Asks nothing of the network: a connection (:mod:`media.server.events.stream`) takes from its reader what is put in
here. What happens in a Space is heard from :meth:`media.server.spaces.Spaces.watch`, levels from the plane.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from media.relay.plane import DataPlane, Levels, PlaneEvent, SessionDown, SessionUp
from media.server.events.broadcast import PULSE, Broadcast
from media.server.events.channel import Channel
from media.server.events.frame import encode
from media.server.events.reader import Reader
from media.server.events.schema import EndedData
from media.server.events.view import View, you
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.events import Events, PersonEvent, PersonRemoved, SpaceCanceled, SpaceEnded
from media.space.space import Space
from media.space.states import State

LINGER: Final = 60.0
"""Seconds that a channel without readers is kept, so that whoever comes back misses nothing."""
OVER: Final = (State.ENDED, State.CANCELED)


class Hub:
    """Every stream of one server; used on its event loop only."""

    def __init__(self, spaces: Spaces, sessions: Sessions, plane: DataPlane, clock: Callable[[], float]) -> None:
        """Take a clock in Unix seconds."""
        self._spaces = spaces
        self._sessions = sessions
        self._clock = clock
        self._broadcasts: dict[str, Broadcast] = {}
        self._live: dict[str, Space] = {}
        self._users: dict[str, Channel] = {}
        self._pulses: set[str] = set()
        """Spaces whose next pulse is scheduled."""
        self._closed = False
        spaces.watch(self.watch)
        plane.subscribe(self.receive)

    def follow(self, space: Space, person: str | None, after: int | None) -> Reader:
        """Begin to tell somebody about a Space; ``after`` is the last number they have seen."""
        now, reader = self._clock(), Reader(person)
        if space.state in OVER:
            view = View(space)
            reader.put(encode("space", view.space) + encode("ended", _ended(space), int(now * 1e6)), now)
            reader.finish()
            return reader
        view = View(space)
        broadcast = self._broadcasts.get(space.id)
        if broadcast is None:
            broadcast = self._broadcasts[space.id] = Broadcast(view, now)
        self._live[space.id] = space
        where = None if person is None else you(space, person, self._sessions.present(space.id, person))
        broadcast.greet(reader, view, where, after, now)
        if self._closed:
            reader.finish()
        elif space.id not in self._pulses:
            self._pulse(space.id)
        return reader

    def unfollow(self, space_id: str, reader: Reader) -> None:
        """Stop telling; the channel is kept for a while."""
        broadcast = self._broadcasts.get(space_id)
        if broadcast is not None:
            broadcast.leave(reader)
            if not len(broadcast.channel):
                asyncio.get_running_loop().call_later(LINGER, self._forget, space_id, broadcast)

    def publish_to_user(self, user_id: str, name: str, data: object) -> None:
        """Tell a person something, on all their streams; whoever has none open is not told."""
        channel = self._users.get(user_id)
        if channel is not None:
            channel.publish(name, data, self._clock())

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        broadcast = self._broadcasts.get(space.id)
        if broadcast is None:
            return
        now = self._clock()
        broadcast.touch(now)
        if broadcast.due is not None and broadcast.due <= now:
            broadcast.update(View(space), now)
        else:
            self._soon(space.id)
        persons = dict.fromkeys(event.person for event in events if isinstance(event, PersonEvent))
        for person in persons:
            self._tell(space, person)
        for event in events:
            match event:
                case PersonRemoved(person=person):
                    self._end(broadcast.channel.of((person,)))
                case SpaceEnded() | SpaceCanceled():
                    broadcast.end(_ended(space), now)
                case _:
                    pass

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        broadcast = self._broadcasts.get(event.room)
        if broadcast is None:
            return
        match event:
            case Levels(dbov=levels):
                broadcast.speaking = {person: round(level, 1) for person, level in levels.items()}
            case SessionUp(participant=person) | SessionDown(participant=person):
                if person in broadcast.channel.readers:
                    self._tell(self._live[event.room], person)

    def close(self) -> None:
        """End every stream: the server stops."""
        self._closed = True
        for broadcast in self._broadcasts.values():
            self._end(list(broadcast.channel))
        for channel in self._users.values():
            self._end(list(channel))

    def _tell(self, space: Space, person: str) -> None:
        broadcast = self._broadcasts[space.id]
        if person in broadcast.channel.readers:
            broadcast.tell(person, you(space, person, self._sessions.present(space.id, person)), self._clock())

    def _end(self, readers: list[Reader]) -> None:
        for reader in readers:
            reader.finish()

    def _soon(self, space_id: str) -> None:
        broadcast = self._broadcasts[space_id]
        if broadcast.due is not None:
            wait = broadcast.due - self._clock()
            asyncio.get_running_loop().call_later(max(0.0, wait), self._update, space_id, broadcast)

    def _update(self, space_id: str, broadcast: Broadcast) -> None:
        if self._broadcasts.get(space_id) is broadcast and broadcast.due is not None:
            broadcast.update(View(self._live[space_id]), self._clock())

    def _pulse(self, space_id: str) -> None:
        broadcast = self._broadcasts.get(space_id)
        if broadcast is None or not broadcast.channel.readers or self._closed:
            self._pulses.discard(space_id)
            return
        space, now = self._live[space_id], self._clock()
        broadcast.pulse(space.participant_count, space.listener_count, now)
        self._pulses.add(space_id)
        asyncio.get_running_loop().call_later(PULSE, self._pulse, space_id)

    def _forget(self, space_id: str, broadcast: Broadcast) -> None:
        if self._broadcasts.get(space_id) is broadcast and not broadcast.channel.readers:
            del self._broadcasts[space_id], self._live[space_id]


def _ended(space: Space) -> EndedData:
    called_off = space.state is State.CANCELED and space.end_reason != "not started"
    return EndedData(state=space.state, reason="canceled" if called_off else space.end_reason)
