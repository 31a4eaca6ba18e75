"""The recording of one Space: a file for the mix and for each speaker, from the first packet on."""

import secrets
from pathlib import Path
from typing import Any, Final

from media.recorder.sealed_file import SealedFile
from media.recording.ring import Heard
from media.recording.track import TrackWriter

SUFFIX: Final = ".spseal"
RETRY_US: Final = 1_000_000
"""Microseconds after which a disk that refused is tried again."""


class _TrackFile:
    """A track and the file it goes to."""

    def __init__(self, path: Path, key: bytes, about: dict[str, Any]) -> None:
        self._file = SealedFile(path, key)
        self.track = TrackWriter(secrets.randbits(32), about)
        self._file.write(self.track.begin())

    def write(self, records: list[bytes]) -> None:
        if records:
            self._file.write(records)

    def end(self) -> None:
        self._file.write(self.track.end())
        self._file.end()


class SpaceRecorder:
    """Driven by packets and by time; a disk that refuses costs what came meanwhile, and nothing before it."""

    def __init__(self, folder: Path, key: bytes, origin_us: int) -> None:
        """Write into ``folder``; ``origin_us`` (monotonic) is when the Space started."""
        self._folder, self._key, self._origin = folder, key, origin_us
        self._tracks: dict[str | None, _TrackFile] = {}
        self._retry_at = 0
        self.fault: str | None = None
        """Why something is not written; None while all is."""

    def packet(self, user_id: str | None, heard: Heard) -> None:
        """Add a packet of a speaker, or of the mix (None)."""
        if heard.us < self._retry_at:
            return
        ms = max(0, (heard.us - self._origin) // 1000)
        try:
            track = self._tracks.get(user_id) or self._begin(user_id)
            track.write(track.track.packet(ms, heard.payload, heard.samples, heard.level))
        except OSError as error:
            self._refused(user_id, error, heard.us)

    def handle_timer(self, now_us: int) -> None:
        """Write what has waited long enough."""
        ms = (now_us - self._origin) // 1000
        for user_id, track in [*self._tracks.items()]:
            try:
                track.write(track.track.handle_timer(ms))
            except OSError as error:
                self._refused(user_id, error, now_us)

    def end(self) -> None:
        """Write everything and close the files."""
        for user_id, track in [*self._tracks.items()]:
            try:
                track.end()
            except OSError as error:
                self._refused(user_id, error, 0)
        self._tracks.clear()

    def _begin(self, user_id: str | None) -> _TrackFile:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = {"track": "mix"} if user_id is None else {"track": "speaker", "user_id": user_id}
        path = self._folder / f"{secrets.token_hex(8)}{SUFFIX}"  # says nothing of who speaks
        track = self._tracks[user_id] = _TrackFile(path, self._key, about)
        self.fault = None
        return track

    def _refused(self, user_id: str | None, error: OSError, now_us: int) -> None:
        """Go on in a new file once the disk takes something again."""
        self._tracks.pop(user_id, None)
        self._retry_at = now_us + RETRY_US
        self.fault = f"{self._folder} cannot be written: {error.strerror}."
