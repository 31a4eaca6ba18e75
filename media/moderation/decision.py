"""What a reviewer can decide: one or several actions, and what undoes them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from media.moderation.errors import ModerationError


class Action(StrEnum):
    """What is done about a case; the server carries it out in the media path."""

    NO_VIOLATION = "no violation"
    WARN = "warn"
    MUTE = "mute"
    REVOKE_SPEECH = "remove speech rights"
    REMOVE = "remove from the Space"
    END_SPACE = "end the Space"
    SUSPEND = "suspend"


LASTING: Final = frozenset({Action.SUSPEND})
"""What can be lifted; all else has passed with its Space."""
SILENCING: Final = frozenset({Action.MUTE, Action.REVOKE_SPEECH, Action.REMOVE, Action.END_SPACE, Action.SUSPEND})
"""What ends the harm of who is talking."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reviewer decided at one time (seconds)."""

    at: float
    reviewer: str
    actions: frozenset[Action]
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        :raises ModerationError: no action, or "no violation" beside another
        """
        if not self.actions:
            raise ModerationError("A decision needs an action; «no violation» is one.")
        if Action.NO_VIOLATION in self.actions and len(self.actions) > 1:
            raise ModerationError("«No violation» goes with no other action; choose one or the other.")

    @property
    def violation(self) -> bool:
        """Whether the rules were found broken."""
        return Action.NO_VIOLATION not in self.actions


class Outcome(StrEnum):
    """What comes of a complaint."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"
