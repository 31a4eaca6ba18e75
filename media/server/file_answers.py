"""A file as an answer, whole or in part (RFC 9110 section 14), so that a player can seek and a download go on.

One range is given; of several, or of what is no range, the whole file is sent, as the RFC lets a server do. A
validator is strong: the digest of the file.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from media.server.errors import Problem

BLOCK: Final = 1 << 16
"""Bytes that are read and sent at a time."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that does not change under its digest."""

    path: Path
    size: int
    digest: str
    changed_at: float
    """Unix seconds."""
    media_type: str

    @property
    def etag(self) -> str:
        """The strong validator."""
        return f'"{self.digest[:32]}"'

    @property
    def last_modified(self) -> str:
        """As HTTP writes it."""
        return http_time(self.changed_at)


def http_time(at: float) -> str:
    """Write a time (Unix seconds) as HTTP does."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC), usegmt=True)


def is_known(request: Request, etag: str, changed_at: float | None) -> bool:
    """Whether a client has what it asks for already (RFC 9110 section 13.2.2)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    since = _time_of(request.headers.get("if-modified-since", ""))
    return since is not None and changed_at is not None and int(changed_at) <= since


async def file_answer(request: Request, kept: KeptFile, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a file, with the range of it that was asked for, or with 304.

    :raises Problem: 416, the range lies behind its end; 404, it has just been deleted
    """
    told = {"ETag": kept.etag, "Last-Modified": kept.last_modified, "Accept-Ranges": "bytes", **(headers or {})}
    if is_known(request, kept.etag, kept.changed_at):
        return Response(status_code=304, headers=told)
    start, end, status = 0, kept.size, 200
    if (asked := _asked(request, kept)) is not None:
        (start, end), status = asked, 206
        told["Content-Range"] = f"bytes {start}-{end - 1}/{kept.size}"
    try:
        file = await asyncio.to_thread(kept.path.open, "rb")
    except OSError as error:
        raise Problem(404, "unknown-file", "This file has just been deleted.") from error
    told["Content-Length"] = str(end - start)
    return StreamingResponse(_blocks(file, start, end), status, told, media_type=kept.media_type)


async def _blocks(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    with file:
        file.seek(start)
        while start < end and (block := await asyncio.to_thread(file.read, min(BLOCK, end - start))):
            start += len(block)
            yield block


def _asked(request: Request, kept: KeptFile) -> tuple[int, int] | None:
    """Return from where to where is asked for; None for all of it."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or not any(match.groups()) or not _is_same(request.headers.get("if-range"), kept):
        return None
    first, last = match.groups()
    if not first:  # so many from the end
        start, end = max(0, kept.size - int(last)), kept.size
    else:
        start, end = int(first), min(kept.size, int(last) + 1) if last else kept.size
        if last and int(last) < start:
            return None
    if start >= kept.size or start >= end:
        sentence = f"The file has {kept.size} bytes; ask for a range that begins before its end."
        raise Problem(416, "bad-range", sentence, headers={"Content-Range": f"bytes */{kept.size}"})
    return start, end


def _is_same(condition: str | None, kept: KeptFile) -> bool:
    """Whether the part that a client has is of this file (``If-Range``)."""
    if condition is None:
        return True
    return condition.strip() in (kept.etag, kept.last_modified)


def _time_of(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None
