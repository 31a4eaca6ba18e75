"""Why a Space refuses an input: one class per reason, one sentence per refusal.

The sentence is meant for the person who asked. It names what is wrong and, where there is something to do,
what to do.
"""


class SpaceError(Exception):
    """An input that the rules refuse; the Space is unchanged."""

    def __init__(self, sentence: str, *, retry_at: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_at = retry_at
        """When the same input may be accepted (seconds, on the clock of ``now``), if that is known."""


class WrongStateError(SpaceError):
    """The Space, or the person, is not in a state in which this can happen."""


class NoRightError(SpaceError):
    """The role of the person who asks does not allow it."""


class UnknownPersonError(SpaceError):
    """The Space does not know the person that the input is about."""


class UnknownLinkError(SpaceError):
    """The Space has no such invitation link, or none that is worth anything."""


class RemovedError(SpaceError):
    """The person was removed from this Space, which is final."""


class SeatsFullError(SpaceError):
    """Every seat on the stage is taken."""


class CoolDownError(SpaceError):
    """The person was denied a moment ago and must wait."""


class MutedError(SpaceError):
    """An admin muted the person, who can therefore not unmute."""


class NoEntryError(SpaceError):
    """The host lets nobody new in, or not this person."""


class SlowEntryError(SpaceError):
    """Newcomers are let in one after another, and it is not this person's turn yet."""


class NotEligibleError(SpaceError):
    """The policy of the product does not let this person do it."""


class BadInputError(SpaceError):
    """A value that no Space can have, such as a negative count."""
