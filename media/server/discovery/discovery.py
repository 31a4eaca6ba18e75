"""What a person is shown of the Spaces there are: bubbles, and search, in an order that is explained.

Everything that is not over is in memory, so nothing here asks the store for Spaces; of it come only the circle of
who asks, and the names of hosts. A Space of somebody whom the person blocks, or who blocks the person, is not
shown. Who listens is never part of it: the crowd is a number.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from media.server.accounts import Accounts
from media.server.discovery.circles import Circle, Circles
from media.server.discovery.names import Names
from media.server.discovery.stages import Role, Stages, stage_of
from media.server.discovery.topics import TOPICS
from media.server.discovery.words import closeness, tokens
from media.server.spaces import Spaces
from media.space.ranking import Candidate, Ranked, in_order, score
from media.space.space import Space
from media.space.states import State
from media.space.visibility import View, Viewer, view_of

PUBLIC: Final = (State.LIVE, State.SCHEDULED)
"""What is found unless something else is asked for: no drafts, and nothing that is over."""
OVER: Final = 200
"""Of Spaces that have ended, how many of the youngest are searched: they are read from the store each time."""
_TITLE, _HOST, _TOPIC = 1.0, 0.8, 0.6
"""What a word counts for, by where it was found."""


@dataclass(frozen=True, slots=True)
class Taste:
    """What a person asked for, beside words."""

    topics: Collection[str] = ()
    """Ids or names, folded as they come: topics that speak for a Space."""
    languages: Mapping[str, float] = field(default_factory=dict[str, float])
    """Primary language tag in lower case to q, 0 to 1."""
    at: float | None = None
    """For which moment it is ranked (Unix seconds), so that a second page goes on from the first; None for now."""


@dataclass(frozen=True, slots=True)
class Found:
    """A Space, and those in it whom the person follows."""

    space: Space
    people: Mapping[str, Role]
    ranked: Ranked[Candidate]

    @property
    def place(self) -> tuple[float, float, str]:
        """Where it stands in the order of all, the best first."""
        return -self.ranked.score, self.ranked.entry.since, self.space.id


NO_TASTE: Final = Taste()


class Discovery:
    """Asked by the routes here and under ``/2``."""

    def __init__(
        self, spaces: Spaces, accounts: Accounts, circles: Circles, stages: Stages, clock: Callable[[], float]
    ) -> None:
        """Take a clock in Unix seconds."""
        self._spaces = spaces
        self._circles = circles
        self._stages = stages
        self._names = Names(accounts, clock)
        self._clock = clock

    async def bubbles(self, person: str, taste: Taste = NO_TASTE) -> list[Found]:
        """Return the live Spaces in which somebody hosts or speaks whom a person follows, best first."""
        circle = await self._circles.of(person)
        met = self._stages.of_people(circle.follows)
        here = [self._spaces.held(space_id) for space_id in met]
        public = [space for space in here if space is not None and space.state in PUBLIC]
        shown = [space for space in public if self._shows(space, circle, person)]
        return await self._order(shown, circle, taste, {})

    async def search(
        self,
        query: str = "",
        *,
        viewer: str | None,
        states: Collection[State] = PUBLIC,
        topics: Collection[str] = (),
        taste: Taste = NO_TASTE,
    ) -> list[Found]:
        """Return the Spaces that have every word of a query in title, topics or names of hosts, best first.

        :param viewer: who asks; None for nobody in particular, who follows and blocks nobody
        :param states: of which those in :data:`PUBLIC` count, and ``ended``
        :param topics: ids; a Space must have one of them, if there are any
        """
        circle = NOBODY if viewer is None else await self._circles.of(viewer)
        wanted = set(topics)
        there: list[Space] = [space for space in self._spaces.in_memory if space.state in PUBLIC]
        if State.ENDED in states:
            there += await self._spaces.find([State.ENDED], OVER)
        here = [
            space
            for space in there
            if space.state in states
            and (not wanted or wanted.intersection(space.topic_ids))
            and self._shows(space, circle, viewer)
        ]
        terms = list(dict.fromkeys(token.word for token in tokens(query)))
        if not terms:
            return [] if query.strip() else await self._order(here, circle, taste, {})
        names = await self._names.of({host for space in here for host in hosts_of(space)})
        matched = await self._spaces.slices.map(lambda space: match(terms, space, names), here)
        matches = {space.id: how for space, how in zip(here, matched, strict=True) if how > 0}
        found = [space for space in here if space.id in matches]
        return await self._order(found, circle, taste, matches)

    async def blocks(self, person: str) -> frozenset[str]:
        """Return those whom a person blocks, and those who block the person."""
        return (await self._circles.of(person)).blocks

    async def visible(self, spaces: Iterable[Space], viewer: str, *, admin: bool = False) -> list[Space]:
        """Leave out what the viewer is not shown, and what is of people between whom and the viewer is a block."""
        circle = await self._circles.of(viewer)
        return [space for space in spaces if self._shows(space, circle, viewer, admin=admin)]

    def live_counts(self) -> dict[str, int]:
        """Return how many live Spaces have each topic."""
        counts: dict[str, int] = {}
        for space in self._spaces.in_memory:
            if space.state is State.LIVE:
                for topic in space.topic_ids:
                    counts[topic] = counts.get(topic, 0) + 1
        return counts

    def _shows(self, space: Space, circle: Circle, viewer: str | None, *, admin: bool = False) -> bool:
        if circle.blocks and circle.blocks.intersection(hosts_of(space)):
            return False
        return view_of(space, Viewer(viewer, admin=admin)) >= View.CARD

    async def _order(
        self, spaces: Iterable[Space], circle: Circle, taste: Taste, matches: Mapping[str, float]
    ) -> list[Found]:
        now = self._clock() if taste.at is None else taste.at
        found: dict[str, tuple[Space, dict[str, Role]]] = {}

        def weigh(space: Space) -> Ranked[Candidate]:
            stage = self._stages.of(space.id) if space.state is State.LIVE else stage_of(space)
            met: dict[str, Role] = {p: r for p, r in stage.items() if p in circle.follows}
            found[space.id] = space, met
            return score(_candidate(space, met, taste, matches.get(space.id, 0.0), now))

        ranked = in_order(await self._spaces.slices.map(weigh, spaces))
        return [Found(*found[each.entry.space_id], each) for each in ranked]


NOBODY: Final = Circle(frozenset(), frozenset(), 0.0)


def hosts_of(space: Space) -> list[str]:
    """Return the host and the co-hosts of a Space."""
    return [person for person, role in stage_of(space).items() if role != "speaker"]


def match(terms: Sequence[str], space: Space, names: Mapping[str, Sequence[str]]) -> float:
    """Say how well a Space has all of the terms, 0 to 1; 0 if one of them is nowhere."""
    topics = [text for topic in space.topic_ids for text in (topic, TOPICS[topic].name if topic in TOPICS else "")]
    of_hosts = [text for host in hosts_of(space) for text in names.get(host, (host,))]
    places = ((_TITLE, [space.title]), (_HOST, of_hosts), (_TOPIC, topics))
    total = 0.0
    for term in terms:
        best = max(weight * closeness(term, text) for weight, texts in places for text in (*texts, ""))
        if best == 0:
            return 0.0
        total += best
    return total / len(terms)


def _candidate(space: Space, met: Mapping[str, Role], taste: Taste, matched: float, now: float) -> Candidate:
    live = space.state is State.LIVE
    if space.state is State.SCHEDULED:
        since = max(0.0, (space.scheduled_start or now) - now)
    else:
        since = now - ((space.started_at if live else space.ended_at) or now)
    return Candidate(
        space_id=space.id,
        live=live,
        since=since,
        audience=space.participant_count if live else 0,
        hosts_followed=sum(role != "speaker" for role in met.values()),
        speakers_followed=sum(role == "speaker" for role in met.values()),
        topics_matched=len(set(taste.topics).intersection(space.topic_ids)),
        language=taste.languages.get(space.lang.partition("-")[0].lower(), taste.languages.get("*", 0.0)),
        match=matched,
    )
