"""The event log of a recorded Space: what happened, sealed and on the timeline of the sound.

The server writes it itself, an event at a time: whatever is killed, what had happened is written.
"""

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from media.recorder.sealed_file import SealedFile
from media.recorder.space_recorder import SUFFIX
from media.space.events import Events

log = logging.getLogger(__name__)


class EventLog:
    """One file of the folder of a Space, new for each process that writes."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Begin.

        :raises OSError: the folder cannot be written
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: SealedFile | None = SealedFile(folder / f"{secrets.token_hex(8)}{SUFFIX}", key)
        self._write([{"track": "events"}])

    def note(self, ms: int, events: Events) -> None:
        """Write what happened ``ms`` after the start; a disk that refuses is in the log, and the Space goes on."""
        self._write(
            {"ms": ms, "event": type(event).__name__}
            | {name: value for name, value in asdict(event).items() if name != "at"}
            for event in events
        )

    def end(self) -> None:
        """Write the mark of a clean end."""
        if self._file is not None:
            try:
                self._file.end()
            except OSError as error:
                log.error("The event log of a Space has no end: %s.", error.strerror)
            self._file = None

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        if self._file is None:
            return
        try:
            self._file.write([json.dumps(line).encode() for line in lines])
        except OSError as error:
            log.error("The event log of a Space goes no further: %s.", error.strerror)
            self._file = None
