"""What evidence costs: thirteen speakers recorded, what a kill loses, whether keys are gone, 10,000 erasures."""

import argparse
import asyncio
import hashlib
import json
import os
import secrets
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tqdm.auto import tqdm

from loadtest.bench.result import Target
from loadtest.bench.stand import SETTLE, Stand, stand
from loadtest.bench.watch import family
from loadtest.lab import LabError

TARGETS = (
    Target("core_percent", "<=", 1.0),
    Target("lost_s", "<=", 1.0),
    Target("tick_p99_growth_ms", "<=", 0.2),
    Target("keys_found", "==", 0, optional=True),
    Target("retention_s", "<=", 60.0),
)
SPEAKERS: Final = 13
DAY: Final = 86_400.0
_SLOT: Final = 64
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own flags."""
    parser.add_argument("--seconds", type=float, default=15.0, help="of recording per round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="with and without (%(default)s)")
    parser.add_argument("--kills", type=int, default=5, metavar="N", help="of the recorder (%(default)s)")
    parser.add_argument("--spaces", type=int, default=10_000, metavar="N", help="to be erased (%(default)s)")


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures from real servers, and from the commands that an operator has.

    ``core_percent`` is the recorder's CPU time while thirteen speakers talk without a pause, ``lost_s`` the most
    that was missing of a speaker after SIGKILL of the recorder. ``tick_p99_growth_ms`` is the median over rounds,
    each once with and once without recording. ``keys_found`` needs root and a loop device, and is left out else.
    """
    figures = await _cost(chosen)
    figures |= await _lost(chosen)
    figures |= await asyncio.to_thread(_keys)
    return figures | await asyncio.to_thread(_retention, chosen.spaces)


async def _cost(chosen: argparse.Namespace) -> dict[str, Any]:
    cores, growths = list[float](), list[float]()
    for _ in tqdm(range(chosen.rounds), desc="thirteen speakers", file=sys.stderr):
        ticks: dict[str, float] = {}
        for recording in ("off", "on"):
            async with stand("evidence", SPEAKERS, options=("--recording", recording)) as built:
                await asyncio.sleep(SETTLE)
                built.probe.row()
                pid = _recorder(built) if recording == "on" else None
                before, began = _cpu_seconds(pid), time.monotonic()
                await asyncio.sleep(chosen.seconds)
                built.probe.row()
                ticks[recording] = built.probe.stage_ms("tick", 0.99) or 0.0
                if pid is not None:
                    cores.append(100 * (_cpu_seconds(pid) - before) / (time.monotonic() - began))
        growths.append(ticks["on"] - ticks["off"])
    return {
        "core_percent": statistics.median(cores),
        "tick_p99_growth_ms": statistics.median(growths),
        "tick_p99_growth_most_ms": max(growths),
    }


async def _lost(chosen: argparse.Namespace) -> dict[str, Any]:
    """Kill the recorder at moments spread over a second, and compare what it left with when it was killed."""
    lost: list[float] = []
    for number in tqdm(range(chosen.kills), desc="kills", file=sys.stderr):
        async with stand("killed", 1, options=("--recording", "on")) as built:
            await asyncio.sleep(SETTLE + number / chosen.kills)
            pid = _recorder(built)
            os.kill(built.server.pid, signal.SIGSTOP)  # else another recorder would go on where this one was
            killed_at = time.time()
            os.kill(pid, signal.SIGKILL)
            left = _checked(built)
            os.kill(built.server.pid, signal.SIGCONT)
            began_at = float(left["began_at"])
            lost += [killed_at - began_at - each["end_ms"] / 1000 for each in left["tracks"]]
    return {"lost_s": max(lost), "lost_median_s": statistics.median(lost)}


def _checked(built: Stand) -> dict[str, Any]:
    words = ("evidence", "check", "--data", built.server.data, "--space", built.venue.space)
    return json.loads(_media(*words))


def _recorder(built: Stand) -> int:
    for pid in family(built.server.pid):
        if b"media.recorder" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise LabError("The server has no recorder; its log says why.")


def _cpu_seconds(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _keys() -> dict[str, Any]:
    """Try a new ext4 in an image, if this process may mount one."""
    with tempfile.TemporaryDirectory(prefix="spaces-keys-") as folder:
        image, place = Path(folder) / "disk.img", Path(folder) / "disk"
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(64 << 20)
        try:
            _call("mkfs.ext4", "-q", "-F", str(image))
            _call("mount", "-o", "loop", str(image), str(place))
        except (LabError, OSError) as error:
            return {"keys_not_tried": str(error)}
        try:
            said = json.loads(_media("evidence", "try-disk", "--data", str(place), "--raw", str(image)))
        finally:
            _call("umount", str(place))
    return {name: said[name] for name in ("keys_found", "keys_erased", "keys_kept_found")}


def _retention(spaces: int) -> dict[str, Any]:
    """Erase the evidence of so many Spaces that are over, killed once, and then once more for nothing."""
    with tempfile.TemporaryDirectory(prefix="spaces-retention-") as folder:
        data = Path(folder)
        _media("evidence", "retain", "--data", folder)  # makes database and keys
        _fill(data, spaces)
        began = time.monotonic()
        with _begun("evidence", "retain", "--data", folder) as running:
            while not _erased(data) and running.poll() is None:
                time.sleep(0.01)
            running.kill()
        killed_with = _erased(data)
        _media("evidence", "retain", "--data", folder)
        seconds = time.monotonic() - began
        again = _media("evidence", "retain", "--data", folder)
        receipts = len(set(_rows(data, "SELECT json_extract(details, '$.subject') FROM audit_log")))
        if _erased(data) != spaces or receipts != spaces or " 0 " not in again:
            raise LabError(
                f"Of {spaces} recordings {_erased(data)} were erased, with {receipts} receipts: {again}"
            )
        _media("audit", "--data", folder)
    return {"retention_s": seconds, "retention_spaces": spaces, "retention_killed_with": killed_with}


def _fill(data: Path, spaces: int) -> None:
    """Let there be evidence whose time is over: rows, slots with their secrets, and folders with a file."""
    made = [secrets.token_bytes(32) for _ in range(spaces)]
    slots = bytearray(_SLOT * (spaces + 1))
    slots[:8] = b"SPSLOT01"
    for number, secret in enumerate(made, 1):
        slots[_SLOT * number : _SLOT * number + 33] = secret + b"\x01"
    (data / "evidence.slots").write_bytes(slots)
    ended = time.time() - 31 * DAY
    with sqlite3.connect(data / "spaces.db") as database:
        for number, secret in enumerate(made, 1):
            name = f"old{number:010}"
            folder = data / "recordings" / name
            folder.mkdir(parents=True)
            (folder / "0.spseal").write_bytes(bytes(4_096))
            row = (name, number, hashlib.sha256(secret).hexdigest(), ended - 60, ended, False, False)
            database.execute(
                "INSERT INTO recordings (space_id, slot, commitment, began_at, ended_at, violation, erasing)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
    database.close()


def _erased(data: Path) -> int:
    return int(next(iter(_rows(data, "SELECT COUNT(*) FROM recordings WHERE erased_at IS NOT NULL"))))


def _rows(data: Path, query: str) -> Sequence[Any]:
    database = sqlite3.connect(data / "spaces.db", timeout=30)
    try:
        return [row[0] for row in database.execute(query)]
    finally:
        database.close()


def _media(*words: str) -> str:
    return _call(sys.executable, "-m", "media", *words)


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    if done.returncode:
        raise LabError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


@contextmanager
def _begun(*words: str) -> Generator["subprocess.Popen[bytes]"]:
    running = subprocess.Popen([sys.executable, "-m", "media", *words], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield running
    finally:
        running.kill()
        running.wait()
