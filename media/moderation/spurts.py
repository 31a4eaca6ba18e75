"""Talk-spurts out of levels: from when to when somebody talked, as far as the relay tells who is audible."""

from collections.abc import Collection

from media.moderation.alternation import Spurt


class Spurts:
    """Who talks in one Space.  Times in seconds on the clock of ``now``."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def hear(self, talking: Collection[str], now: float) -> list[Spurt]:
        """Take who is audible from now on; return the spurts that have ended by that, the earliest begin first."""
        for person in talking:
            self._began.setdefault(person, now)
        over = [person for person in self._began if person not in talking]
        return sorted(
            (Spurt(p, self._began.pop(p), now) for p in over), key=lambda each: (each.begin, each.person)
        )
