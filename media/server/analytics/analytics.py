"""Counts what happens in live Spaces, and writes the counts down every few seconds.

A server that is killed forgets the interval it was in and nothing before it. A Space takes one row however long it
is live.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from media.relay.plane import DataPlane, Levels, PlaneEvent, SessionDown, SessionUp
from media.server.analytics.course import INTERVAL
from media.server.analytics.ledger import Ledger
from media.server.analytics.tables import ANALYTICS
from media.server.database import Database
from media.server.database_faults import StoreUnavailableError
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.events import Events, SpaceEnded, SpaceStarted
from media.space.space import Space
from media.space.states import State

log = logging.getLogger(__name__)

_BATCH: Final = 20
"""Spaces written at a time: few, so that nobody waits while they are encoded."""
_LOOK: Final = INTERVAL / 2
"""Seconds between two looks at which intervals are over."""


class Analytics:
    """Told by Spaces and by the plane, after :class:`~media.server.admission.Admission`; asked by the routes."""

    def __init__(
        self,
        spaces: Spaces,
        sessions: Sessions,
        plane: DataPlane,
        engine: Database,
        clock: Callable[[], float],
    ) -> None:
        """Take a clock in Unix seconds."""
        self._spaces = spaces
        self._sessions = sessions
        self._engine = engine
        self._clock = clock
        self._live: dict[str, Ledger] = {}
        self._ended: dict[str, Ledger] = {}
        """What is over, until it is written down."""
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        spaces.watch(self.watch)
        plane.subscribe(self.receive)

    async def open(self) -> None:
        """Take up what was counted before, and begin; the Spaces of before are there already."""
        query = sa.select(ANALYTICS).where(ANALYTICS.c.live.is_(True))
        async with self._engine.connect() as connection:
            known = {row.space_id: row for row in await connection.execute(query)}
        for space in self._spaces.in_memory:
            if space.state is State.LIVE and space.id not in self._live:
                row = known.get(space.id)
                began = space.started_at or self._clock()
                ledger = Ledger(row.started_at, row.record) if row else Ledger(began)
                ledger.resume({p.person: p.asked_at for p in space.people.queue if p.asked_at is not None})
                self._live[space.id] = ledger
        for space_id in known.keys() - self._live.keys():  # ended, but killed before that was written here
            ledger = Ledger(known[space_id].started_at, known[space_id].record)
            ledger.end(ledger.as_of)
            self._ended[space_id] = ledger
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Write everything down."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._sample(self._live)
            await self._write(tuple(self._live))

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        for event in events:
            match event:
                case SpaceStarted(at=at):
                    self._live[space.id] = Ledger(at)
                case SpaceEnded(at=at) if (ledger := self._live.pop(space.id, None)) is not None:
                    self._ended[space.id] = ledger
                    ledger.sample(0, 0, 0, space.reactions.total, at)
                    ledger.end(at)
                    self._spaces.follow(self._write(()))
                case _:
                    pass
        ledger = self._live.get(space.id)
        if ledger is not None:
            ledger.note(events)

    def receive(self, event: PlaneEvent) -> None:
        """Take an event of the plane."""
        ledger = self._live.get(event.room)
        if ledger is None:
            return
        match event:
            case SessionUp(room=room, participant=person, session=session_id):
                session, space = self._sessions.get(session_id), self._spaces.held(room)
                if session is not None and space is not None:
                    count = space.participant_count
                    ledger.up(person, session.source, session.anonymous, count, self._clock())
            case SessionDown(participant=person, reason=reason) if reason != "shutdown":
                ledger.down(person, self._clock())
            case Levels(dbov=levels):
                ledger.hear(levels, self._clock())
            case _:
                pass

    async def of(self, space_id: str) -> Ledger | None:
        """Return what was counted about a Space, up to now if it is live; None if it never was."""
        ledger = self._live.get(space_id) or self._ended.get(space_id)
        if ledger is None:
            query = sa.select(ANALYTICS).where(ANALYTICS.c.space_id == space_id)
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).one_or_none()
            ledger = Ledger(row.started_at, row.record) if row else None
        return ledger

    async def sample(self) -> None:
        """End the intervals that are over, and write them down."""
        now = self._clock()
        due = [space_id for space_id, ledger in self._live.items() if ledger.course.due(now)]
        self._sample(due)
        if due or self._ended:
            await self._write(due)

    def _sample(self, space_ids: "Sequence[str] | dict[str, Ledger]") -> None:
        now = self._clock()
        for space_id in space_ids:
            space = self._spaces.held(space_id)
            if space is not None:
                stage = sum(p.on_stage for p in space.people)
                counts = space.participant_count, space.listener_count, stage
                self._live[space_id].sample(*counts, space.reactions.total, now)

    async def _write(self, space_ids: Sequence[str]) -> None:
        """Write live Spaces, and all that have ended."""
        async with self._writing:
            ended = dict(self._ended)
            live = {space_id: self._live[space_id] for space_id in space_ids if space_id in self._live}
            ledgers = list((live | ended).items())
            for start in range(0, len(ledgers), _BATCH):
                await self._write_some(ledgers[start : start + _BATCH])
            for space_id in ended:
                self._ended.pop(space_id, None)

    async def _write_some(self, ledgers: Sequence[tuple[str, Ledger]]) -> None:
        rows: list[dict[str, Any]] = [
            {
                "space_id": space_id,
                "live": ledger.ended_at is None,
                "started_at": ledger.started_at,
                "record": ledger.to_record(),
            }
            for space_id, ledger in ledgers
        ]
        ids = [space_id for space_id, _ in ledgers]
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(ANALYTICS).where(ANALYTICS.c.space_id.in_(ids)))
            await connection.execute(sa.insert(ANALYTICS), rows)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await self.sample()
            except StoreUnavailableError:
                pass  # which is in the log already
            except Exception:
                log.exception("What was counted could not be written down; it is tried again.")
