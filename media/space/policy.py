"""The rules that changed over the years, as one value with dated presets.

Planners compare Spaces under the rules of different dates, so nothing that changed is written into the state
machine; it asks its policy. Sources: the product's announcements of those months (see the presets).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from media.space.errors import BadInputError, NotEligibleError

DAY: Final = 86_400.0
"""Seconds."""
LIMIT: Final = 1_000_000_000
"""Largest number in custom rules; seconds of 31 years."""


class SpeakPolicy(StrEnum):
    """Who gets a seat without being approved; everyone else may ask and is queued."""

    EVERYONE = "everyone"
    FOLLOWING = "following"
    """People whom the host follows."""
    INVITED = "invited"
    """People who were invited, when they accept."""


class EntryPolicy(StrEnum):
    """Who may come in without having been invited to speak."""

    EVERYONE = "everyone"
    FOLLOWING = "following"
    """People whom the host follows; of those who are in already, only they may ask to speak."""


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
    tickets: int = 0
    """Tickets that can be sold for a Space; 0 where there were none."""
    ticket_followers: int = 1_000
    """Followers that it takes to sell them."""
    ticket_spaces: int = 3
    """Spaces that it takes to have hosted in the last ``ticket_days``."""
    ticket_days: int = 30
    pins: int = 5
    """Posts that can be pinned at a time."""
    queue: int = 1_000
    """Requests that can wait at a time."""
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

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> "Policy":
        """Make custom rules out of what a file or a client says.

        ``name`` is needed. What is not said is as in the preset that ``base`` names, else as in the default.

        :raises BadInputError: one field that is wrong, and what it must be
        """
        said = dict(mapping)
        name = said.pop("name", None)
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", name):
            raise BadInputError(
                f"A policy needs a name, up to 40 letters, digits, '_', '-' and '.'; not {name!r}."
            )
        if name in PRESETS:
            raise BadInputError(f"Policy {name!r}: name is that of a preset; choose another for other rules.")
        base = said.pop("base", DEFAULT.name)
        if not isinstance(base, str) or base not in PRESETS:
            raise BadInputError(f"Policy {name!r}: base is {base!r}, but must be one of {', '.join(PRESETS)}.")
        numbers: dict[str, Any] = {field.name: field.type for field in fields(cls) if field.name != "name"}
        for field, value in said.items():
            if field not in numbers:
                raise BadInputError(f"Policy {name!r}: there is no {field!r}; there are {', '.join(numbers)}.")
            whole = numbers[field] is int
            fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            if not (fits and 0 <= value <= LIMIT):  # pyright: ignore[reportOperatorIssue]
                kind = "whole number" if whole else "number"
                raise BadInputError(f"Policy {name!r}: {field} is {value!r}, but must be a {kind}, 0 to {LIMIT}.")
        return replace(PRESETS[base], name=name, **said)  # pyright: ignore[reportArgumentType]

    def check_ahead(self, seconds: float) -> None:
        """Pass if a Space can be scheduled so far ahead.

        :raises NotEligibleError: it cannot
        """
        if not (self.schedule_window and self.schedule_limit):
            raise NotEligibleError(f"Nothing can be scheduled under the rules of {self.name}; start it instead.")
        if seconds > self.schedule_window:
            days = self.schedule_window / DAY
            raise NotEligibleError(f"A Space can be scheduled at most {days:g} days ahead.")

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
    # Tickets begin; how many at most was not said.
    Policy(
        "2021-08",
        speaker_seats=10,
        cohost_seats=2,
        schedule_window=30 * DAY,
        schedule_limit=10,
        tickets=100_000,
    ),
)

PRESETS: Final[Mapping[str, Policy]] = MappingProxyType({policy.name: policy for policy in _PRESETS})
DEFAULT: Final = PRESETS["2021-08"]


def find(name: str, policies: Mapping[str, Policy]) -> Policy:
    """Return the policy of a name.

    :raises BadInputError: there is none
    """
    try:
        return policies[name]
    except KeyError:
        raise BadInputError(f"There is no policy {name!r}; choose one of {', '.join(policies)}.") from None


def preset(name: str) -> Policy:
    """Return the policy of a date.

    :raises BadInputError: there is no preset of that name
    """
    return find(name, PRESETS)
