"""News of one's own: what happens in any Space and is about somebody who may be elsewhere.

Stored by nobody: whoever listens is told, and whoever does not finds it in the lists of the API.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from media.server.accounts import Relation
from media.server.database import Database
from media.server.discovery.discovery import hosts_of
from media.server.events.hub import Hub
from media.server.events.schema import BubbleData, InvitedData, RemovedData, RequestData
from media.server.spaces import Spaces
from media.server.tables import RELATIONS
from media.space.events import (
    Asked,
    Events,
    Invited,
    PersonEvent,
    PersonLeft,
    PersonRemoved,
    RequestDenied,
    RequestWithdrawn,
    RightGranted,
    SpaceEnded,
)
from media.space.space import Space
from media.space.visibility import View, Viewer, view_of

_AT_ONCE: Final = 500
"""Names in one question to the database."""


class Notices:
    """Watches every Space, and tells people through the hub."""

    def __init__(self, hub: Hub, spaces: Spaces, engine: Database) -> None:
        self._hub = hub
        self._spaces = spaces
        self._engine = engine
        self._asked: set[tuple[str, str]] = set()
        """Who waits, by Space: a seat that they get is an answer; one that was offered to them is none."""
        self._told: dict[str, set[str]] = {}
        """Who was told of a bubble, by Space: they are told when it is over."""
        spaces.watch(self.watch)

    def open(self) -> None:
        """Know the queues of the Spaces that were taken up again."""
        self._asked = {(space.id, p.person) for space in self._spaces.in_memory for p in space.people.queue}

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        bubbles: list[str] = []
        for event in events:
            if isinstance(event, PersonEvent):
                self._personal(space, event)
            match event:
                case RightGranted(person=person):
                    bubbles.append(person)
                case SpaceEnded():
                    self._over(space)
                case _:
                    pass
        if bubbles and self._hub.listening:
            self._spaces.follow(self._bubble(space, bubbles))

    def _personal(self, space: Space, event: PersonEvent) -> None:
        person, key, tell = event.person, (space.id, event.person), self._hub.publish_to_user
        match event:
            case Asked():
                self._asked.add(key)
            case Invited(by=by, role=role, via=via):
                invited = InvitedData(space_id=space.id, title=space.title, by=by, role=role, via=via)
                tell(person, "invited", invited)
            case RightGranted() if key in self._asked:
                self._asked.discard(key)
                self._answer(
                    RequestData(space_id=space.id, title=space.title, status="approved", retry_at=None), person
                )
            case RequestDenied(until=until):
                self._asked.discard(key)
                retry_at = datetime.fromtimestamp(until, UTC)
                denied = RequestData(space_id=space.id, title=space.title, status="denied", retry_at=retry_at)
                self._answer(denied, person)
            case PersonRemoved():
                self._asked.discard(key)
                tell(person, "removed", RemovedData(space_id=space.id, title=space.title))
            case RequestWithdrawn() | PersonLeft():
                self._asked.discard(key)
            case _:
                pass

    def _answer(self, data: RequestData, person: str) -> None:
        self._hub.publish_to_user(person, "request", data.model_dump(mode="json", exclude_none=True))

    def _over(self, space: Space) -> None:
        self._asked = {key for key in self._asked if key[0] != space.id}
        for person in self._told.pop(space.id, ()):
            self._hub.publish_to_user(person, "bubble", _bubble(space, []))

    async def _bubble(self, space: Space, people: Iterable[str]) -> None:
        for person in people:
            for follower in await self._followers(person, self._hub.listening, hosts_of(space)):
                if view_of(space, Viewer(follower)) < View.CARD:
                    continue
                self._told.setdefault(space.id, set()).add(follower)
                self._hub.publish_to_user(follower, "bubble", _bubble(space, [person]))

    async def _followers(self, person: str, among: list[str], hosts: list[str]) -> list[str]:
        """Return who of these people follows a person: of millions of followers, few listen.

        Without those between whom and a host is a block, to whom lists do not show the Space either.
        """
        blocks = RELATIONS.alias().c
        is_block = blocks.kind == Relation.BLOCK.value
        columns, found = RELATIONS.c, list[str]()
        async with self._engine.connect() as connection:
            for start in range(0, len(among), _AT_ONCE):
                query = sa.select(columns.source).where(
                    columns.kind == Relation.FOLLOW.value,
                    columns.target == person,
                    columns.source.in_(among[start : start + _AT_ONCE]),
                    columns.source.not_in(sa.select(blocks.source).where(is_block, blocks.target.in_(hosts))),
                    columns.source.not_in(sa.select(blocks.target).where(is_block, blocks.source.in_(hosts))),
                )
                found += (await connection.execute(query)).scalars()
        return found


def _bubble(space: Space, people: list[str]) -> BubbleData:
    return BubbleData(
        space_id=space.id, title=space.title, state=space.state, creator_id=space.host, user_ids=people
    )
