"""Whose a datagram is: by the fragment that a check names, and else by where it comes from.

Checks prove who sent them and not from where. So an address belongs to the peer that is connected there until
another has shaken hands from it: without that, one listener could silence any speaker.

The door's tables say the same of addresses and fragments; here they are kept up to date.
"""

from media.relay.peer import Peer
from media.rtc.inbox import key_of
from media.rtc.peers import Peers
from media.rtc.stun import Address


class Demux:
    """The peers of a port by fragment and by the key of their addresses (:func:`media.rtc.inbox.key_of`)."""

    def __init__(self, known: Peers) -> None:
        self._known = known
        self._by_ufrag: dict[str, Peer] = {}
        self._by_key: dict[int, Peer] = {}
        self._newcomers: dict[int, Peer] = {}
        """Who shakes hands at an address that is another's until they have."""

    @property
    def fragments(self) -> int:
        """How many are known."""
        return len(self._by_ufrag)

    @property
    def paths(self) -> int:
        """How many addresses are somebody's."""
        return len(self._by_key)

    @property
    def newcomers(self) -> int:
        """How many shake hands at an address that is another's."""
        return len(self._newcomers)

    def name(self, peer: Peer, ufrag: str) -> None:
        """Checks that name this fragment are the peer's."""
        self._by_ufrag[ufrag] = peer

    def unname(self, ufrag: str) -> None:
        """Nobody's any more."""
        del self._by_ufrag[ufrag]

    def named(self, username: str) -> Peer | None:
        """Whom a check's USERNAME is for: "theirs:ours", of which ours comes first in what they send."""
        return self._by_ufrag.get(username.partition(":")[0])

    def at(self, source: int) -> Peer | None:
        """Whose the address is."""
        return self._by_key.get(source)

    def claimants(self, source: int) -> list[Peer]:
        """Whoever may have answered a check of ours from there."""
        return [peer for table in (self._by_key, self._newcomers) if (peer := table.get(source))]

    def sender(self, source: int, datagram: bytes) -> Peer | None:
        """Who sent what is no check: part of a handshake may be a newcomer's (RFC 7983 tells them apart)."""
        peer = self._by_key.get(source)
        return self._newcomers.get(source, peer) if self._newcomers and 20 <= datagram[0] <= 63 else peer

    def route(self, peer: Peer, source: int) -> None:
        """An authentic check of ``peer`` came from there."""
        holder = self._by_key.get(source)
        if holder is None or holder is peer or not holder.up:
            self._by_key[source] = peer
            self._known.route(peer, source)
        elif not peer.up:
            self._newcomers[source] = peer

    def take_over(self, peer: Peer) -> None:
        """The peer's handshake is done: addresses that were another's until now are its own."""
        for key in map(key_of, peer.session.addresses):
            if self._newcomers.get(key) is peer:
                del self._newcomers[key]
                self._by_key[key] = peer
                self._known.vacate(key)
                self._known.route(peer, key)

    def unroute(self, peer: Peer, address: Address) -> None:
        """What comes from there is no longer ``peer``'s, unless it has become someone else's already."""
        key = key_of(address)
        self._known.unroute(peer, key)
        for table in (self._by_key, self._newcomers):
            if table.get(key) is peer:
                del table[key]
