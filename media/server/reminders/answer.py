"""What the answer of a push service means for a message and its subscription (RFC 8030)."""

import logging
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

log = logging.getLogger(__name__)

RETRY_MAX: Final = 3600.0
"""Seconds that a push service can ask us to wait."""


class Outcome(StrEnum):
    """What became of a push."""

    DONE = "done"
    GONE = "gone"
    """The subscription is dead."""
    REFUSED = "refused"
    """Nothing to be gained by trying again."""
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a push, and after how many seconds the push service wants to be asked again."""

    outcome: Outcome
    retry_after: float = 0.0


def judge(status: int, retry_after: str, now: float) -> Answer:
    """Tell what a push service's answer means (RFC 8030); ``now`` in Unix seconds."""
    if 200 <= status < 300:
        return Answer(Outcome.DONE)
    if status in (404, 410):
        return Answer(Outcome.GONE)
    if status in (408, 425, 429) or status >= 500:
        return Answer(Outcome.LATER, min(RETRY_MAX, _seconds(retry_after, now)))
    log.warning("A push service refused a message with status %d.", status)
    return Answer(Outcome.REFUSED)


def _seconds(retry_after: str, now: float) -> float:
    """Read Retry-After (RFC 9110, section 10.2.3)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0
