"""Secrets that can be erased: fixed slots of one file, overwritten in place.

The key of a Space's evidence is made of a master key and of the secret of its slot, so whoever overwrites the slot
has erased the evidence, wherever copies of it lie. That holds only if the old bytes are gone too: a database keeps
them in its journal, a file that is unlinked or written anew leaves them on the disk. Here the file is allocated
once, each slot lies within one sector, and writing waits for the disk (``O_DSYNC``).

On flash that remaps sectors, on file systems that copy on write, in snapshots, and on ext4 with ``data=journal``
overwriting proves nothing; :func:`doubt` names what can be seen from here. There a key service belongs behind
:class:`SlotSecrets`. The file must be in no backup that lives longer than the evidence.
"""

import fcntl
import os
import secrets
import struct
from pathlib import Path
from typing import Final, Protocol

SECRET: Final = 32
"""Bytes of a secret."""
SLOT: Final = 64
"""Bytes of a slot: eight to a sector of 512, and never across two."""
SLOTS: Final = 4_096
"""Slots that are allocated at a time."""
_MAGIC: Final = b"SPSLOT01"
_FREE, _TAKEN = b"\x00", b"\x01"
_COPYING: Final = frozenset({"btrfs", "zfs", "bcachefs", "overlay", "f2fs", "nilfs2"})
"""File systems that write to another place than before."""


class Secrets(Protocol):
    """Knows secrets by their numbers."""

    def secret(self, number: int) -> bytes:
        """Return the secret of a slot.

        :raises SlotError: nobody has it
        """
        ...

    def close(self) -> None:
        """Let them go."""
        ...


class SlotSecrets(Secrets, Protocol):
    """Gives them out, too, and can forget one for good."""

    def take(self) -> tuple[int, bytes]:
        """Return the number and the secret of a slot that nobody has."""
        ...

    def erase(self, *numbers: int) -> None:
        """Destroy secrets; when this returns, nothing can bring them back. Erased twice is erased.

        :raises SlotError: one may still be there
        """
        ...


class SlotError(RuntimeError):
    """The slots cannot do what was asked; the message is one sentence for the operator."""


class SlotReader:
    """Slots in a file of this machine, to be read beside whoever has the file."""

    def __init__(self, path: Path, flags: int = os.O_RDONLY) -> None:
        """Open the file.

        :raises SlotError: it cannot be opened
        """
        self._path = path
        try:
            self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SlotError(f"The slot file {path} cannot be opened: {error.strerror}.") from error

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)

    def secret(self, number: int) -> bytes:
        """See :class:`SlotSecrets`."""
        if not 1 <= number < self._count or self._state(number) != _TAKEN:
            raise SlotError(f"Slot {number} holds no secret; it was erased, or never taken.")
        return os.pread(self._fd, SECRET, number * SLOT)

    @property
    def _count(self) -> int:
        return os.fstat(self._fd).st_size // SLOT

    def _state(self, number: int) -> bytes:
        return os.pread(self._fd, 1, number * SLOT + SECRET)


class SlotFile(SlotReader):
    """The same, for the one process that takes and erases."""

    def __init__(self, path: Path, slots: int = SLOTS) -> None:
        """Open the file, or allocate it.

        :raises SlotError: it is another's, is no slot file, or cannot be written
        """
        super().__init__(path, os.O_RDWR | os.O_CREAT | os.O_DSYNC)
        self._grow_by = slots
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = os.fstat(self._fd).st_size
            if size == 0:
                self._grow(0)
                _sync_folder(path.parent)
            elif os.pread(self._fd, len(_MAGIC), 0) != _MAGIC or size % SLOT:
                raise SlotError(f"{path} is no slot file; name another, or move it away.")
            self._free = [n for n in range(1, self._count) if self._state(n) == _FREE]
            self._unsynced = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            """The same file, to write several slots and then wait for the disk once."""
        except BlockingIOError:
            os.close(self._fd)
            raise SlotError(f"The slot file {path} is in use by another process; stop that one first.") from None
        except OSError as error:
            os.close(self._fd)
            raise SlotError(f"The slot file {path} cannot be written: {error.strerror}.") from error
        except SlotError:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let the file go."""
        os.close(self._unsynced)
        super().close()

    def take(self) -> tuple[int, bytes]:
        """See :class:`SlotSecrets`."""
        try:
            if not self._free:
                before = self._count
                self._grow(before)
                self._free = list(range(before, self._count))
            number, secret = self._free.pop(0), secrets.token_bytes(SECRET)
            self._write(number, secret, _TAKEN)
        except OSError as error:
            raise SlotError(f"The slot file {self._path} cannot be written: {error.strerror}.") from error
        return number, secret

    def erase(self, *numbers: int) -> None:
        """See :class:`SlotSecrets`; several wait for the disk together."""
        taken = [number for number in numbers if 1 <= number < self._count and self._state(number) != _FREE]
        noise = {number: secrets.token_bytes(SECRET) for number in taken}
        try:
            for number in taken:
                self._write(number, noise[number], _FREE, self._unsynced)
            os.fdatasync(self._unsynced)
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)  # so that it is read from the disk
            found = {number: os.pread(self._fd, SECRET, number * SLOT) for number in taken}
        except OSError as error:
            raise SlotError(f"Slots of {self._path} cannot be erased: {error.strerror}.") from error
        for number in taken:
            if found[number] != noise[number]:
                raise SlotError(
                    f"Slot {number} of {self._path} reads other than it was written; replace the disk."
                )
            self._free.append(number)

    def _write(self, number: int, secret: bytes, state: bytes, fd: int | None = None) -> None:
        slot = (secret + state).ljust(SLOT, b"\0")
        if os.pwrite(self._fd if fd is None else fd, slot, number * SLOT) != SLOT:
            raise OSError(28, "the disk is full")

    def _grow(self, slots: int) -> None:
        """Allocate more slots: written, since a hole would be given its place on the disk only later."""
        more = bytearray(SLOT * self._grow_by)
        if slots == 0:
            struct.pack_into("<8s", more, 0, _MAGIC)
        written = os.pwrite(self._fd, more, slots * SLOT)
        if written != len(more):
            os.ftruncate(self._fd, slots * SLOT)
            raise OSError(28, "the disk is full")
        os.fsync(self._fd)


def doubt(path: Path, mounts: str | None = None) -> str | None:
    """Say why overwriting may prove nothing where a file lies; None if nothing is known against it.

    :param mounts: what ``/proc/self/mounts`` says, in another's words
    """
    found: tuple[int, str, str] = -1, "", ""
    place = path.resolve()
    for line in (Path("/proc/self/mounts").read_text() if mounts is None else mounts).splitlines():
        _, at, kind, options, *_ = line.split(" ")
        folder = Path(at.encode().decode("unicode_escape"))
        if place.is_relative_to(folder) and len(folder.parts) >= found[0]:
            found = len(folder.parts), kind, options
    _, kind, options = found
    if kind in _COPYING:
        return (
            f"{path} lies on {kind}, which writes to another place than before: what is erased may still be there."
        )
    if kind == "ext4" and "data=journal" in options.split(","):
        return f"{path} lies on ext4 with data=journal: what is erased may still be in the journal."
    return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
