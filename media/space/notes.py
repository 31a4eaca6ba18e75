"""The posts and messages of a Space: the newest of each, for who comes later."""

from collections import deque
from dataclasses import dataclass
from typing import Final

KEPT: Final = 100
"""Shared posts, and messages, that are kept."""
MESSAGES_S: Final = 20
"""Messages in a second that a Space takes: more can nobody read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A post that somebody pinned or shared."""

    number: int
    """Of all that were pinned or shared in this Space, from 1."""
    post_id: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote."""

    number: int
    person: str
    text: str
    at: float


class Notes:
    """The posts and messages of a Space, bounded, newest pin first."""

    def __init__(self) -> None:
        self.pins: list[Shown] = []
        self.shared: deque[Shown] = deque(maxlen=KEPT)
        self.messages: deque[Message] = deque(maxlen=KEPT)
        self.lately: deque[float] = deque(maxlen=MESSAGES_S)
        """When the newest messages were written, by which their number in a second is bounded; not kept."""
        self.shown_count = 0
        self.message_count = 0
        """Of all that ever were."""

    def copy(self) -> "Notes":
        """Return a second one in the same state."""
        other = Notes()
        other.pins = list(self.pins)
        other.shared.extend(self.shared)
        other.messages.extend(self.messages)
        other.lately.extend(self.lately)
        other.shown_count, other.message_count = self.shown_count, self.message_count
        return other

    def shift(self, by: float) -> None:
        """Count on after the clock was set by so many seconds."""
        self.lately = deque((at + by for at in self.lately), MESSAGES_S)

    def show(self, post_id: str, by: str, now: float) -> Shown:
        """Return a post with its number."""
        self.shown_count += 1
        return Shown(self.shown_count, post_id, by, now)
