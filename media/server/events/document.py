"""The streams in the OpenAPI document: each event with the schema of its data and an example."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel

from media.moderation.categories import Category
from media.server.captions.schema import CaptionData, CaptionStateData
from media.server.events import schema
from media.server.events.frame import MEDIA_TYPE, encode, retry
from media.server.events.stream import RETRY
from media.server.events.view import View, you
from media.server.room.shapes import PostOut
from media.space.space import Space
from media.space.states import State
from media.space.tickets import Purchase

_AT: Final = datetime(2026, 3, 6, 17, 0, tzinfo=UTC)


def _example_space() -> Space:
    space = Space("1DXxyRYNejbKM", "ana", _AT.timestamp(), title="What we learned from the launch")
    space.start("ana", _AT.timestamp())
    space.ask("ben", _AT.timestamp(), present=False)
    return space


_SPACE: Final = _example_space()
_NUMBER: Final = 1_772_816_400_000_000
_PIN: Final = schema.SharedData(post_id="1396580169512140802", user_id="ana", created_at=_AT)
_ABOUT: Final[dict[str, Any]] = {"space_id": _SPACE.id, "title": _SPACE.title}

_VIEW: Final = View(_SPACE)

OVER: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "It is over, and the reader knows: an `EventSource` gives up."}
}

SPACE_EVENTS: Final[Mapping[str, BaseModel]] = {
    "space": _VIEW.space,
    "stage": _VIEW.stage,
    "requests": _VIEW.requests,
    "pulse": schema.PulseData(
        participant_count=1280, listener_count=1276, reactions={"clap": 212}, speaking={"ana": -21.5}
    ),
    "you": you(_SPACE, "lea", present=True),
    "message": schema.MessageData(id="1", user_id="ben", text="Where can I read more?", created_at=_AT),
    "pins": schema.PinsData(data=[PostOut(**dict(_PIN))]),
    "shared": _PIN,
    "captions": CaptionStateData(user_ids=["ana"], paused=False),
    "caption": CaptionData(
        id="0000123400a1b2c",
        user_id="ana",
        start_ms=12_340,
        end_ms=14_100,
        text="Welcome, all of you.",
        language="en",
        automatic=True,
        corrected=False,
    ),
    "ended": schema.EndedData(state=State.ENDED, reason="host"),
}
"""What the stream of a Space tells, with examples."""

PERSON_EVENTS: Final[Mapping[str, BaseModel]] = {
    "ready": schema.ReadyData(resumed=False),
    "invited": schema.InvitedData(**_ABOUT, by="ana", role="speaker", via="message"),
    "request": schema.RequestData(**_ABOUT, status="approved", retry_at=None),
    "removed": schema.RemovedData(**_ABOUT),
    "bubble": schema.BubbleData(**_ABOUT, state=State.LIVE, creator_id="ana", user_ids=["ana"]),
    "reminder": schema.ReminderData(**_ABOUT, when="soon", scheduled_start=_AT),
    "canceled": schema.CanceledData(**_ABOUT),
    "ticket": schema.TicketData(**_ABOUT, ticket_id="5f0c3a1e9b7d4c2f8a6e1d0b3c5f7a90", state=Purchase.PAID),
    "report": schema.ReportData(report_id="417", status="acted"),
    "warning": schema.WarningData(**_ABOUT, category=Category.DISTURBANCE),
}
"""What a person's own stream tells, with examples."""


def stream(events: Mapping[str, BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of a route that streams events."""
    described = "\n".join(f"- {_first_line(data)}" for data in events.values())
    return {
        200: {
            "description": "Server-Sent Events, until the stream ends. Each has an `event` and `data` in JSON, "
            f"some have an `id`, a number that grows:\n\n{described}",
            "headers": {
                "Cache-Control": {"schema": {"const": "no-store"}},
                "X-Accel-Buffering": {"schema": {"const": "no"}},
            },
            "content": {
                MEDIA_TYPE: {
                    "schema": {"oneOf": [_schema(name, data) for name, data in events.items()]},
                    "examples": {name: _example(name, data) for name, data in events.items()},
                }
            },
        },
    }


def _schema(name: str, data: BaseModel) -> dict[str, Any]:
    full = type(data).model_json_schema(mode="serialization")
    inlined = _inline(full, full.pop("$defs", {}))
    return {
        "title": name,
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "event": {"const": name},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": inlined},
        },
    }


def _inline(part: Any, definitions: Mapping[str, Any]) -> Any:
    """Put definitions where they are named: schemas of a media type have no place for them."""
    if isinstance(part, list):
        return [_inline(each, definitions) for each in part]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inline(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: _inline(value, definitions) for key, value in part.items()}


def _example(name: str, data: BaseModel) -> dict[str, Any]:
    beginning = retry(RETRY) if name in ("space", "ready") else b""
    shown = data.model_dump(mode="json", exclude_none=name in ("you", "request"))
    return {"summary": name, "value": (beginning + encode(name, shown, _NUMBER)).decode()}


def _first_line(data: BaseModel) -> str:
    return (type(data).__doc__ or "").splitlines()[0]
