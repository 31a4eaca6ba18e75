"""A channel: events in their order, what of them is remembered, and who reads.

An event's number is the time at which it was published, in microseconds, made to grow. So a number from before a
restart, or from a channel that has been forgotten since, is older than all that this channel knows: its reader is
given the present state instead of a wrong continuation, and nothing has to be stored for that.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from media.server.events.frame import encode
from media.server.events.reader import Reader

BACKLOG: Final = 256
"""Events that are remembered for readers who come back; readings of the moment are not among them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as it is sent to all who may see it."""

    number: int
    frame: bytes
    only: frozenset[str] | None
    """Whom it is for; None for everyone."""
    managers: bool
    """Whether it is for those alone who are host or co-host when it is sent."""


class Channel:
    """No I/O and no clock: ``now`` is an argument, in Unix seconds."""

    def __init__(self, now: float, backlog: int = BACKLOG) -> None:
        self.last = number_at(now)
        """The newest number."""
        self.managers: frozenset[str] = frozenset()
        self.readers: dict[str | None, set[Reader]] = {}
        self.published = 0
        """Events sent, each counted once for each reader."""
        self._complete_after = self.last
        """All that was published after this number, and is to be remembered, is."""
        self._backlog: deque[Event] = deque()
        self._length = backlog

    def __len__(self) -> int:
        return sum(len(readers) for readers in self.readers.values())

    def __iter__(self) -> Iterator[Reader]:
        for readers in self.readers.values():
            yield from readers

    def publish(
        self,
        name: str,
        data: object,
        now: float,
        *,
        only: Collection[str] | None = None,
        managers: bool = False,
        remember: bool = True,
    ) -> None:
        """Encode an event once, and queue it for every reader who may see it."""
        self.last = max(self.last + 1, number_at(now))
        whom = None if only is None else frozenset(only)
        event = Event(self.last, encode(name, data, self.last), whom, managers)
        if remember:
            self._backlog.append(event)
            if len(self._backlog) > self._length:
                self._complete_after = self._backlog.popleft().number
        persons = self.managers if managers else whom
        for reader in list(self) if persons is None else self.of(persons):
            reader.put(event.frame, now)
            self.published += 1

    def missed(self, after: int, person: str | None) -> list[bytes] | None:
        """Return the frames after a number that a person may see; None if not all of them are known any more."""
        if not self._complete_after <= after <= self.last:
            return None
        return [event.frame for event in self._backlog if event.number > after and self._sees(person, event)]

    def of(self, persons: Collection[str | None]) -> list[Reader]:
        """Return the readers of some people."""
        return [reader for person in persons for reader in self.readers.get(person, ())]

    def add(self, reader: Reader) -> None:
        """Send a reader whatever is published from now on."""
        self.readers.setdefault(reader.person, set()).add(reader)

    def discard(self, reader: Reader) -> None:
        """Send a reader nothing any more."""
        mine = self.readers.get(reader.person, set())
        mine.discard(reader)
        if not mine:
            self.readers.pop(reader.person, None)

    def _sees(self, person: str | None, event: Event) -> bool:
        if event.managers and person not in self.managers:
            return False
        return event.only is None or person in event.only


def number_at(now: float) -> int:
    """Return the number of a time (Unix seconds): 16 digits, exact in JavaScript."""
    return int(now * 1e6)
