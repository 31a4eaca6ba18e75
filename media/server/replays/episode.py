"""A replay as it is told: who is heard in it, its chapters and its links, on the timeline of its file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from media.recording.chapters import Turn, chapters_of
from media.recording.waveform import bars_of
from media.server.replays.press import LEVEL_MS
from media.server.replays.store import Replay
from media.space.space import Space
from media.space.states import Standing

BARS: Final = 200
"""Of a waveform: as many as a page shows side by side."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who is heard."""

    user_id: str
    name: str
    role: str
    """``host`` or ``guest``, of the taxonomy of the podcast namespace."""
    spoke_ms: int


@dataclass(frozen=True, slots=True)
class Link:
    """A post that was pinned or shared."""

    post_id: str
    shown_by: str
    at_ms: int | None
    """In the file; None if it was shown before or after what is heard."""


class Episode:
    """A Space that can be heard again.  Milliseconds of the file."""

    def __init__(self, space: Space, replay: Replay, name_of: Callable[[str], str]) -> None:
        self.space, self.replay, self._name_of = space, replay, name_of

    @property
    def title(self) -> str:
        """Never empty, as a feed asks for."""
        return self.space.title.strip() or f"Space of {self._name_of(self.space.host)}"

    @property
    def duration_ms(self) -> int:
        """How long the file is."""
        return self.replay.end_ms - self.replay.start_ms

    @cached_property
    def chapters(self) -> list[tuple[str, Turn]]:
        """Who has the floor from when to when, each with the name to be shown."""
        start, end = self.replay.start_ms, self.replay.end_ms
        return [
            (self._name_of(turn.user_id), Turn(turn.user_id, turn.start_ms - start, turn.end_ms - start))
            for turn in chapters_of(self.replay.turns, start, end)
        ]

    @cached_property
    def voices(self) -> list[Voice]:
        """Who is heard, hosts first and then who spoke longest."""
        start, end = self.replay.start_ms, self.replay.end_ms
        spoke: dict[str, int] = {}
        for user_id, first, last in self.replay.turns:
            if (heard := min(last, end) - max(first, start)) > 0:
                spoke[user_id] = spoke.get(user_id, 0) + heard
        hosts = {self.space.host, *(p.person for p in self.space.people.with_standing(Standing.COHOST))}
        voices = [
            Voice(user_id, self._name_of(user_id), "host" if user_id in hosts else "guest", ms)
            for user_id, ms in spoke.items()
        ]
        return sorted(voices, key=lambda voice: (voice.role != "host", -voice.spoke_ms, voice.user_id))

    @property
    def links(self) -> list[Link]:
        """Posts that were shown, by when they were."""
        began = self.space.started_at or 0.0
        shown = {each.number: each for each in (*self.space.notes.pins, *self.space.notes.shared)}
        return [Link(each.post_id, each.by, self._at(each.at - began)) for _, each in sorted(shown.items())]

    @property
    def waveform(self) -> list[int]:
        """Bars of 0 to 100."""
        start, end = self.replay.start_ms // LEVEL_MS, -(-self.replay.end_ms // LEVEL_MS)
        return bars_of(self.replay.levels[start:end], BARS)

    def _at(self, seconds: float) -> int | None:
        ms = round(seconds * 1000) - self.replay.start_ms
        return ms if 0 <= ms < self.duration_ms else None
