"""What the two ends of a relay's socket say to each other: frames of a length and a JSON array.

The first element says what the rest is. From the control plane:

    [number, command, argument, …]      a method of :class:`media.relay.plane.RelayPlane`, "stop", or
                                        "ping", which is answered with "alive"

and from the relay:

    ["alive"]                            it starts, or was asked
    ["compiling", number, total, kernel] how far its kernels are, at the first start
    ["ready"]                            kernels compiled, sessions can be added
    ["done", number, result]             the command's result
    ["failed", number, kind, sentence]   the error it raised
    ["event", kind, field, …]            a :data:`media.relay.plane.PlaneEvent`
"""

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

from media.relay.plane import (
    Levels,
    Link,
    OfferError,
    PlaneError,
    PlaneEvent,
    RelayFullError,
    SessionDown,
    SessionUp,
)
from media.relay.stats import HISTOGRAMS, Histogram, RelayStats

_EVENTS: dict[str, type[PlaneEvent]] = {kind.__name__: kind for kind in (SessionUp, SessionDown, Levels)}
_ERRORS: dict[str, type[Exception]] = {kind.__name__: kind for kind in (OfferError, PlaneError, RelayFullError)}
_SIZE = 4
"""Bytes of a frame's length, big-endian."""


def frame(*message: Any) -> bytes:
    """One message as it goes through the socket."""
    body = _encode(message).encode()
    return len(body).to_bytes(_SIZE, "big") + body


class Splitter:
    """Messages out of what comes through a stream socket, however it is cut."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._rest = b""

    def __bool__(self) -> bool:
        """A whole message is there."""
        return bool(self._frames)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        if self._rest:
            data = self._rest + data
        at = 0
        while len(data) >= at + _SIZE:
            end = at + _SIZE + int.from_bytes(data[at : at + _SIZE], "big")
            if end > len(data):
                break
            self._frames.append(data[at + _SIZE : end])
            at = end
        self._rest = data[at:]

    def next(self) -> list[Any] | None:
        """The oldest message that is whole, once; None if there is none."""
        return json.loads(self._frames.popleft()) if self._frames else None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return vars(value) if isinstance(value, RelayStats | Histogram) else list(astuple(value))


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def link_of(parts: list[Any]) -> Link:
    """A link as JSON has it."""
    room, participant, home, other, ssrc, key = parts
    return Link(room, participant, tuple(home), tuple(other), ssrc, bytes.fromhex(key))


def event_frame(event: PlaneEvent) -> bytes:
    """An event on its way to the control plane."""
    return frame("event", type(event).__name__, *(getattr(event, field.name) for field in fields(event)))


def event_of(kind: str, values: Sequence[Any]) -> PlaneEvent:
    """The event in an "event" message."""
    return _EVENTS[kind](*values)


def error_of(kind: str, sentence: str) -> Exception:
    """The error in a "failed" message; a bug of the relay's own is a ``RuntimeError`` here."""
    return _ERRORS.get(kind, RuntimeError)(sentence)


def stats_of(values: dict[str, Any]) -> RelayStats:
    """Counters as JSON has them."""
    stats = RelayStats()
    for name, value in values.items():
        if isinstance(getattr(stats, name), Counter):
            value = Counter(value)
        setattr(stats, name, value)
    for name in HISTOGRAMS:
        setattr(stats, name, {key: Histogram(**histogram) for key, histogram in values[name].items()})
    return stats
