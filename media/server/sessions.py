"""Who is connected with what: the media sessions of people, as the control plane knows them.

A person may hold several sessions (one to speak, one to listen); the person is present while at least one of
them is up. The Space itself only counts, so names in the crowd are known here and nowhere else.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["whip", "whep"]
Source = Literal["bubble", "link", "search", "notification", "direct"]
"""What brought somebody, as their client says."""

LOST_KEPT = 50_000
"""Lost sessions remembered, so that their owners are told to join again: more than one relay can lose at once."""


@dataclass(slots=True)
class MediaSession:
    """One WHIP or WHEP session."""

    id: str
    space: str
    person: str
    kind: Kind
    anonymous: bool = False
    renamed: bool = False
    """Whether the person took a name after joining; the relay goes on calling them what it did."""
    ice: str = ""
    """Names its ICE session: another with each restart."""
    source: Source = "direct"
    network: str = ""
    """What counts as the address of an anonymous listener; empty if it does not count."""
    up: bool = False
    """Whether media flows: ICE and DTLS are done."""


class Sessions:
    """All sessions of one server.  No I/O: told by the API and by the events of the plane."""

    def __init__(self) -> None:
        self._by_id: dict[str, MediaSession] = {}
        self._of: dict[tuple[str, str], list[MediaSession]] = {}
        self._in: dict[str, dict[str, MediaSession]] = {}
        """Sessions by Space."""
        self._present: Counter[tuple[str, str]] = Counter()
        self._number: Counter[str] = Counter()
        """Sessions of each user in all Spaces."""
        self._from: Counter[str] = Counter()
        """Sessions without a name from each network."""
        self._lost: OrderedDict[str, tuple[str, Kind]] = OrderedDict()

    def __iter__(self) -> Iterator[MediaSession]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, session_id: str) -> MediaSession | None:
        """Return a session, or None if it is over or never was."""
        return self._by_id.get(session_id)

    def present(self, space: str, person: str) -> bool:
        """Whether a person is connected to a Space."""
        return self._present[space, person] > 0

    def add(self, session: MediaSession) -> None:
        """Know a session whose offer is being answered."""
        self._by_id[session.id] = session
        self._file(session)

    def up(self, session: MediaSession) -> bool:
        """Note that media flows; True if that makes the person present."""
        if session.up:
            return False
        session.up = True
        self._present[session.space, session.person] += 1
        return self._present[session.space, session.person] == 1

    def discard(self, session: MediaSession) -> bool:
        """Forget a session; True if the person is not present any more for that."""
        if self._by_id.pop(session.id, None) is None:
            return False
        self._unfile(session)
        if not session.up:
            return False
        key = (session.space, session.person)
        self._present[key] -= 1
        if self._present[key] > 0:
            return False
        del self._present[key]
        return True

    def rename(self, session: MediaSession, person: str) -> tuple[bool, bool]:
        """Let an anonymous session be that of a person.

        Returns whether somebody without a name was present by it, and whether the person is only now.
        """
        self._unfile(session)
        if session.up:
            del self._present[session.space, session.person]  # nobody else has that name
        session.person, session.anonymous, session.renamed = person, False, True
        self._file(session)
        if not session.up:
            return False, False
        self._present[session.space, person] += 1
        return True, self._present[session.space, person] == 1

    def of(self, space: str, person: str) -> list[MediaSession]:
        """Return the sessions of a person in a Space."""
        return list(self._of.get((space, person), ()))

    def number_of(self, person: str) -> int:
        """Count the sessions of a user in all Spaces."""
        return self._number[person]

    def number_from(self, network: str) -> int:
        """Count the sessions without a name from a network."""
        return self._from[network]

    def note_lost(self, session: MediaSession) -> None:
        """Remember that a session ended because its relay did."""
        self._lost[session.id] = session.space, session.kind
        if len(self._lost) > LOST_KEPT:
            self._lost.popitem(last=False)

    def was_lost(self, session_id: str, space: str, kind: Kind) -> bool:
        """Whether there was such a session, and it was lost with its relay."""
        return self._lost.get(session_id) == (space, kind)

    def forget(self, space: str, person: str | None = None) -> list[MediaSession]:
        """Forget the sessions of a person in a Space, or all of the Space, and return them: ended, not lost."""
        ended = self.of(space, person) if person is not None else list(self._in.get(space, {}).values())
        for session in ended:
            self.discard(session)
        return ended

    def _file(self, session: MediaSession) -> None:
        self._of.setdefault((session.space, session.person), []).append(session)
        self._in.setdefault(session.space, {})[session.id] = session
        counter, key = self._counted(session)
        counter[key] += 1

    def _unfile(self, session: MediaSession) -> None:
        of_the_person = self._of[session.space, session.person]
        of_the_person.remove(session)
        if not of_the_person:
            del self._of[session.space, session.person]
        of_the_space = self._in[session.space]
        del of_the_space[session.id]
        if not of_the_space:
            del self._in[session.space]
        counter, key = self._counted(session)
        counter[key] -= 1
        if not counter[key]:
            del counter[key]

    def _counted(self, session: MediaSession) -> tuple[Counter[str], str]:
        return (self._from, session.network) if session.anonymous else (self._number, session.person)
