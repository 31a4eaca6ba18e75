"""The sessions of a relay by name, by room and by participant, so that no command looks through all of them."""

from media.relay.peer import Peer
from media.relay.room import Room


class SessionIndex:
    """Driven by the media thread alone, as all that the core keeps."""

    def __init__(self) -> None:
        self._by_name: dict[str, Peer] = {}
        self._by_room: dict[Room, dict[str, list[Peer]]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Peer:
        return self._by_name[name]

    def get(self, name: str) -> Peer | None:
        """The session of that name, None if there is none."""
        return self._by_name.get(name)

    def add(self, peer: Peer) -> None:
        """Know a session."""
        self._by_name[peer.name] = peer
        self._by_room.setdefault(peer.room, {}).setdefault(peer.participant, []).append(peer)

    def remove(self, peer: Peer) -> None:
        """Forget a session."""
        del self._by_name[peer.name]
        self._unfile(peer)

    def rename(self, peer: Peer, participant: str) -> None:
        """Let a session be that of another participant."""
        self._unfile(peer)
        peer.participant = participant
        self._by_room.setdefault(peer.room, {}).setdefault(participant, []).append(peer)

    def of_participant(self, room: Room, participant: str) -> list[Peer]:
        """The sessions of one participant in a room, oldest first."""
        return [*self._by_room.get(room, {}).get(participant, ())]

    def take_room(self, room: Room) -> list[Peer]:
        """Forget the sessions of a room, and return them."""
        peers = [peer for own in self._by_room.pop(room, {}).values() for peer in own]
        for peer in peers:
            del self._by_name[peer.name]
        return peers

    def _unfile(self, peer: Peer) -> None:
        own = self._by_room[peer.room]
        own[peer.participant].remove(peer)
        if not own[peer.participant]:
            del own[peer.participant]
        if not own:
            del self._by_room[peer.room]
