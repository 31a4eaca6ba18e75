"""Chapters of a conversation: where another speaker takes over, and not for every word between."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

WINDOW_MS: Final = 15_000
"""Whoever speaks most in so long has the floor: half of all turns in conversation are shorter than 2 s, and a list
of those is of no use to anybody."""


class Turn(NamedTuple):
    """Speech of somebody, in milliseconds since the Space started."""

    user_id: str
    start_ms: int
    end_ms: int


def chapters_of(turns: Iterable[Turn], start_ms: int, end_ms: int) -> list[Turn]:
    """Return who has the floor from when to when, without gaps; empty where nobody speaks at all.

    A window in which nobody speaks belongs to the chapter before it, or to the first.
    """
    spoken: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for user_id, first, last in turns:
        at, last = max(first, start_ms), min(last, end_ms)
        while at < last:
            window = (at - start_ms) // WINDOW_MS
            until = min(last, start_ms + (window + 1) * WINDOW_MS)
            spoken[window][user_id] += until - at
            at = until
    chapters: list[Turn] = []
    for window in sorted(spoken):
        has_floor = max(spoken[window], key=lambda user_id: (spoken[window][user_id], user_id))
        if chapters and chapters[-1].user_id == has_floor:
            continue
        begins = start_ms + window * WINDOW_MS if chapters else start_ms
        if chapters:
            chapters[-1] = chapters[-1]._replace(end_ms=begins)
        chapters.append(Turn(has_floor, begins, end_ms))
    return chapters
