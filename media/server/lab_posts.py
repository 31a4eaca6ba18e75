"""Posts for a lab: what the people of :mod:`media.server.lab` say, from a seed, as the file that import takes.

How often people post is lognormal, a few post most; what they speak of is Zipf over a list of subjects, of which
each has one to three; when, has a rhythm of days and is denser towards the end. None of these has a source beyond
being of the right kind; the seed makes them the same each time. The brand that a host would look for is Acme.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from media.server.lab import FIRST_ID, MANY

DAYS: Final = 90
END: Final = datetime(2021, 6, 1, tzinfo=UTC)
SPREAD: Final = 1.3
"""Sigma of the logarithm of how often somebody posts."""

_SUBJECTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("tech", ("the new phone", "open source", "#AI", "my build pipeline", "#Python", "a keyboard")),
    ("football", ("the derby", "our keeper", "#football", "that penalty", "the transfer window")),
    ("music", ("the new album", "#vinyl", "a concert last night", "my synthesizer", "#jazz")),
    ("acme", ("@acme", "the Acme speaker", "#AcmeLaunch", "Acme support", "acme headphones")),
    ("food", ("sourdough", "#ramen", "the market", "my grandmother's soup", "coffee")),
    ("finance", ("interest rates", "$ACME", "#investing", "my pension", "the budget")),
    ("travel", ("night trains", "#Lisbon", "the mountains", "an airport", "the ferry")),
    ("science", ("the telescope", "#climate", "a paper on bats", "vaccines", "fusion")),
)
_FRAMES: Final[tuple[tuple[str, str], ...]] = (
    ("en", "Can't stop thinking about {}."),
    ("en", "Unpopular opinion: {} is overrated"),
    ("en", "Does anybody else love {} as much as I do?"),
    ("en", "{} again today. Third time this week!"),
    ("en", "Really disappointed with {} :("),
    ("en", "Just tried {} and I'm impressed"),
    ("en", "Who wants to talk about {} tonight?"),
    ("en", "A thread on {} and what I learned from {}"),
    ("de", "Heute schon wieder {}. Großartig!"),
    ("de", "Hat jemand Erfahrung mit {}?"),
    ("es", "No puedo dejar de pensar en {}"),
    ("fr", "Quelqu'un d'autre ici pour {} ?"),
)
_WEIGHTS: Final = tuple(4.0 if lang == "en" else 1.0 for lang, _ in _FRAMES)


def write_posts(users: int, posts: int, seed: int, folder: Path) -> Path:
    """Write ``posts.jsonl`` of the people of a lab, the same for the same seed; return where it is.

    :raises ValueError: a number that cannot be, in one sentence
    """
    if not 1 <= users <= MANY:
        raise ValueError(f"--users is {users}, but must be from 1 to {MANY}.")
    if not 1 <= posts <= 10 * MANY:
        raise ValueError(f"--posts is {posts}, but must be from 1 to {10 * MANY}.")
    if seed < 0:
        raise ValueError(f"--seed is {seed}, but cannot be below zero.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "posts.jsonl"
    # A child of its own, which those of the graph are not changed by.
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(4)[3])
    with path.open("w", encoding="utf-8") as file:
        for entry in _posts(users, posts, rng):
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return path


def _posts(users: int, posts: int, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    habit = rng.lognormal(0.0, SPREAD, users)
    authors = rng.choice(users, posts, p=habit / habit.sum())
    popular = 1.0 / np.arange(1, len(_SUBJECTS) + 1)
    popular /= popular.sum()
    interests = [rng.choice(len(_SUBJECTS), rng.integers(1, 4), replace=False, p=popular) for _ in range(users)]
    weights = np.array(_WEIGHTS) / sum(_WEIGHTS)
    frames = rng.choice(len(_FRAMES), posts, p=weights)
    for author, frame, age in zip(authors.tolist(), frames.tolist(), _ages(posts, rng), strict=True):
        lang, text = _FRAMES[frame]
        things = _SUBJECTS[int(rng.choice(interests[author]))][1]
        yield {
            "author_id": str(FIRST_ID + author),
            "text": text.format(*_two(things, rng)),
            "lang": lang,
            "created_at": (END - timedelta(seconds=age)).isoformat(timespec="milliseconds"),
        }


def _two(things: Sequence[str], rng: np.random.Generator) -> tuple[str, str]:
    one, other = rng.choice(len(things), 2, replace=False)
    return things[int(one)], things[int(other)]


def _ages(posts: int, rng: np.random.Generator) -> list[float]:
    """Seconds before the end, oldest first: more of late, and by day rather than at night (UTC)."""
    days = np.floor(DAYS * rng.random(posts) ** 1.5)
    hours = np.clip(rng.normal(17.0, 4.5, posts), 0.0, 23.999)
    seconds = (days + 1.0) * 86_400.0 - hours * 3_600.0
    return sorted((float(age) for age in seconds), reverse=True)
