"""Makes the files of a replay: all of it once, from the evidence, then the range that is heard, from that file.

So a replay outlives the evidence, which is erased when its time is over, and goes without it when it is deleted.
Blocks, the longer the more was said.
"""

import shutil
from pathlib import Path
from typing import Final

from media.recording.chapters import Turn
from media.recording.cutting import cut
from media.recording.waveform import thinned
from media.server.recordings.evidence import Evidence
from media.server.whole_files import PART, Written, write_whole

WHOLE: Final = "whole.ogg"
LEVEL_MS: Final = 100
"""Milliseconds of a level that is kept."""
_STEP_MS: Final = 20


def press_whole(folder: Path, evidence: Evidence, end_ms: int, title: str) -> Written:
    """Write the mix from the beginning of the Space on.

    :raises OSError: the disk does not take it
    """
    return write_whole(folder / WHOLE, [evidence.tracks[None].ogg(0, end_ms, tags_of(title))])


def press_range(folder: Path, start_ms: int, end_ms: int, title: str) -> tuple[str, Written]:
    """Write a range of the whole; return the name of its file, too.

    :raises OSError: the disk does not give or take it
    :raises ValueError: there is no sound in it
    """
    name = f"{start_ms}-{end_ms}.ogg"
    sound = cut((folder / WHOLE).read_bytes(), start_ms, end_ms, tags_of(title))
    return name, write_whole(folder / name, [sound])


def levels_of(evidence: Evidence, end_ms: int) -> bytes:
    """Return the loudness (-dBov) of each :data:`LEVEL_MS`."""
    return thinned(evidence.tracks[None].levels(0, end_ms), LEVEL_MS // _STEP_MS)


def turns_of(evidence: Evidence, end_ms: int) -> tuple[Turn, ...]:
    """Return who spoke from when to when, by when they began."""
    found = [
        Turn(user_id, spurt.start_ms, spurt.end_ms)
        for user_id, track in evidence.tracks.items()
        if user_id is not None
        for spurt in track.spurts(0, end_ms)
    ]
    return tuple(sorted(found, key=lambda turn: (turn.start_ms, turn.user_id)))


def tags_of(title: str) -> list[str]:
    """Return what the file says of itself."""
    return [f"TITLE={' '.join(title.split())}"] if title.strip() else []


def tidy(folder: Path, *keep: str) -> None:
    """Delete what is not named; what cannot be deleted stays for another time."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in keep or path.name.endswith(PART):
            path.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Delete all of it."""
    shutil.rmtree(folder, ignore_errors=True)
