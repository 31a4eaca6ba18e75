"""One room on several relays: where it is mixed, and along which links the others hear it.

Whatever changes (a listener on another relay, a right, a relay that is lost), :meth:`Spread.settle` compares what
is with what should be and makes the difference. Rights and mutes are remembered here, because a new home must
learn them all.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from media.relay.placement import Way, links_wanted, move_room
from media.relay.plane import Link, RelayLostError, RelayPlane

KEYING_LENGTH = 28
"""Bytes of key and salt for AEAD_AES_128_GCM (RFC 7714)."""


class Spread:
    """A room of the pool; ``relays`` are those that live, ``loads`` the sessions of each, ``homes`` its rooms."""

    def __init__(
        self, name: str, relays: Mapping[int, RelayPlane], loads: Mapping[int, int], homes: Counter[int]
    ) -> None:
        self.name = name
        self.home: int | None = None
        self.sessions: Counter[Way] = Counter()
        """By relay and participant."""
        self._relays, self._loads, self._homes = relays, loads, homes
        self._links: dict[Way, tuple[int, Link]] = {}
        """With the home that feeds them."""
        self._talkers: set[str] = set()
        self._muted: set[str] = set()
        self._recorded = False
        self._closed = False
        self._settling = asyncio.Lock()

    @property
    def having(self) -> set[int]:
        """Living relays on which the room can be heard without a new link."""
        return {index for index in self._relays if index == self.home or (index, "") in self._links}

    def may_talk(self, participant: str) -> bool:
        """Whether they may be heard, so that their sessions belong to the home."""
        return participant in self._talkers

    def leave(self, relay: int, participant: str) -> None:
        """Count a participant's session on a relay out."""
        self.sessions[relay, participant] -= 1
        if not self.sessions[relay, participant]:
            del self.sessions[relay, participant]

    def count(self, relay: int) -> int:
        """Sessions of this room on a relay."""
        return sum(count for (index, _), count in self.sessions.items() if index == relay)

    async def let_talk(self, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard."""
        (self._talkers.add if allowed else self._talkers.discard)(participant)
        with suppress(RelayLostError):  # the next home is told
            if home := self._living_home():
                await home.let_talk(self.name, participant, allowed)
            await self.settle()

    async def mute(self, participant: str, muted: bool) -> None:
        """Keep a talker's sound out of the mix, or let it in again."""
        (self._muted.add if muted else self._muted.discard)(participant)
        with suppress(RelayLostError):
            if home := self._living_home():
                await home.mute(self.name, participant, muted)

    async def record(self) -> None:
        """Have the relay that mixes it give the recorder what is heard."""
        self._recorded = True
        with suppress(RelayLostError):  # the next home is told
            if home := self._living_home():
                await home.record(self.name)

    async def close(self) -> None:
        """End it on every relay."""
        self._closed = True
        async with self._settling:
            having, self._links = self.having, {}
            self._move_home(None)
            for index in having:
                with suppress(RelayLostError):
                    await self._relays[index].close_room(self.name)

    async def settle(self) -> None:
        """Bring about what should be; :raises RelayLostError: one was lost meanwhile, and that is settled then."""
        async with self._settling:
            if self._closed:
                return
            if self.home not in self._relays:
                await self._find_home()
            wanted = self._wanted()
            for way in [way for way, (home, _) in self._links.items() if home != self.home or way not in wanted]:
                await self._cut(way)
            for way in sorted(wanted - self._links.keys()):
                await self._link(way)

    def _living_home(self) -> RelayPlane | None:
        return self._relays.get(self.home) if self.home is not None else None

    def _wanted(self) -> set[Way]:
        """The links there should be."""
        return links_wanted(self.home, self.sessions, self._relays, self._talkers)

    def _move_home(self, index: int | None) -> None:
        if self.home is not None:
            self._homes[self.home] -= 1
        self.home = index
        if index is not None:
            self._homes[index] += 1

    async def _find_home(self) -> None:
        """Choose another, where most of the listeners are, and tell it who may be heard."""
        most = move_room(
            {index: self.count(index) for index in self._relays},
            {index: self._loads.get(index, 0) for index in self._relays},
            self._homes,
        )
        self._move_home(most)
        if most is None:
            return
        home = self._relays[most]
        await home.open_room(self.name)
        for way in [way for way in self._links if way[0] == most]:
            await self._cut(way)
        for participant in self._talkers | self._muted:
            await home.mute(self.name, participant, participant in self._muted)
            if participant in self._talkers:
                await home.let_talk(self.name, participant, True)
        if self._recorded:
            await home.record(self.name)

    async def _cut(self, way: Way) -> None:
        """Take a link down at both ends, where they live; a relay without listeners forgets the room."""
        feeding, link = self._links.pop(way)
        for index in (feeding, way[0]):
            if index in self._relays:
                await self._relays[index].cut(link)
        if way[0] != self.home and way[0] in self._relays and not self.count(way[0]):
            await self._relays[way[0]].close_room(self.name)

    async def _link(self, way: Way) -> None:
        assert self.home is not None
        if self.home not in self._relays or way[0] not in self._relays:
            raise RelayLostError("A relay has ended while a room was being linked; join again.")
        home, other = self._relays[self.home], self._relays[way[0]]
        link = Link(
            self.name,
            way[1],
            _reachable(home.address),
            _reachable(other.address),
            secrets.randbits(32),
            secrets.token_bytes(KEYING_LENGTH),
        )
        await other.open_room(self.name)
        self._links[way] = self.home, link
        await other.follow(link)
        await home.feed(link)


def _reachable(address: tuple[str, int]) -> tuple[str, int]:
    """Where another relay of this machine finds a port: on loopback, if it is bound to every address."""
    host, port = address
    return ("127.0.0.1" if host == "0.0.0.0" else host), port  # noqa: S104 (a comparison)
