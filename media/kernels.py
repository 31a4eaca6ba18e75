"""Compiled kernels are never older than their source.

numba keeps what it has compiled for the next start, and compiles a kernel again when the file that it is in has
changed; not when another has, whose kernels were compiled into it. So what is kept belongs to one state of all
files with kernels: whoever changes one of them, or takes a newer version, has them all compiled once more.
"""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

KEPT = 3
"""States whose kernels are kept, so that going back and forth between two versions compiles nothing."""
_HERE = Path(__file__).parent
_PREFIX = "kernels-"
_KERNEL = re.compile(rb"^@(numba\.)?njit\b", re.MULTILINE)


def fingerprint(folders: Iterable[Path]) -> str:
    """Name the state of all kernels in some folders: 16 hexadecimal digits."""
    state = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            source = path.read_bytes()
            if _KERNEL.search(source):
                state.update(b"%d %s %d " % (len(path.name), path.name.encode(), len(source)))
                state.update(source)
    return state.hexdigest()[:16]


def keep_apart(
    folders: Iterable[Path] = (_HERE, _HERE.parent / "loadtest"), place: Path = _HERE / "__pycache__"
) -> None:
    """Let numba keep kernels in a folder of ``place`` that is for this state of them alone.

    To be called before the first kernel is defined. Who has set ``NUMBA_CACHE_DIR`` has decided otherwise; and
    where nothing can be written, numba looks for a place by itself.
    """
    told = os.environ.get("NUMBA_CACHE_DIR", "")
    if told and not Path(told).name.startswith(_PREFIX):  # what is ours may be of a parent that started earlier
        return
    mine = place / f"{_PREFIX}{fingerprint(folders)}"
    try:
        mine.mkdir(parents=True, exist_ok=True)
        os.utime(mine)
    except OSError:
        return
    numba = sys.modules.get("numba")
    if numba is not None:
        numba.config.CACHE_DIR = str(mine)
    os.environ["NUMBA_CACHE_DIR"] = str(mine)
    _forget_all_but(KEPT, place)


def complete() -> bool:
    """Whether a relay has had all kernels of this state compiled, so that the next one only loads them."""
    mark = _mark()
    return mark is not None and mark.exists()


def mark_complete() -> None:
    """Say that all of them are there."""
    mark = _mark()
    if mark is not None:
        with suppress(OSError):
            mark.touch()


def _mark() -> Path | None:
    folder = Path(os.environ.get("NUMBA_CACHE_DIR", ""))
    return folder / f"complete-{sys.implementation.cache_tag}" if folder.name.startswith(_PREFIX) else None


def _forget_all_but(count: int, place: Path) -> None:
    with suppress(OSError):  # another process does the same
        states = sorted(place.glob(f"{_PREFIX}*"), key=lambda path: path.stat().st_mtime)
        for old in states[:-count]:
            shutil.rmtree(old, ignore_errors=True)
