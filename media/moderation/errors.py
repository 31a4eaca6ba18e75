"""Why moderation refuses an input: one class per reason, one sentence per refusal.

The sentence is meant for the user who asked; it names what is wrong and, where there is something to do, what.
"""


class ModerationError(Exception):
    """An input that the rules refuse; nothing has changed."""

    def __init__(self, sentence: str, *, retry_at: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_at = retry_at
        """When the same input may be accepted (seconds, on the clock of ``now``), if that is known."""


class WrongCaseStateError(ModerationError):
    """The case is not in a state in which this can happen."""


class LeaseLostError(ModerationError):
    """The reviewer does not hold the case: the lease ran out, or it is another's."""


class NotThisReviewerError(ModerationError):
    """The reviewer must not decide this case: conflict of interest, or no access to its queue."""


class TooLateError(ModerationError):
    """The time in which this was possible has passed."""


class TooManyReportsError(ModerationError):
    """The user has reported too much lately."""


class BadStatementError(ModerationError):
    """The statement of reasons lacks something, or has what it must not have."""
