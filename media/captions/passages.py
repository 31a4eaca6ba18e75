"""The final transcript: lines that follow each other, heard once more together.

A live line is cut at 8 s at the latest, in the middle of a sentence if need be. When a Space is over there is
time: lines of one speaker that follow each other are recognised again as one passage, with Whisper's whole window.
Only what was captioned is: whoever consented later, or took consent back, has no line there. Corrected lines stay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from media.captions.lines import Line

FINAL_CUT_MS: Final = 28_000
"""Longest phrase of the final transcript, for a window of 30 s."""
GAP_MS: Final = 1_000
"""Silence that a passage may have within."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of one speaker; times are milliseconds since the Space started."""

    user_id: str
    start_ms: int
    end_ms: int
    line_ids: tuple[str, ...]


def passages_of(lines: Iterable[Line]) -> Iterator[Passage]:
    """Yield what is worth another look: two automatic lines or more of one speaker, within one window."""
    held: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: (line.start_ms, line.id)):
        mine = held.setdefault(line.user_id, [])
        follows = (
            bool(mine)
            and line.automatic
            and line.start_ms - mine[-1].end_ms <= GAP_MS
            and line.end_ms - mine[0].start_ms <= FINAL_CUT_MS
        )
        if not follows:
            yield from _passage(mine)
            mine.clear()
        if line.automatic:
            mine.append(line)
    for mine in held.values():
        yield from _passage(mine)


def _passage(lines: list[Line]) -> Iterator[Passage]:
    if len(lines) > 1:
        ids = tuple(line.id for line in lines)
        yield Passage(lines[0].user_id, lines[0].start_ms, max(line.end_ms for line in lines), ids)
