"""Files that are there whole or not at all: written under another name, on the disk, and only then renamed."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PART: Final = ".part"
"""Ends the name of a file that is being written; one that is found at a start was left by a process that died."""
_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is there."""

    size: int
    """Bytes."""
    digest: str
    """SHA-256, hexadecimal."""


def write_whole(path: Path, parts: Iterable[bytes]) -> Written:
    """Write a file for its owner's eyes.

    :raises OSError: it cannot be written, and is not there
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + PART)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for each in parts:
                file.write(each)
        return keep_whole(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def keep_whole(part: Path, path: Path) -> Written:
    """Give a file that was written elsewhere its name, once it is on the disk.

    :raises OSError: it cannot be kept
    """
    digest = hashlib.sha256()
    with part.open("rb+") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        os.fsync(file.fileno())
        size = file.tell()
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Written(size, digest.hexdigest())
