"""Whose sound is in the ring that a recorder fills, and from which moment of which Space it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from media.captions.scheduler import Track
from media.recording.ring import Heard, Named, Ring, read_frames


@dataclass(frozen=True, slots=True)
class Sound:
    """A packet of a speaker."""

    track: Track
    at_ms: int
    """Milliseconds since the Space started."""
    payload: bytes


class Listening:
    """Reads a ring: only the packets of those who consented, whoever else may be in it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._names: dict[int, Track] = {}
        self._origins: dict[Track, int] = {}

    def begin(self, track: Track, origin_us: int) -> None:
        """Take the packets of a speaker; ``origin_us`` is when the Space started (monotonic)."""
        self._origins[track] = origin_us

    def withdraw(self, track: Track) -> None:
        """Take no packet of a speaker any more."""
        self._origins.pop(track, None)

    def read(self) -> Iterator[Sound]:
        """Yield what has come since the last time."""
        if not self._ring.unread:
            return
        for each in read_frames(self._ring.read()):
            match each:
                case Named(speaker=number, name=name):
                    space_id, _, user_id = name.partition(" ")
                    self._names[number] = (space_id, user_id)
                case Heard(speaker=number, us=us, payload=payload):
                    track = self._names.get(number)
                    if track is not None and (origin := self._origins.get(track)) is not None and us >= origin:
                        yield Sound(track, (us - origin) // 1000, payload)
                case _:
                    pass
