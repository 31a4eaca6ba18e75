"""What goes to a process of captions, and what comes back.

To it go frames of a length, a kind and what it has to say; sound is the most of it, so packets are binary and
everything else is JSON. Back come lines of JSON.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Final

from media.captions.captioner import Caption
from media.captions.scheduler import Paused

_HEAD: Final = struct.Struct("!IB")
"""Bytes that follow the length, and the kind."""
_PACKET: Final = struct.Struct("!II")
"""Number of the track, and milliseconds since the Space started."""
FRAME_MAX: Final = 1 << 20


class _Kind(IntEnum):
    BEGAN = 0
    WITHDRAWN = 1
    AUDIENCES = 2
    SOUND = 3


class FrameError(ValueError):
    """What came is no frame; nothing after it can be read."""


@dataclass(frozen=True, slots=True)
class Began:
    """A speaker consents, and is known by a number from now on."""

    track: int
    space_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A speaker consents no more, or is gone: what was said and is not shown yet is forgotten."""

    track: int


@dataclass(frozen=True, slots=True)
class Audiences:
    """How many listen to each Space that has captions; no other has any more."""

    listeners: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """20 ms or more of a speaker's sound, as Opus."""

    track: int
    at_ms: int
    payload: bytes


Frame = Began | Withdrawn | Audiences | Packet


@dataclass(frozen=True, slots=True)
class Alive:
    """Said once a second; the first time when the model is loaded."""

    model: str
    waiting: int
    """Phrases."""
    rss: int
    """Bytes of memory."""
    dropped_partials: int


Answer = Caption | Paused | Alive
_ANSWERS: Final[Mapping[str, type[Answer]]] = {"caption": Caption, "paused": Paused, "alive": Alive}


def encode(frame: Frame) -> bytes:
    """Write a frame."""
    match frame:
        case Packet(track, at_ms, payload):
            kind, body = _Kind.SOUND, _PACKET.pack(track, at_ms) + payload
        case Began():
            kind, body = _Kind.BEGAN, json.dumps([frame.track, frame.space_id, frame.user_id]).encode()
        case Withdrawn():
            kind, body = _Kind.WITHDRAWN, json.dumps([frame.track]).encode()
        case Audiences():
            kind, body = _Kind.AUDIENCES, json.dumps([dict(frame.listeners)]).encode()
    return _HEAD.pack(len(body), kind) + body


class FrameReader:
    """Frames out of what comes through a stream socket, however it is cut."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take what was read, and yield what is whole.

        :raises FrameError: what came is no frame
        """
        self._held += data
        at = 0
        while len(self._held) - at >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._held, at)
            if length > FRAME_MAX:
                raise FrameError(f"A frame has {length} bytes; {FRAME_MAX} are the most.")
            end = at + _HEAD.size + length
            if len(self._held) < end:
                break
            yield _decode(kind, bytes(self._held[at + _HEAD.size : end]))
            at = end
        del self._held[:at]


def answer_line(answer: Answer) -> bytes:
    """Write an answer as a line of JSON."""
    name = next(name for name, kind in _ANSWERS.items() if kind is type(answer))
    return json.dumps({"kind": name, **asdict(answer)}, ensure_ascii=False).encode() + b"\n"


def answer_of(line: bytes) -> Answer:
    """Read an answer.

    :raises FrameError: it is none
    """
    try:
        fields: dict[str, Any] = json.loads(line)
        return _ANSWERS[fields.pop("kind")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FrameError(f"A line is no answer of captions: {error}") from None


def _decode(kind: int, body: bytes) -> Frame:
    try:
        match kind:
            case _Kind.SOUND:
                track, at_ms = _PACKET.unpack_from(body)
                return Packet(track, at_ms, body[_PACKET.size :])
            case _Kind.BEGAN:
                return Began(*json.loads(body))
            case _Kind.WITHDRAWN:
                return Withdrawn(*json.loads(body))
            case _Kind.AUDIENCES:
                return Audiences(*json.loads(body))
            case _:
                raise FrameError(f"There is no frame of kind {kind}.")
    except (ValueError, TypeError, struct.error) as error:
        raise FrameError(f"A frame cannot be read: {error}") from None
