"""What the readers of a Space are shown of its captions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caption:
    """What is shown of one speaker; times are milliseconds since the Space started.

    A partial one takes the place of the one before, a final one closes it. A final one without text takes the
    partial one back: it was nothing that was said.
    """

    space_id: str
    user_id: str
    start_ms: int
    end_ms: int
    text: str
    language: str
    final: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """The captions of a Space are paused, or not any more."""

    space_id: str
    paused: bool
