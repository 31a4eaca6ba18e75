"""The links of one relay: rooms of its own that others are sent, and rooms of others that it is sent."""

from collections.abc import Callable

from media.relay.link import Feed, Follow, Followed
from media.relay.plane import Link
from media.relay.room import Room
from media.relay.stats import RelayStats
from media.rtc.crowd import Crowd
from media.rtc.peers import Peers


class Links:
    """What :class:`media.relay.plane.RelayPlane` says of links, done."""

    def __init__(self, crowd: Crowd, peers: Peers, open_room: Callable[[str], Room]) -> None:
        """``open_room`` returns the room of a name, or raises."""
        self._crowd, self._peers = crowd, peers
        self._open_room = open_room
        self._feeds: dict[Link, tuple[Feed, Room]] = {}
        self._follows: dict[Link, tuple[Follow, Room]] = {}
        self._followed = Followed()

    @property
    def fed(self) -> int:
        """How many lead from here."""
        return len(self._feeds)

    @property
    def rooms(self) -> int:
        """How many rooms have their mix from another relay."""
        return sum(not link.participant for link in self._follows)

    def __contains__(self, source: int) -> bool:
        return source in self._followed

    def receive(self, datagram: bytes, source: int, now: float, stats: RelayStats) -> None:
        """A datagram from the address of another relay."""
        self._followed.receive(datagram, source, now, stats)

    def feed(self, link: Link) -> None:
        """Send a room's mix to another relay."""
        if link not in self._feeds:
            room, feed = self._open_room(link.room), Feed(link)
            self._feeds[link] = feed, room
            feed.join(self._crowd, room.add_hearer(feed))

    def follow(self, link: Link) -> None:
        """Take a room's mix from another relay."""
        if link not in self._follows:
            room, follow = self._open_room(link.room), Follow(link)
            self._follows[link] = follow, room
            self._followed.add(follow)
            self._peers.link(follow.source)
            room.follow(follow)

    def cut(self, link: Link) -> None:
        """Use a link no more."""
        if link in self._feeds:
            feed, room = self._feeds.pop(link)
            room.remove_hearer(feed)
            feed.close(self._crowd)
        if link in self._follows:
            follow, room = self._follows.pop(link)
            room.unfollow(follow)
            self._followed.remove(follow)
            if follow.source not in self._followed:
                self._peers.unlink(follow.source)
            follow.close()

    def cut_room(self, name: str) -> None:
        """Use no link of this room any more."""
        for link in [*self._feeds, *self._follows]:
            if link.room == name:
                self.cut(link)
