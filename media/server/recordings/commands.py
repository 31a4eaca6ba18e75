"""What an operator does with evidence on the machine: look through it, erase what is due, try a disk."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from media.recording.sealing import Ending
from media.server.audit.audit import Audit
from media.server.recordings.evidence import read_evidence
from media.server.recordings.evidence_keys import SLOTS, EvidenceKeys, key_of, load_master
from media.server.recordings.retention import Retention
from media.server.recordings.service import FOLDER
from media.server.recordings.slot_file import SlotError, SlotFile, SlotReader, doubt
from media.server.recordings.store import Recording, RecordingStore
from media.server.recordings.tables import RECORDINGS
from media.server.store import Store

KEYS: Final = 40
"""Keys that are taken and erased to try a disk."""
_CHUNK: Final = 1 << 24


async def check(data: Path, url: str, slots: Path | None, space_id: str | None) -> list[dict[str, Any]]:
    """Open the evidence of every Space, or of one; also beside a server that runs.

    :raises SlotError: the keys cannot be read
    :raises StoreError: the database cannot be read
    """
    master, secrets = load_master(data), SlotReader(slots or data / SLOTS)
    query = sa.select(RECORDINGS).order_by(RECORDINGS.c.began_at)
    if space_id is not None:
        query = query.where(RECORDINGS.c.space_id == space_id)
    store = Store(url, patience=None)
    await store.open()
    try:
        async with store.database.connect() as connection:
            rows = [Recording(*row) for row in await connection.execute(query)]
    finally:
        await store.close()
    try:
        return [_checked(data, master, secrets, row) for row in rows]
    finally:
        secrets.close()


def _checked(data: Path, master: bytes, secrets: SlotReader, row: Recording) -> dict[str, Any]:
    said: dict[str, Any] = {"space_id": row.space_id, "began_at": row.began_at, "ended_at": row.ended_at}
    if row.erased_at is not None:
        return said | {"erased_at": row.erased_at}
    try:
        evidence = read_evidence(
            data / FOLDER / row.space_id, key_of(master, secrets, row.space_id, row.slot, row.commitment)
        )
    except SlotError as error:
        return said | {"fault": str(error)}
    tracks = [
        {
            "user_id": user_id,
            "start_ms": track.start_ms,
            "end_ms": track.end_ms,
            "packets": sum(1 for packet in track.packets(0, track.end_ms) if packet.level < 127),
        }
        for user_id, track in sorted(evidence.tracks.items(), key=lambda each: each[0] or "")
    ]
    files = {str(ending): evidence.endings[ending] for ending in Ending}
    return said | {"files": files, "events": len(evidence.events), "tracks": tracks}


async def retain(data: Path, url: str, slots: Path | None) -> int:
    """Erase what is due, as the server does every ten minutes; return how many recordings.

    :raises SlotError: a server runs, or a secret may still be there
    :raises StoreError: the database cannot be read
    """
    keys = EvidenceKeys(load_master(data), SlotFile(slots or data / SLOTS))
    store = Store(url, patience=None)
    try:
        await store.open()
        audit = Audit(store.database, time.time)
        rows = RecordingStore(store.database)
        return await Retention(rows, lambda: keys, data / FOLDER, audit, time.time).run()
    finally:
        await store.close()
        keys.close()


def try_disk(folder: Path, raw: Path) -> str:
    """Take and erase keys in a folder, look for them in the raw device, and return what was found in a line.

    :raises SlotError: the folder cannot be written
    :raises OSError: the device cannot be read
    """
    with tempfile.TemporaryDirectory(prefix="spaces-erasure-", dir=folder) as place:
        path = Path(place) / SLOTS
        slots = SlotFile(path, KEYS * 4)
        taken = dict(slots.take() for _ in range(2 * KEYS))
        erased = dict(list(taken.items())[:KEYS])
        os.sync()
        slots.erase(*erased)
        slots.close()
        os.sync()
        why = doubt(path)
        found = _found(raw, list(taken.values()))
    kept = sum(secret in found for number, secret in taken.items() if number not in erased)
    left = sum(secret in found for secret in erased.values())
    return json.dumps({"keys_found": left, "keys_erased": KEYS, "keys_kept_found": kept, "doubt": why})


def _found(raw: Path, secrets: list[bytes]) -> set[bytes]:
    """Return which of some secrets are in a file or device."""
    found: set[bytes] = set()
    for part in _overlapping(raw, len(secrets[0]) - 1):
        found |= {secret for secret in secrets if secret in part}
    return found


def _overlapping(raw: Path, overlap: int) -> Iterator[bytes]:
    before = b""
    with raw.open("rb") as file:
        while part := file.read(_CHUNK):
            yield before + part
            before = part[-overlap:]


def run(what: str, data: Path, url: str, slots: Path | None, space_id: str | None, raw: Path | None) -> str:
    """Do what the command line names; return what it prints."""
    if what == "try-disk":
        if raw is None:
            raise ValueError(
                "Name the device that the folder is on: python -m media evidence try-disk --raw DEVICE."
            )
        return try_disk(data, raw)
    if what == "retain":
        return f"The evidence of {asyncio.run(retain(data, url, slots))} Spaces was erased."
    return "\n".join(json.dumps(each) for each in asyncio.run(check(data, url, slots, space_id)))
