"""The rules that changed over the years, as one value with dated presets.

Planners compare Spaces under the rules of different dates, so nothing that changed is written into the state
machine; it asks its policy. Sources: the product's announcements of those months (see the presets).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from media.space.errors import BadInputError

DAY: Final = 86_400.0
"""Seconds."""


class SpeakPolicy(StrEnum):
    """Who gets a seat without being approved; everyone else may ask and is queued."""

    EVERYONE = "everyone"
    FOLLOWING = "following"
    """People whom the host follows."""
    INVITED = "invited"
    """People who were invited, when they accept."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a Space of a given date allows.  Times in seconds."""

    name: str
    speaker_seats: int
    """Speakers beside host and co-hosts."""
    cohost_seats: int
    followers_to_host: int = 0
    """Followers that an account needs to host."""
    schedule_window: float = 0.0
    """How far ahead a Space may be scheduled; 0 where there was no scheduling."""
    schedule_limit: int = 0
    """Spaces that one person may have scheduled at a time."""
    topics: int = 3
    pins: int = 5
    """Posts that can be pinned at a time."""
    grace: float = 30.0
    """How long a dropped connection keeps its role."""
    host_grace: float = 300.0
    """How long a live Space goes on while neither host nor co-host is connected."""
    empty_grace: float = 120.0
    """How long a live Space goes on while nobody at all is connected."""
    no_show: float = 3600.0
    """How long after its time a scheduled Space waits to be started; then it is canceled."""
    denial_cooldown: float = 60.0
    """How long a denied person must wait before asking again."""
    evidence_days: int = 30
    """How long the sound of an ended Space is kept for review."""
    appeal_days: int = 90
    """How much longer it is kept when a violation was found."""

    def __post_init__(self) -> None:
        """Refuse what cannot be: negative numbers, of seats or of seconds."""
        for field in self.__dataclass_fields__:
            value = getattr(self, field)
            if not isinstance(value, str) and not value >= 0:
                raise BadInputError(f"Policy {self.name!r}: {field} is {value}, but cannot be below zero.")

    def check_host(self, followers: int | None) -> str | None:
        """Say why an account with so many followers may not host; None if it may, or if nobody knows."""
        if followers is None or followers >= self.followers_to_host:
            return None
        return (
            f"Hosting takes {self.followers_to_host} followers under the rules of {self.name}, "
            f"and this account has {followers}."
        )


_PRESETS: Final = (
    # Beta of December 2020: a host and ten invited speakers, nothing scheduled.
    Policy("2020-12", speaker_seats=10, cohost_seats=0),
    # May 2021: open to accounts with 600 followers; host and eleven; scheduling, one at a time, 14 days ahead.
    Policy(
        "2021-05",
        speaker_seats=11,
        cohost_seats=0,
        followers_to_host=600,
        schedule_window=14 * DAY,
        schedule_limit=1,
    ),
    # August 2021: host, two co-hosts and ten speakers; scheduling later widened to 30 days and ten at a time.
    Policy("2021-08", speaker_seats=10, cohost_seats=2, schedule_window=30 * DAY, schedule_limit=10),
)

PRESETS: Final[Mapping[str, Policy]] = MappingProxyType({policy.name: policy for policy in _PRESETS})
DEFAULT: Final = PRESETS["2021-08"]


def preset(name: str) -> Policy:
    """Return the policy of a date.

    :raises BadInputError: there is no preset of that name
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise BadInputError(f"There is no policy {name!r}; choose one of {', '.join(PRESETS)}.") from None
