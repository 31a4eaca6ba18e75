"""Who should be asked: people who speak of the terms, often and lately, and whom many hear.

How often saturates as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with
k1 = 1.2 and no normalisation by length, since posts are short): the tenth mention says less than the second. A
mention counts half after a half-life. A term that few people use says more than one that all use (inverse document
frequency). Reach is logarithmic in followers. The score is the sum of what terms and reach contribute.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
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


def rank_people(
    mentions: Iterable[Mention],
    terms: Sequence[str],
    followers: Mapping[str, int],
    authors: int,
    now: float,
    *,
    reach: float = REACH,
    half_life: float = HALF_LIFE,
) -> list[Ranked[Person]]:
    """Return the authors of mentions, best first; among equals by id.

    :param mentions: newest first
    :param followers: of each author
    :param authors: of how many the posts are that were looked through
    :param now: Unix seconds; of mentions that are of later, the age is 0
    """
    people: dict[str, Person] = {}
    for mention in mentions:
        person = people.get(mention.author)
        if person is None:
            person = Person(mention.author, followers.get(mention.author, 0), [0.0] * len(terms))
            people[mention.author] = person
        decay = 2.0 ** -(max(0.0, now - mention.at) / half_life)
        for place, count in enumerate(mention.counts):
            person.weights[place] += count * decay
            person.mentions += count
        if len(person.posts) < SAMPLES:
            person.posts.append(mention.post)
    rarity = [_rarity(sum(p.weights[n] > 0 for p in people.values()), authors) for n in range(len(terms))]
    everything = math.fsum(rarity) or 1.0
    ranked = [
        Ranked(
            person,
            *explain(
                [
                    *(
                        (f"term:{term}", saturate(person.weights[n], K1), (1 - reach) * rarity[n] / everything)
                        for n, term in enumerate(terms)
                    ),
                    ("reach", logarithmic(person.followers, AUDIENCE), reach),
                ]
            ),
        )
        for person in people.values()
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.entry.user_id))


def _rarity(who_has: int, authors: int) -> float:
    """Inverse document frequency, with people for documents; never below zero."""
    return math.log1p((max(authors, who_has) - who_has + 0.5) / (who_has + 0.5))
