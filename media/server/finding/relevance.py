"""Who should be asked: people who speak of the terms, often and lately, and whom many hear.

How often saturates as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with
k1 = 1.2 and no normalisation by length, since posts are short): the tenth mention says less than the second. A
mention counts half after a half-life. A term that few people use says more than one that all use (inverse document
frequency). Reach is logarithmic in followers. The score is the sum of what terms and reach contribute.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from media.space.ranking import Ranked, explain, logarithmic, saturate

K1: Final = 1.2
AUDIENCE: Final = 1_000_000
"""Followers at which reach counts in full."""
DAY: Final = 86_400.0
REACH: Final = 0.25
"""Share of the score that reach can make up, unless asked otherwise."""
HALF_LIFE: Final = 14 * DAY
"""Seconds, unless asked otherwise."""
SAMPLES: Final = 3
"""Posts that are shown of a person."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A post that has at least one of the terms."""

    post: int
    author: str
    at: float
    """Unix seconds."""
    counts: tuple[int, ...]
    """How often it has each of the terms."""


@dataclass(slots=True)
class Person:
    """Somebody, by what they posted."""

    user_id: str
    followers: int
    weights: list[float]
    """Of each term: its mentions, each counted by its age."""
    mentions: int = 0
    posts: list[int] = field(default_factory=list[int])
    """The newest, at most :data:`SAMPLES`."""


class Tally:
    """The authors of mentions, counted one mention at a time and then scored one author at a time."""

    def __init__(self, terms: Sequence[str], now: float, half_life: float = HALF_LIFE) -> None:
        """Take the terms, and the time (Unix seconds); of mentions that are of later, the age is 0."""
        self._terms = terms
        self._now = now
        self._half_life = half_life
        self._people: dict[str, Person] = {}

    @property
    def people(self) -> list[Person]:
        """All authors, in the order of their newest mentions."""
        return list(self._people.values())

    def add(self, mention: Mention, followers: int) -> None:
        """Count a mention by somebody who has so many followers; the newest first."""
        person = self._people.get(mention.author)
        if person is None:
            person = Person(mention.author, followers, [0.0] * len(self._terms))
            self._people[mention.author] = person
        decay = 2.0 ** -(max(0.0, self._now - mention.at) / self._half_life)
        for place, count in enumerate(mention.counts):
            person.weights[place] += count * decay
            person.mentions += count
        if len(person.posts) < SAMPLES:
            person.posts.append(mention.post)

    def scorer(self, authors: int, reach: float = REACH) -> Callable[[Person], Ranked[Person]]:
        """Return what scores an author, once all mentions are counted.

        :param authors: of how many the posts are that were looked through
        :param reach: share of the score that followers can make up, 0 to 1
        """
        people, terms = self.people, self._terms
        rarity = [_rarity(sum(p.weights[n] > 0 for p in people), authors) for n in range(len(terms))]
        everything = math.fsum(rarity) or 1.0
        shares = [(1 - reach) * each / everything for each in rarity]
        names = [f"term:{term}" for term in terms]

        def score(person: Person) -> Ranked[Person]:
            parts = [
                (name, saturate(weight, K1), share)
                for name, weight, share in zip(names, person.weights, shares, strict=True)
                if weight > 0
            ]
            return Ranked(person, *explain([*parts, ("reach", logarithmic(person.followers, AUDIENCE), reach)]))

        return score


def in_order(ranked: Iterable[Ranked[Person]]) -> list[Ranked[Person]]:
    """Return people best first; among equals by id."""
    return sorted(ranked, key=lambda r: (-r.score, r.entry.user_id))


def _rarity(who_has: int, authors: int) -> float:
    """Inverse document frequency, with people for documents; never below zero."""
    return math.log1p((max(authors, who_has) - who_has + 0.5) / (who_has + 0.5))
