"""What was recorded of one Space, opened: its tracks and its events."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from media.recording.sealing import Ending, unseal
from media.recording.track import about_of
from media.recording.track_reader import Track

log = logging.getLogger(__name__)


class Evidence:
    """Tracks by user, the mix under None, and what happened."""

    def __init__(
        self, tracks: dict[str | None, Track], events: list[dict[str, Any]], endings: Counter[Ending]
    ) -> None:
        self.tracks, self.events = tracks, events
        self.endings = endings
        """How many files are whole, cut (while they are written, or by a kill) and broken."""

    @property
    def end_ms(self) -> int:
        """Where the last sound ends."""
        return max((track.end_ms for track in self.tracks.values()), default=0)


def read_evidence(folder: Path, key: bytes) -> Evidence:
    """Open a folder; what was cut or damaged is read as far as it is genuine, and the log names the file.

    Blocks, the longer the more was said.
    """
    files: defaultdict[str | None, list[Sequence[bytes]]] = defaultdict(list)
    events: list[dict[str, Any]] = []
    endings = Counter[Ending]()
    for path in sorted(folder.glob("*.spseal")):
        opened = unseal(path.read_bytes(), key)
        endings[opened.ending] += 1
        if opened.ending is Ending.BROKEN:
            log.warning("%s is damaged; %d records of it are genuine.", path, len(opened.records))
        if not opened.records:
            continue
        about = about_of(opened.records[0])
        if about["track"] == "events":
            events += [json.loads(record) for record in opened.records[1:] if record]
        else:
            files[about.get("user_id")].append(opened.records[1:])
    events.sort(key=lambda event: event["ms"])
    return Evidence({user_id: Track(records) for user_id, records in files.items()}, events, endings)
