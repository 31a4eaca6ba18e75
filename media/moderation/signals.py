"""What assisted moderation tells people while a Space is live: where to look, and why.  It never acts.

A signal orders the queue of reviewers. Whoever looks decides by what they hear; so a signal says in one sentence
what it goes by, and :mod:`media.moderation.signal_agreement` counts how often people have agreed with its kind.
"""

from dataclasses import dataclass
from enum import StrEnum

from media.moderation.categories import Category


class Kind(StrEnum):
    """What a signal goes by."""

    LOUDNESS = "sudden loudness"
    TURNS = "turns of disturbers"
    RULE = "rule by example"


@dataclass(frozen=True, slots=True)
class Signal:
    """One hint.  Times in seconds, on the clock of ``now``."""

    kind: Kind
    people: tuple[str, ...]
    """Whom to listen to."""
    category: Category
    at: float
    """When what it is about was heard."""
    strength: float
    """0 to 1: how far beyond its threshold it is; what orders signals of one kind."""
    reason: str
    """One sentence for the reviewer."""
