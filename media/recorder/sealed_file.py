"""A sealed file that is appended to: whole records, or none of them."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from media.recording.sealing import SALT, Sealer


class SealedFile:
    """New, and for its owner's eyes; what cannot be written is cut off again, so that all before it opens."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Make the file.

        :raises OSError: it cannot be made, or is there
        """
        self._sealer = Sealer(key, secrets.token_bytes(SALT))
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        try:
            self._append(self._sealer.head)
        except OSError:
            path.unlink()
            raise

    def write(self, records: Iterable[bytes]) -> None:
        """Append records.

        :raises OSError: they could not be written; the file ends before them, and is closed
        """
        self._append(b"".join(map(self._sealer.seal, records)))

    def end(self) -> None:
        """Append the mark of a clean end, and close.

        :raises OSError: the mark could not be written; the file is closed
        """
        self._append(self._sealer.end())
        os.close(self._fd)

    def _append(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data) if data else 0
            if written != len(data):
                raise OSError(28, os.strerror(28))  # the disk took a part of it: it is full
        except OSError:
            os.ftruncate(self._fd, self._size)
            os.close(self._fd)
            raise
        self._size += written
