"""A log that cannot be changed unnoticed: every entry carries the hash of all before it.

Who has written the newest hash down somewhere else can tell whether anything was altered, left out or put in
before it (as in Haber and Stornetta, "How to time-stamp a digital document", 1991).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

GENESIS: Final = bytes(32)
"""What the first entry follows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    number: int
    """From 1."""
    at: float
    """Unix seconds."""
    actor: str
    act: str
    details: Mapping[str, Any]
    """Holds only what JSON holds."""
    previous: bytes
    digest: bytes


def append(previous: Entry | None, at: float, actor: str, act: str, details: Mapping[str, Any]) -> Entry:
    """Return the entry that follows another, or begins a log."""
    number = 1 if previous is None else previous.number + 1
    before = GENESIS if previous is None else previous.digest
    return Entry(number, at, actor, act, details, before, _digest(before, number, at, actor, act, details))


def first_fault(entries: Iterable[Entry]) -> int | None:
    """Return the number of the first entry, in order, that is not what was written; None if all are."""
    before, expected = GENESIS, 1
    for entry in entries:
        digest = _digest(before, expected, entry.at, entry.actor, entry.act, entry.details)
        if (entry.number, entry.previous, entry.digest) != (expected, before, digest):
            return expected
        before, expected = entry.digest, expected + 1
    return None


def _digest(previous: bytes, number: int, at: float, actor: str, act: str, details: Mapping[str, Any]) -> bytes:
    written = json.dumps(
        [number, at, actor, act, details], sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(previous + written.encode()).digest()
