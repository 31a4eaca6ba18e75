"""In which order Spaces are shown to somebody, and why: a sum of a few signals, each of which can be named.

Pure, and of a kind that can be explained: every signal grows with what it says and is weighed once, so that more
of it never lowers a Space, and an entry's score is the sum of the contributions that are shown with it. The
weights are a choice, for which there is no source: people first, then the subject, then how many are there.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Generic, Literal, TypeVar

from media.space.errors import BadInputError

Name = Literal["match", "follows_host", "follows_speaker", "live", "topic", "language", "audience", "freshness"]
"""What can speak for a Space: the words asked for, whom one follows, what it is about, who is there, its age."""

WEIGHTS: Final[Mapping[Name, float]] = MappingProxyType(
    {
        "match": 5.0,
        "follows_host": 4.0,
        "follows_speaker": 3.0,
        "live": 1.0,
        "topic": 1.0,
        "language": 0.5,
        "audience": 1.5,
        "freshness": 0.75,
    }
)
CROWD: Final = 1_000_000
"""Listeners at which the audience counts in full; more count a little more."""
LIVE_HALF: Final = 45 * 60.0
"""Seconds after which a live Space is half as fresh: about the median length of one."""
AHEAD_HALF: Final = 86_400.0
"""Seconds before its start at which a scheduled Space is half as near."""
DIGITS: Final = 4
"""Decimals of a contribution; a score has the same, so that the shown ones add up."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known about one Space for one person."""

    space_id: str
    live: bool
    since: float
    """Seconds since it went live; until it starts, where it is not live."""
    audience: int
    """People connected."""
    hosts_followed: int = 0
    speakers_followed: int = 0
    topics_matched: int = 0
    language: float = 0.0
    """How well its language suits the person, 0 to 1 (q of RFC 9110 section 12.5.4)."""
    match: float = 0.0
    """How well it has the words that were asked for, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal of one entry."""

    signal: str
    value: float
    """Of the signal, from 0 to about 1."""
    weight: float
    contribution: float
    """Value times weight, rounded to :data:`DIGITS`."""


Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Ranked(Generic[Entry]):
    """An entry, its score, and the reasons that sum to it, strongest first."""

    entry: Entry
    score: float
    reasons: tuple[Reason, ...] = field(default=())


def signals(candidate: Candidate) -> dict[Name, float]:
    """Return what speaks for a Space, each from 0 to about 1."""
    half = LIVE_HALF if candidate.live else AHEAD_HALF
    return {
        "match": candidate.match,
        "follows_host": saturate(candidate.hosts_followed),
        "follows_speaker": saturate(candidate.speakers_followed),
        "live": float(candidate.live),
        "topic": saturate(candidate.topics_matched),
        "language": candidate.language,
        "audience": logarithmic(candidate.audience, CROWD),
        "freshness": 2.0 ** -(max(0.0, candidate.since) / half),
    }


def rank(candidates: Iterable[Candidate], weights: Mapping[Name, float] = WEIGHTS) -> list[Ranked[Candidate]]:
    """Return Spaces in the order in which to show them; among equals the younger first, then by id.

    :raises BadInputError: a weight is below zero
    """
    for name, weight in weights.items():
        if not weight >= 0:
            raise BadInputError(f"The weight of {name} is {weight}, but cannot be below zero.")
    return in_order(score(candidate, weights) for candidate in candidates)


def score(candidate: Candidate, weights: Mapping[Name, float] = WEIGHTS) -> Ranked[Candidate]:
    """Return one Space with its score; the weights are not below zero."""
    return Ranked(candidate, *explain((n, v, weights.get(n, 0.0)) for n, v in signals(candidate).items()))


def in_order(ranked: Iterable[Ranked[Candidate]]) -> list[Ranked[Candidate]]:
    """Return Spaces best first; among equals the younger first, then by id."""
    return sorted(ranked, key=lambda r: (-r.score, r.entry.since, r.entry.space_id))


def explain(parts: Iterable[tuple[str, float, float]]) -> tuple[float, tuple[Reason, ...]]:
    """Return the score of signals (name, value, weight), and those that contribute, strongest first."""
    reasons = [Reason(name, value, weight, round(value * weight, DIGITS)) for name, value, weight in parts]
    telling = [reason for reason in reasons if reason.contribution > 0]
    return total(telling), tuple(sorted(telling, key=lambda r: (-r.contribution, r.signal)))


def total(reasons: Sequence[Reason]) -> float:
    """Return the sum of contributions, with as many decimals."""
    return round(math.fsum(reason.contribution for reason in reasons), DIGITS)


def saturate(count: float, half: float = 1.0) -> float:
    """Return count / (count + half): the first says most, as term frequency does in BM25 (Robertson, 1994)."""
    return count / (count + half) if count > 0 else 0.0


def logarithmic(count: int, full: int) -> float:
    """Return log(1 + count) as a share of log(1 + full)."""
    return math.log1p(max(0, count)) / math.log1p(full)
