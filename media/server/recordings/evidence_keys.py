"""The keys of evidence: each made of a master key and of a secret that can be erased.

The master key lies beside the database, and may be in its backups; the secrets lie in slots that may not
(:mod:`media.server.recordings.slot_file`). The database keeps of a secret its slot and its SHA-256, by which a
slot that was given to another Space since is told apart.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from media.recording.sealing import KEY, space_key
from media.server.recordings.slot_file import Secrets, SlotError, SlotSecrets

MASTER: Final = "evidence.key"
"""File of the master key, in the data folder."""
SLOTS: Final = "evidence.slots"
"""File of the slots, in the data folder unless it is told to be elsewhere."""


def load_master(data: Path) -> bytes:
    """Read the master key of an installation, or make it.

    :raises OSError: there is none, and none can be written
    :raises SlotError: it is not one
    """
    path = data / MASTER
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)  # whole or not at all
    master = path.read_bytes()
    if len(master) != KEY:
        raise SlotError(
            f"The master key in {path} has {len(master)} bytes and not {KEY}; put a backup of it back."
        )
    return master


def key_of(master: bytes, slots: Secrets, space_id: str, slot: int, commitment: str) -> bytes:
    """Return the key of a Space.

    :raises SlotError: its secret was erased
    """
    secret = slots.secret(slot)
    if _commitment(secret) != commitment:
        raise SlotError(f"Slot {slot} holds the secret of another Space; this one's was erased.")
    return space_key(master, secret, space_id)


class EvidenceKeys:
    """Makes, finds and destroys the keys of Spaces."""

    def __init__(self, master: bytes, slots: SlotSecrets) -> None:
        self._master, self._slots = master, slots

    def take(self) -> tuple[int, str]:
        """Take a slot for a Space; return its number and the commitment to its secret.

        :raises SlotError: none can be had
        """
        number, secret = self._slots.take()
        return number, _commitment(secret)

    def key(self, space_id: str, slot: int, commitment: str) -> bytes:
        """See :func:`key_of`."""
        return key_of(self._master, self._slots, space_id, slot, commitment)

    def erase(self, taken: Sequence[tuple[int, str]]) -> None:
        """Destroy the secrets of slots that still hold what was committed to.

        :raises SlotError: one may still be there
        """
        still: list[int] = []
        for slot, commitment in taken:
            try:
                if _commitment(self._slots.secret(slot)) == commitment:
                    still.append(slot)
            except SlotError:
                continue  # erased before, by a run that was killed before it could say so
        self._slots.erase(*still)

    def close(self) -> None:
        """Let the slots go."""
        self._slots.close()


def _commitment(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
