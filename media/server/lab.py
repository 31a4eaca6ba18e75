"""People for a lab: a follower graph as social networks have it, from a seed, as the two files that import takes.

Follower counts are Pareto with exponent 1.18, scaled so that 0.2 % of accounts have 600 or more:
both were derived from published counts of the product. Who follows is drawn evenly. How many are verified or
protected has no source.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

ALPHA: Final = 1.18
"""Exponent of the follower counts."""
REACH: Final = 600
SHARE: Final = 0.002
"""Share of the accounts that has so many followers or more."""
SMALLEST: Final = REACH * SHARE ** (1 / ALPHA)
"""Scale of the Pareto distribution, in followers: about 3.1."""
PROTECTED: Final = 0.05
VERIFIED: Final = 0.01
"""Shares of accounts; the verified are those with the most followers."""
FIRST_ID: Final = 1_000_000_000
MANY: Final = 1_000_000
_BORN: Final = datetime(2020, 1, 1, tzinfo=UTC).timestamp(), datetime(2021, 1, 1, tzinfo=UTC).timestamp()

_FIRST_NAMES: Final = """
Ada Aisha Amara Ana Anders Anna Arjun Aylin Ben Bianca Carlos Chen Chiara Dag Daniel Diego Elena Elif Emeka
Emma Fatima Felix Fumiko Grace Hana Hugo Ines Ingrid Ivan Jamal James Jana Jin Joao Jonas Julia Kaito Karim
Kofi Lars Laura Lea Leila Liam Lin Lucia Luis Maja Marco Maria Mateo Mei Mila Minh Mohamed Nadia Naomi Nils
Noor Olga Omar Paula Pedro Priya Rahul Rosa Ruth Samir Sara Sofia Tariq Thandi Tomas Uma Viktor Wei Yara Yuki
Zoe
"""
_LAST_NAMES: Final = """
Abebe Adeyemi Ali Andersen Bauer Becker Bianchi Brown Castro Chen Cohen Costa Diaz Dubois Eriksen Fernandez
Fischer Garcia Gupta Haddad Hansen Hassan Horvat Ito Ivanova Jansen Johnson Kaya Khan Kim Kovac Kowalski
Larsen Lee Lopez Martin Mensah Meyer Moreau Mueller Nakamura Ndiaye Nguyen Novak Okafor Olsen Papadopoulos
Park Patel Pereira Petrov Popescu Rahman Ramos Rossi Roux Sato Schmidt Silva Singh Smith Svensson Tanaka
Torres Tran Usman Vargas Virtanen Wagner Wang Weber Williams Yamamoto Yilmaz Zhang Zulu
"""
_FIRST: Final = tuple(_FIRST_NAMES.split())
_LAST: Final = tuple(_LAST_NAMES.split())


def follower_counts(users: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw how many follow each user: shape (users,), int64, none above ``users - 1``."""
    counts = np.floor(SMALLEST * (1 - rng.random(users)) ** (-1 / ALPHA))
    return np.minimum(counts, users - 1).astype(np.int64)


def follows(counts: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield (follower, followed) by place: each is followed as often as drawn, by others, and once by each."""
    others = counts.size - 1
    for followed, count in enumerate(counts.tolist()):
        for other in rng.choice(others, count, replace=False, shuffle=False).tolist():
            yield other + (other >= followed), followed


def write(users: int, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write ``users.csv`` and ``follows.csv``, the same for the same seed; return where they are.

    :raises ValueError: a number that cannot be, in one sentence
    """
    if not 1 <= users <= MANY:
        raise ValueError(f"--users is {users}, but must be from 1 to {MANY}.")
    if seed < 0:
        raise ValueError(f"--seed is {seed}, but cannot be below zero.")
    of_counts, of_names, of_graph = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    counts = follower_counts(users, of_counts)
    folder.mkdir(parents=True, exist_ok=True)
    people, graph = folder / "users.csv", folder / "follows.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("id", "username", "name", "protected", "verified", "created_at"))
        rows.writerows(_profiles(counts, of_names))
    with graph.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("follower_id", "followed_id"))
        rows.writerows((FIRST_ID + one, FIRST_ID + other) for one, other in follows(counts, of_graph))
    return people, graph


def _profiles(counts: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    users = counts.size
    verified = np.zeros(users, bool)
    verified[np.argsort(-counts, kind="stable")[: round(VERIFIED * users)]] = True
    protected = (rng.random(users) < PROTECTED) & ~verified
    firsts, lasts = rng.integers(len(_FIRST), size=users), rng.integers(len(_LAST), size=users)
    born = np.sort(rng.uniform(*_BORN, size=users))
    taken: dict[str, int] = {}
    for place in range(users):
        first, last = _FIRST[firsts[place]], _LAST[lasts[place]]
        handle = f"{first}_{last}".lower()
        taken[handle] = number = taken.get(handle, 0) + 1
        yield (
            FIRST_ID + place,
            handle if number == 1 else f"{handle}{number}",
            f"{first} {last}",
            str(protected[place]).lower(),
            str(verified[place]).lower(),
            datetime.fromtimestamp(float(born[place]), UTC).isoformat(timespec="seconds"),
        )
