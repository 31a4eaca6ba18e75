"""Where the news of the server meet their readers.

A broadcast for each Space that somebody follows, and a channel for each person who listens for their own news.
Asks nothing of the network: a connection (:mod:`media.server.events.stream`) takes from its reader what is put
in here. What happens in a Space is heard from :meth:`media.server.spaces.Spaces.watch`, levels from the plane.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from media.relay.plane import DataPlane, Levels, PlaneEvent, SessionDown, SessionUp
from media.server.clock import Clock
from media.server.events.broadcast import PULSE, Broadcast, farewell
from media.server.events.channel import Channel, number_at
from media.server.events.frame import encode
from media.server.events.reader import Reader
from media.server.events.schema import ReadyData
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.events import (
    Events,
    InvitationDeclined,
    InvitationRevoked,
    LinkRevoked,
    PersonEvent,
    PersonRemoved,
    SpaceEdited,
    SpaceEvent,
)
from media.space.space import Space
from media.space.states import State
from media.space.visibility import View, Viewer, view_of

LINGER: Final = 60.0
"""Seconds that a channel without readers is kept, so that whoever comes back misses nothing."""
TICK: Final = 1.0
"""Seconds between two looks at who is silent, and whose token has expired."""
_SHUTS: Final = (PersonRemoved, InvitationRevoked, InvitationDeclined, LinkRevoked)
"""After these, some who followed a Space may not any more."""
OVER: Final = (State.ENDED, State.CANCELED)


class Hub:
    """Every stream of one server; used on its event loop only."""

    def __init__(self, spaces: Spaces, sessions: Sessions, plane: DataPlane, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock.steady  # a step would drop readers, or keep them without a heartbeat
        self._wall = clock
        self._broadcasts: dict[str, Broadcast] = {}
        self._users: dict[str, Channel] = {}
        self._pulsing: set[Broadcast] = set()
        self._ticking = False
        self._closed = False
        self._forgotten = 0
        spaces.watch(self.watch)
        plane.subscribe(self.receive)

    @property
    def channels(self) -> Iterator[Channel]:
        """All channels, of Spaces and of people."""
        yield from (broadcast.channel for broadcast in self._broadcasts.values())
        yield from self._users.values()

    @property
    def published(self) -> int:
        """Events since the beginning, each counted once for each reader."""
        return self._forgotten + sum(channel.published for channel in self.channels)

    def readers(self) -> dict[str, int]:
        """Return how many streams are open."""
        return {
            "space": sum(len(broadcast.channel) for broadcast in self._broadcasts.values()),
            "person": sum(len(channel) for channel in self._users.values()),
        }

    @property
    def listening(self) -> list[str]:
        """Everyone who listens for news of their own."""
        return [person for person, channel in self._users.items() if channel.readers]

    def follow(self, space: Space, reader: Reader, after: int | None) -> bool:
        """Begin to tell somebody about a Space; False if it is over, and they know that already.

        :param after: the last number that they have seen
        """
        now = self._clock()
        if space.state in OVER:
            return self._part(space, reader, after, now)
        broadcast = self._broadcasts.get(space.id)
        if broadcast is None:
            broadcast = self._broadcasts[space.id] = Broadcast(space, now)
        broadcast.greet(reader, self._present(space.id, reader.person), after, now)
        self._opened(reader)
        if broadcast not in self._pulsing:
            self._pulsing.add(broadcast)
            self._later(PULSE, self._pulse, broadcast)
        return True

    def unfollow(self, space_id: str, reader: Reader) -> None:
        """Stop telling; what is known is kept for a while."""
        broadcast = self._broadcasts.get(space_id)
        if broadcast is not None:
            broadcast.leave(reader)
            if not broadcast.channel.readers:
                self._later(LINGER, self._forget, broadcast)

    def attend(self, reader: Reader, after: int | None) -> None:
        """Begin to tell a person their own news."""
        person, now = reader.person, self._clock()
        assert person is not None
        channel = self._users.get(person)
        if channel is None:
            channel = self._users[person] = Channel(now)
        missed = None if after is None else channel.missed(after, person)
        frames = [] if missed is None else missed
        frames.insert(0, encode("ready", ReadyData(resumed=missed is not None), None if frames else channel.last))
        reader.put(b"".join(frames), now)
        channel.add(reader)
        self._opened(reader)

    def unattend(self, reader: Reader) -> None:
        """Stop telling; what is known is kept for a while."""
        assert reader.person is not None
        channel = self._users.get(reader.person)
        if channel is not None:
            channel.discard(reader)
            if not channel.readers:
                self._later(LINGER, self._forget_user, reader.person, channel)

    def publish_to_user(self, user_id: str, name: str, data: object) -> bool:
        """Tell a person something, on all their streams; False if they have none open.

        :param data: what pydantic turns into JSON; see :mod:`media.server.events.schema` for what there is
        """
        channel = self._users.get(user_id)
        if channel is None:
            return False
        channel.publish(name, data, self._clock())
        return bool(channel.readers)

    def publish_to_space(self, space_id: str, name: str, data: object, *, remember: bool = True) -> None:
        """Tell everybody who reads the stream of a Space something.

        :param remember: whether who comes back is told it, too; what passes is not
        """
        broadcast = self._broadcasts.get(space_id)
        if broadcast is not None:
            broadcast.channel.publish(name, data, self._clock(), remember=remember)

    def expel(self, person: str, host: str | None) -> None:
        """End the streams of somebody who is blocked by a host, or suspended, which is by everybody."""
        for broadcast in self._broadcasts.values():
            if host in (None, broadcast.space.host):
                _finish(broadcast.channel.of((person,)))
        if host is None and person in self._users:
            _finish(self._users[person])

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        broadcast = self._broadcasts.get(space.id)
        if broadcast is None:
            return
        now = self._clock()
        waiting = broadcast.due is not None
        broadcast.take(events, now)
        if broadcast.due is not None and not waiting:
            self._later(broadcast.due - now, self._update, broadcast)
        for person in dict.fromkeys(event.person for event in events if isinstance(event, PersonEvent)):
            broadcast.tell(person, self._present(space.id, person), now)
        if any(_shuts(event) for event in events):
            shut_out = [p for p in broadcast.channel.readers if p is not None and not self._may_read(space, p)]
            _finish(broadcast.channel.of(shut_out))

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        broadcast = self._broadcasts.get(event.room)
        match event:
            case _ if broadcast is None:
                pass
            case Levels(dbov=levels):
                broadcast.hear(levels)
            case SessionUp(participant=person) | SessionDown(participant=person):
                broadcast.tell(person, self._present(event.room, person), self._clock())

    def close(self) -> None:
        """End every stream: the server stops."""
        self._closed = True
        for channel in self.channels:
            _finish(channel)

    def _part(self, space: Space, reader: Reader, after: int | None, now: float) -> bool:
        """Tell somebody who comes late that it is over."""
        broadcast = self._broadcasts.get(space.id)
        missed = None if broadcast is None or after is None else broadcast.channel.missed(after, reader.person)
        ended = number_at(now if space.ended_at is None else space.ended_at)
        told = missed is None and after is not None and space.ended_at is not None and after >= ended
        if missed == [] or told:
            return False
        if missed is None:
            farewell(space, reader, ended, now)
        else:
            reader.put(b"".join(missed), now)
            reader.finish()
        return True

    def age(self, since: float) -> float:
        """Return how many seconds ago something was put into a reader."""
        return self._clock() - since

    def _present(self, space_id: str, person: str | None) -> bool:
        return person is not None and self._sessions.present(space_id, person)

    def _may_read(self, space: Space, person: str) -> bool:
        """Whether a person who follows a Space may go on: whoever may for reasons not seen here comes back."""
        viewer = Viewer(person, ticket=True, followed=True, present=self._present(space.id, person))
        return view_of(space, viewer) >= View.SOUND

    def _opened(self, reader: Reader) -> None:
        if self._closed:
            reader.finish()
        elif not self._ticking:
            self._ticking = True
            self._later(TICK, self._tick)

    def _later(self, wait: float, what: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(max(0.0, wait), what, *arguments)

    def _update(self, broadcast: Broadcast) -> None:
        if broadcast.due is not None:
            broadcast.update(self._clock())

    def _pulse(self, broadcast: Broadcast) -> None:
        if broadcast.channel.readers and not self._closed:
            broadcast.pulse(self._clock())
            self._later(PULSE, self._pulse, broadcast)
        else:
            self._pulsing.discard(broadcast)

    def _tick(self) -> None:
        now, self._ticking = self._clock(), False
        for channel in self.channels:
            for reader in channel:
                reader.tick(now, self._wall())
                self._ticking = True
        if self._ticking and not self._closed:
            self._later(TICK, self._tick)

    def _forget(self, broadcast: Broadcast) -> None:
        space_id = broadcast.space.id
        if not broadcast.channel.readers and self._broadcasts.get(space_id) is broadcast:
            self._forgotten += self._broadcasts.pop(space_id).channel.published

    def _forget_user(self, person: str, channel: Channel) -> None:
        if not channel.readers and self._users.get(person) is channel:
            self._forgotten += self._users.pop(person).published


def _shuts(event: SpaceEvent) -> bool:
    """Whether an event can mean that somebody may not follow a Space any more."""
    return isinstance(event, _SHUTS) or (isinstance(event, SpaceEdited) and "locked" in event.fields)


def _finish(readers: Iterable[Reader]) -> None:
    for reader in readers:
        reader.finish()
