"""Which phrase is recognised next, and what is left out when there are too many.

Sound never waits for captions, so captions have to give way: a partial phrase is recognised only while no whole
one waits, and a newer one takes its place. If whole phrases wait too long all the same, Spaces are paused, the
smallest audience first, until what is left is recognised in time.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from media.captions.phrases import Phrase
from media.captions.shown import Paused

Track = tuple[str, str]
"""Space and user."""

LATE_S: Final = 5.0
"""Seconds that a whole phrase may wait before a Space is paused."""
SETTLE_S: Final = 3.0
"""Seconds between two pauses: what is left needs time to catch up."""
CALM_S: Final = 15.0
"""Seconds without waiting after which a Space is taken up again."""
CALM_WAIT_S: Final = 1.0
"""Seconds that a phrase waits at most while all is calm."""
_WAITING_MAX: Final = 256
"""Phrases that wait at most, whatever happens: of 8 s and 16 kHz they take 131 MB."""


@dataclass(frozen=True, slots=True)
class Job:
    """A phrase that is to be recognised."""

    track: Track
    phrase: Phrase
    since: float
    """When it was complete (seconds)."""


class CaptionScheduler:
    """Phrases in, jobs out.  No clock: ``now`` is an argument, in seconds."""

    def __init__(self) -> None:
        self._finals: deque[Job] = deque()
        self._partials: dict[Track, Job] = {}
        self._audience: dict[str, int] = {}
        self._paused: list[str] = []
        self._pause_after = float("-inf")
        self._calm_since: float | None = None
        self.dropped_partials = 0

    @property
    def paused(self) -> tuple[str, ...]:
        """Spaces without captions for now, in the order in which they were paused."""
        return tuple(self._paused)

    def __len__(self) -> int:
        return len(self._finals) + len(self._partials)

    def set_audiences(self, audience: Mapping[str, int]) -> None:
        """Take the listeners of each Space that has captions; others are forgotten."""
        self._audience = dict(audience)
        self._paused = [space for space in self._paused if space in audience]
        self._keep(lambda track: track[0] in audience)

    def add(self, track: Track, phrase: Phrase, now: float) -> None:
        """Take a phrase, unless its Space is paused."""
        if track[0] in self._paused:
            return
        job = Job(track, phrase, now)
        replaced = self._partials.pop(track, None)
        if replaced is not None:
            self.dropped_partials += 1
        if not phrase.final:
            self._partials[track] = job
            return
        self._finals.append(job)
        if len(self._finals) > _WAITING_MAX:
            self._finals.popleft()

    def next(self) -> Job | None:
        """Take the phrase that is to be recognised now: the whole ones first, the longest waiting of each kind."""
        if self._finals:
            return self._finals.popleft()
        if not self._partials:
            return None
        track = min(self._partials, key=lambda each: self._partials[each].since)
        return self._partials.pop(track)

    def drop(self, space_id: str, user_id: str | None = None) -> None:
        """Forget the phrases of a Space, or of one of its users."""
        self._keep(lambda track: track[0] != space_id or user_id not in (None, track[1]))

    def review(self, now: float) -> list[Paused]:
        """Pause a Space, or take one up again; to be called every second or so."""
        waited = now - self._finals[0].since if self._finals else 0.0
        if waited > CALM_WAIT_S:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        if waited > LATE_S and now >= self._pause_after:
            return self._pause(now)
        if self._paused and self._calm_since is not None and now - self._calm_since >= CALM_S:
            space_id = max(self._paused, key=lambda each: self._audience.get(each, 0))
            self._paused.remove(space_id)
            self._calm_since = now
            return [Paused(space_id, False)]
        return []

    def _pause(self, now: float) -> list[Paused]:
        talking = {job.track[0] for job in self._finals}
        if not talking:
            return []
        space_id = min(sorted(talking), key=lambda each: self._audience.get(each, 0))
        self._pause_after = now + SETTLE_S
        self._paused.append(space_id)
        self.drop(space_id)
        return [Paused(space_id, True)]

    def _keep(self, wanted: Callable[[Track], bool]) -> None:
        self._finals = deque(job for job in self._finals if wanted(job.track))
        self._partials = {track: job for track, job in self._partials.items() if wanted(track)}
