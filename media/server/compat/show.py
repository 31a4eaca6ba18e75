"""Our Spaces and people in X's shapes, with the fields and expansions that were asked for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from media.server.accounts import Accounts, User
from media.server.compat.answers import XPost, XSpace, XTopic, XUser
from media.server.compat.numbers import Numbers, number_of
from media.server.finding.posts import Post
from media.server.schemas import SpaceOut
from media.space.space import Space

Wanted = Mapping[str, Sequence[str]]
"""Parameter to values, as :meth:`~media.server.compat.parameters.Asked.read` returns them."""
_PEOPLE: Final = ("host_ids", "speaker_ids", "invited_user_ids")
_TOPICS: Final = ("topic_ids", "topics_ids")
"""X's documents spell this expansion either way."""
_TIMES: Final = ("created_at", "scheduled_start", "started_at", "ended_at")


class Showing:
    """One answer: remembers whom and what it names, and shows each once."""

    def __init__(self, accounts: Accounts, numbers: Numbers, wanted: Wanted) -> None:
        self._accounts = accounts
        self._numbers = numbers
        self._wanted = wanted

    async def spaces(self, spaces: Sequence[Space], viewer: str) -> tuple[list[XSpace], dict[str, Any]]:
        """Return Spaces, and what is to be included beside them."""
        fields = {"id", "state", *self._wanted["space.fields"]}
        shown = [SpaceOut.of(space) for space in spaces]
        people = {p for s in shown for p in (s.creator_id, *s.host_ids, *s.speaker_ids, *s.invited_user_ids)}
        numbers = await self._numbers.show(people)
        data = [_space(each, fields, numbers, viewer) for each in shown]
        return data, await self._includes(shown)

    async def users(self, users: Sequence[User]) -> list[XUser]:
        """Return users."""
        fields = {"id", "name", "username", *self._wanted["user.fields"]}
        numbers = await self._numbers.show(user.id for user in users)
        return [_user(user, fields, numbers[user.id]) for user in users]

    async def posts(self, posts: Sequence[Post]) -> tuple[list[XPost], dict[str, Any]]:
        """Return posts, and their authors if those are to be included."""
        authors = dict.fromkeys(post.author_id for post in posts)
        numbers = await self._numbers.show(authors)
        wanted = (*self._wanted["tweet.fields"], *self._wanted["post.fields"])
        fields = {"id", "text", "edit_history_tweet_ids", *wanted}
        data = [_post(post, fields, numbers[post.author_id]) for post in posts]
        if not authors or "author_id" not in self._wanted["expansions"]:
            return data, {}
        return data, {"users": await self.users(await whoever(self._accounts, authors))}

    async def _includes(self, shown: Sequence[SpaceOut]) -> dict[str, Any]:
        expansions = self._wanted["expansions"]
        people: dict[str, None] = {}
        topics: dict[str, None] = {}
        for space in shown:
            for name in expansions:
                value = space.topic_ids if name in _TOPICS else getattr(space, name)
                ids = [value] if isinstance(value, str) else value
                (topics if name in _TOPICS else people).update(dict.fromkeys(ids))
        users = await self.users(await whoever(self._accounts, people)) if people else []
        return {"users": users, "topics": [_topic(each, self._wanted["topic.fields"]) for each in topics]}


async def whoever(accounts: Accounts, people: Iterable[str]) -> list[User]:
    """Return profiles; people who have none, as those of a swarm, are called by their ids."""
    names = list(people)
    known = {user.id: user for user in await accounts.some(names)}
    return [known.get(name) or User(name, name, name, 0.0) for name in names]


def _space(shown: SpaceOut, fields: set[str], numbers: Mapping[str, str], viewer: str) -> XSpace:
    all_of_it: dict[str, Any] = shown.model_dump()
    all_of_it["creator_id"] = numbers[shown.creator_id]
    for name in _PEOPLE:
        all_of_it[name] = [numbers[person] for person in getattr(shown, name)]
    for name in _TIMES:
        all_of_it[name] = moment(getattr(shown, name))
    if viewer != shown.creator_id:
        del all_of_it["subscriber_count"]  # X shows it to the creator alone
    space: Any = {name: all_of_it[name] for name in sorted(fields) if all_of_it.get(name) is not None}
    return space


def _user(user: User, fields: set[str], number: str) -> XUser:
    counts = {"followers_count": user.followers_count, "following_count": user.following_count}
    all_of_it: dict[str, Any] = {
        "id": number,
        "name": user.name,
        "username": user.username,
        "created_at": moment(datetime.fromtimestamp(user.created_at, UTC)) if user.created_at else None,
        "protected": user.protected,
        "verified": user.verified,
        "verified_type": "none",
        "public_metrics": counts | {"tweet_count": 0, "listed_count": 0},
    }
    shown: Any = {name: all_of_it[name] for name in sorted(fields) if all_of_it.get(name) is not None}
    return shown


def _post(post: Post, fields: set[str], author: str) -> XPost:
    number = str(number_of(post.id))
    all_of_it: dict[str, Any] = {
        "id": number,
        "text": post.text,
        "edit_history_tweet_ids": [number],
        "author_id": author,
        "created_at": moment(datetime.fromtimestamp(post.created_at, UTC)),
        "lang": post.lang or None,
    }
    shown: Any = {name: all_of_it[name] for name in sorted(fields) if all_of_it.get(name) is not None}
    return shown


def _topic(topic: str, fields: Sequence[str]) -> XTopic:
    """A topic here is its name."""
    shown: XTopic = {"id": topic, "name": topic}
    if "description" in fields:
        shown["description"] = topic
    return shown


def moment(time: datetime | None) -> str | None:
    """Write a time as X does: always with milliseconds."""
    return time and time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
