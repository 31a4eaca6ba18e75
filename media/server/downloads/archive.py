"""One ZIP file, made step by step beside its place, and there when it is whole.

Names in it are chosen by this server and never made of what people wrote, so none leads out of the folder in which
somebody unpacks it.
"""

import asyncio
import json
import re
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media.server.recordings.store import EvidenceGoneError
from media.server.whole_files import PART, Written, keep_whole

ABOUT: Final = "about.json"
_NAME: Final = re.compile(r"[a-z0-9-]+(/[A-Za-z0-9]{1,16})?(/[a-z0-9-]+)?\.(json|ogg|vtt|srt|csv)")


@dataclass(frozen=True, slots=True)
class Step:
    """A file of the archive, and what makes it."""

    name: str
    make: Callable[[], Awaitable[bytes]]
    """Raises :class:`EvidenceGoneError` where there is nothing any more, which the archive then says."""


async def write_archive(path: Path, steps: Sequence[Step], progress: Callable[[float], None]) -> Written:
    """Write an archive; ``progress`` is told a share of 1 after each step.

    :raises OSError: the disk does not take it, and nothing is left of it
    """
    part = path.with_name(path.name + PART)
    missing: dict[str, str] = {}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        archive = await asyncio.to_thread(zipfile.ZipFile, part, "w", zipfile.ZIP_DEFLATED)
        with archive:
            for number, step in enumerate(steps, 1):
                try:
                    await asyncio.to_thread(_add, archive, step.name, await step.make())
                except EvidenceGoneError as error:
                    missing[step.name] = str(error)
                progress(number / (len(steps) + 1))
            about = {"files": [info.filename for info in archive.infolist()], "missing": missing}
            _add(archive, ABOUT, json.dumps(about, indent=1).encode())
        part.chmod(0o600)
        return await asyncio.to_thread(keep_whole, part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a file of an archive.")
    how = zipfile.ZIP_STORED if name.endswith(".ogg") else zipfile.ZIP_DEFLATED
    archive.writestr(zipfile.ZipInfo(name), content, compress_type=how)
