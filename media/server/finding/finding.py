"""Who speaks of something: the posts are read from the store, counted in slices, and their authors ranked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from media.server.accounts import Accounts, User
from media.server.discovery.words import tokens
from media.server.finding.posts import Mentioning, Post, Posts
from media.server.finding.relevance import HALF_LIFE, REACH, Mention, Person, Tally, in_order
from media.server.finding.terms import read_terms
from media.server.slices import Slices
from media.space.ranking import Ranked


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody who speaks of it."""

    user: User
    ranked: Ranked[Person]
    posts: Sequence[Post]


class Finding:
    """Asked by the routes, and by campaigns for whom to invite."""

    def __init__(
        self,
        posts: Posts,
        accounts: Accounts,
        suspended: Callable[[str], str | None],
        slices: Slices,
        clock: Callable[[], float],
    ) -> None:
        """Take who is suspended, and a clock in Unix seconds."""
        self._posts = posts
        self._slices = slices
        self._accounts = accounts
        self._suspended = suspended
        self._clock = clock

    async def people(
        self,
        written: Sequence[str],
        viewer: str,
        limit: int,
        *,
        reach: float = REACH,
        half_life: float = HALF_LIFE,
        lang: str | None = None,
        without: Collection[str] = (),
    ) -> tuple[list[Match], int]:
        """Return the people who mention terms, best first, and how many there are of them.

        :param reach: share of the score that followers can make up, 0 to 1
        :param half_life: seconds after which a mention counts half; after twenty of them it does not count
        :param lang: primary tag of the posts that count; None for all
        :param without: people to leave out
        :raises BadInputError: a term is none
        """
        terms = read_terms(written)
        now = self._clock()
        found = await self._posts.with_words(terms, viewer, now - 20 * half_life)
        tally = Tally([term.written for term in terms], now, half_life)

        def count(post: Mentioning) -> None:
            if post.author_id in without or self._suspended(post.author_id) is not None:
                return
            if lang is not None and post.lang.partition("-")[0].lower() != lang.lower():
                return
            words = tokens(post.text)
            counts = tuple(term.count(words) for term in terms)
            if any(counts):
                tally.add(Mention(post.number, post.author_id, post.created_at, counts), post.followers)

        await self._slices.map(count, found)
        score = tally.scorer(await self._posts.authors(), reach)
        ranked = in_order(await self._slices.map(score, tally.people))
        best = ranked[:limit]
        users = await self._users([r.entry.user_id for r in best])
        posts = await self._posts.some({number for r in best for number in r.entry.posts})
        matches = [Match(users[r.entry.user_id], r, [posts[n] for n in r.entry.posts if n in posts]) for r in best]
        return matches, len(ranked)

    async def _users(self, ids: Sequence[str]) -> dict[str, User]:
        users = {user_id: User(user_id, user_id, user_id, 0.0) for user_id in ids}
        for start in range(0, len(ids), 500):
            users.update((user.id, user) for user in await self._accounts.some(ids[start : start + 500]))
        return users
