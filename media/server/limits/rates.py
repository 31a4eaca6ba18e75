"""Which requests are limited together, and how many of them there may be."""

from collections.abc import Mapping
from typing import Final

from media.server.limits.buckets import Rate

DEFAULT: Final = 50
"""Reads a second of one person, sustained.  A page that follows a Space makes about one."""
PEOPLE_PER_ADDRESS: Final = 20
"""People that one address may stand for: a household, an office, a carrier's translator."""
CONNECTIONS_PER_ADDRESS: Final = 512
"""TCP connections of one address: 200 event streams, and what the same pages ask for beside them."""
_SHARES: Final = {
    "reads": 1.0,
    "lookups": 0.2,
    "searches": 0.02,
    "writes": 0.2,
    "reactions": 0.2,
    "joins": 0.05,
    "tokens": 0.05,
}
"""Of the reads, sustained: the dearer an answer, the fewer: nobody alone takes much of the server's core."""
_SEARCHES: Final = frozenset({"/people/search", "/users/me/calendar.ics"})
"""Look through thousands of posts, or write a thousand entries: a fifth of a second."""
_LOOKUPS: Final = frozenset(
    {
        *("/users/search", "/users", "/posts"),
        *("/spaces", "/spaces/search", "/users/me/bubbles", "/users/me/reminders"),
        *("/2/spaces", "/2/spaces/search", "/2/spaces/by/creator_ids"),
    }
)
"""Rank or show up to a hundred Spaces, or hundreds of users or posts: about 10 ms."""
_BURST: Final = 4
"""Seconds' worth of tokens in a full bucket, at least ten."""
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def kind_of(method: str, path: str) -> str:
    """Return with which others a request is limited."""
    if method in _READS:
        if path in _SEARCHES or "/transcript." in path:
            return "searches"
        return "lookups" if path in _LOOKUPS or path.endswith("/podcast.xml") else "reads"
    if path.startswith("/tokens"):
        return "tokens"
    if path.endswith(("/whep", "/whip")):
        return "joins"
    if path.endswith(("/campaigns", "/download", "/replay")):
        return "searches"
    return "reactions" if path.endswith("/reactions") else "writes"


def rates(reads: float) -> tuple[Mapping[str, Rate], Mapping[str, Rate]]:
    """Return what a person may do and what an address may, by kind, for so many reads a second of a person."""
    person = {kind: _rate(kind, reads * share) for kind, share in _SHARES.items()}
    address = {
        kind: Rate(f"{kind}-of-address", rate.per_second * PEOPLE_PER_ADDRESS, rate.burst * PEOPLE_PER_ADDRESS)
        for kind, rate in person.items()
    }
    return person, address


def _rate(kind: str, per_second: float) -> Rate:
    return Rate(kind, per_second, max(10, round(per_second * _BURST)))
