"""What a server and its process of captions say to each other: lines of JSON, each with its kind.

Sound does not pass here: it comes from the recorder, through a ring (:mod:`media.recording.ring`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from media.captions.shown import Caption, Paused

LINE_MAX: Final = 1 << 20
"""Bytes of a line; the audiences of twenty thousand Spaces fit."""


class MessageError(ValueError):
    """A line that is no message."""


@dataclass(frozen=True, slots=True)
class Began:
    """A speaker consents: their packets may be used from now on."""

    space_id: str
    user_id: str
    origin_us: int
    """When the Space started, in microseconds of the machine's monotonic clock, as the ring counts."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A speaker consents no more: what was said and is not shown yet is forgotten."""

    space_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Audiences:
    """How many listen to each Space that has captions; no other has any more."""

    listeners: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Again:
    """A passage of a Space that is over is to be recognised once more, when nothing live waits."""

    space_id: str
    line_id: str
    start_ms: int
    end_ms: int
    packets: Sequence[tuple[int, str]]
    """Milliseconds since the Space started, and Opus in base64."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a passage came out as; without text it was nothing that was said."""

    space_id: str
    line_id: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Alive:
    """Said once a second; the first time when the model is loaded."""

    model: str
    waiting: int
    """Phrases."""
    rss: int
    """Bytes of memory."""
    dropped_partials: int


Message = Began | Withdrawn | Audiences | Again | Caption | Paused | Rewritten | Alive
_KINDS: Final[Mapping[str, type[Message]]] = {
    kind.__name__.lower(): kind for kind in (Began, Withdrawn, Audiences, Again, Caption, Paused, Rewritten, Alive)
}


def line_of(message: Message) -> bytes:
    """Write a message."""
    name = type(message).__name__.lower()
    return json.dumps({"kind": name, **asdict(message)}, ensure_ascii=False).encode() + b"\n"


def message_of(line: bytes) -> Message:
    """Read a message.

    :raises MessageError: it is none
    """
    try:
        fields: dict[str, Any] = json.loads(line)
        return _KINDS[fields.pop("kind")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MessageError(f"A line is no message of captions: {error!r}") from None
