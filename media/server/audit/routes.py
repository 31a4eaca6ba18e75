"""The audit log over HTTP, for admins: all of it as JSON Lines or CSV, and its head to be kept elsewhere."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from pydantic_core import to_json

from media.moderation.audit import GENESIS, Entry
from media.server.audit.audit import Audit
from media.server.auth import admin
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation/audit", tags=["Moderation"], dependencies=[Depends(admin)])
_COLUMNS: Final = ("number", "at", "actor", "act", "details", "previous", "digest")


class AuditHead(BaseModel):
    """The newest entry of the log: who keeps it can tell later whether all before it is unchanged."""

    number: int = Field(description="how many entries there are")
    at: datetime | None = Field(description="when it was written; null of an empty log")
    digest: str = Field(description="SHA-256 over it and all before it, hexadecimal", examples=[GENESIS.hex()])


async def _audit(request: Request) -> Audit:
    return request.app.state.audit


AuditHere = Annotated[Audit, Depends(_audit)]
_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}


@router.get("/head", responses=problems(403))
async def get_audit_head(audit: AuditHere) -> AuditHead:
    """Show the head of the audit log; admins only."""
    head = await audit.head()
    if head is None:
        return AuditHead(number=0, at=None, digest=GENESIS.hex())
    return AuditHead(number=head.number, at=datetime.fromtimestamp(head.at, UTC), digest=head.digest.hex())


@router.get(
    "",
    response_class=Response,
    responses=problems(403, 422)
    | {200: {"content": {"application/jsonl": _TEXT, "text/csv": _TEXT}, "description": "An entry a line."}},
)
async def get_audit_log(
    audit: AuditHere,
    form: Annotated[
        Literal["jsonl", "csv"], Query(alias="format", description="JSON Lines, or CSV with a header")
    ] = "jsonl",
    after: Annotated[int, Query(ge=0, le=2**53, description="number of the last entry that is known already")] = 0,
) -> Response:
    """Read the audit log, the oldest entry first; admins only.

    Every entry has the hash of all before it. `python -m media audit` checks them on the machine.
    """
    kind = "application/jsonl" if form == "jsonl" else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    write, head = (_json, "") if form == "jsonl" else (_csv, ",".join(_COLUMNS) + "\r\n")
    entries = audit.entries(after)
    first = await anext(entries, None)  # a store that is away is refused before the answer begins
    return StreamingResponse(_lines(first, entries, write, head), headers=headers, media_type=kind)


async def _lines(
    first: Entry | None, rest: AsyncIterator[Entry], write: Callable[[Entry], str], head: str
) -> AsyncIterator[str]:
    if head:
        yield head
    if first is not None:
        yield write(first)
    async for entry in rest:
        yield write(entry)


def _shown(entry: Entry) -> dict[str, Any]:
    fields = {name: getattr(entry, name) for name in _COLUMNS}
    return fields | {"previous": entry.previous.hex(), "digest": entry.digest.hex()}


def _json(entry: Entry) -> str:
    return to_json(_shown(entry)).decode() + "\n"


def _csv(entry: Entry) -> str:
    text = io.StringIO()
    row = _shown(entry) | {"details": to_json(entry.details).decode()}
    csv.writer(text, lineterminator="\r\n").writerow(row.values())
    return text.getvalue()
