"""Reminders in time: told on people's own event streams, and queued for Web Push.

What is due is not remembered here but worked out (:mod:`media.space.reminders`) from the Space and from what the
store says each person knows, a few hundred people at a time.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError

from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.events.hub import Hub
from media.server.events.schema import CanceledData, ReminderData
from media.server.reminders.ledger import Ledger, Told
from media.server.reminders.outbox import Message
from media.server.spaces import Spaces
from media.server.visibility import Visibility
from media.space.errors import WrongStateError
from media.space.events import Events, SpaceCanceled, SpaceEnded, SpaceScheduled, SpaceStarted
from media.space.reminders import FINAL, Notice, Plan, Reminder
from media.space.space import Space
from media.space.states import Input, State, next_state

log = logging.getLogger(__name__)

BATCH: Final = 500
"""People told in one transaction."""
REST: Final = 5.0
"""Seconds until the store is tried again after it failed."""
LOOK: Final = 1.0
"""Seconds between two looks at the time while somebody waits for an hour: the clock can be set."""
_WHEN: Final[dict[Notice, Literal["soon", "start", "moved"]]] = {
    Notice.SOON: "soon",
    Notice.STARTED: "start",
    Notice.MOVED: "moved",
}
_LASTS: Final = {Notice.STARTED: 3600.0, Notice.MOVED: 86_400.0, Notice.CANCELED: 86_400.0}
"""Seconds for which it is worth telling; half an hour before the start is, until the start."""


class Reminders:
    """Driven by what happens in Spaces, and by a task of its own."""

    def __init__(
        self,
        spaces: Spaces,
        visibility: Visibility,
        ledger: Ledger,
        hub: Hub,
        clock: Callable[[], float],
        on_queued: Callable[[], None],
    ) -> None:
        """Take a clock in Unix seconds; ``on_queued`` is told that messages wait to be pushed."""
        self._spaces = spaces
        self._visibility = visibility
        self._ledger = ledger
        self._hub = hub
        self._clock = clock
        self._on_queued = on_queued
        self._due: set[str] = set()
        """Spaces of which somebody may have to be told something."""
        self._timed: dict[str, float] = {}
        """When a Space will be one of those by itself (Unix seconds)."""
        self._news = asyncio.Event()
        self._sweeping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        spaces.watch(self.watch)

    async def open(self) -> None:
        """Take up what was not told when the last process ended, and begin; the Spaces are there."""
        counts = await self._ledger.counts()
        for space in self._spaces.in_memory:
            if space.state is State.SCHEDULED:
                space.subscriber_count = counts.get(space.id, 0)
        self._due.update(counts)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End; what is not told will be by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def watch(self, space: Space, events: Events) -> None:
        """Take what happened in a Space."""
        if any(isinstance(event, SpaceScheduled | SpaceStarted | SpaceCanceled | SpaceEnded) for event in events):
            self._due.add(space.id)
            self._news.set()

    async def add(self, space: Space, person: str) -> Reminder:
        """Let a person be reminded of a scheduled Space; nothing changes if they are already.

        :raises WrongStateError: it is not scheduled
        """
        next_state(space.state, Input.REMIND)
        assert space.scheduled_start is not None
        reminder = Reminder(self._clock(), space.scheduled_start)
        if await self._ledger.add(space.id, person, reminder):
            try:  # the count follows from what the store holds already
                self._spaces.note(space.id, lambda s, now: s.subscribe(now))
            except WrongStateError:  # it has started, or was canceled, this moment
                self._due.add(space.id)
            if space.id not in self._timed:
                self._due.add(space.id)
            self._news.set()
        return reminder

    async def discard(self, space: Space, person: str) -> None:
        """Do not remind a person any more."""
        if await self._ledger.discard(space.id, person):
            with contextlib.suppress(WrongStateError):
                self._spaces.note(space.id, lambda s, now: s.subscribe(now, -1))

    async def sweep(self) -> None:
        """Tell everyone what they are to be told now."""
        async with self._sweeping:
            now = self._clock()
            self._due.update(space_id for space_id, at in self._timed.items() if at <= now)
            while self._due:
                space_id = self._due.pop()  # before it is read: what happens from now on makes it due again
                try:
                    await self._tell_all(space_id)
                except BaseException:
                    self._due.add(space_id)
                    raise

    async def _tell_all(self, space_id: str) -> None:
        self._timed.pop(space_id, None)
        began = self._clock()
        try:
            space = await self._spaces.get(space_id)
        except Problem:  # a wish about nothing
            await self._ledger.clear(space_id)
            return
        after = ""
        while people := await self._ledger.of_space(space_id, after, BATCH):
            after = people[-1][0]
            if Plan.of(space).over:
                await self._ledger.clear(space_id)
                break
            await self._tell(space, people)
        if after and (due := Plan.of(space).next_due(began)) is not None:
            self._timed[space_id] = due

    async def _tell(self, space: Space, people: list[tuple[str, Reminder]]) -> None:
        plan, now = Plan.of(space), self._clock()
        await self._visibility.prepare(space)
        groups: dict[tuple[Notice, Reminder | None], list[str]] = {}
        for person, reminder in people:
            notice = reminder.due(plan, now)
            if notice is not None and await self._visibility.shown([space], person):
                groups.setdefault((notice, reminder.told(notice, plan, now)), []).append(person)
        if not groups:
            return
        told = [Told(whom, knows, _message(space, notice, now)) for (notice, knows), whom in groups.items()]
        await self._ledger.note(space.id, told, now)
        for (notice, _), whom in groups.items():
            name, data = about(space, notice)
            for person in whom:
                self._hub.publish_to_user(person, name, data)
        self._on_queued()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self.sweep()
                deadline = min(self._timed.values(), default=None)
                wait = None if deadline is None else min(LOOK, max(0.0, deadline - self._clock()))
            except StoreUnavailableError:  # which is in the log already
                wait = REST
            except SQLAlchemyError:
                log.exception("Reminders wait for the store.")
                wait = REST
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)


def about(space: Space, notice: Notice) -> tuple[str, BaseModel]:
    """Return what a person is told: the name of the event, and its data."""
    if notice is Notice.CANCELED:
        return "canceled", CanceledData(space_id=space.id, title=space.title)
    start = None if space.scheduled_start is None else datetime.fromtimestamp(space.scheduled_start, UTC)
    return "reminder", ReminderData(
        space_id=space.id, title=space.title, when=_WHEN[notice], scheduled_start=start
    )


def _message(space: Space, notice: Notice, now: float) -> Message:
    name, data = about(space, notice)
    until = space.scheduled_start or now
    return Message(
        topic=f"space-{space.id}",
        payload=to_json({"event": name, **data.model_dump(mode="json"), "url": f"/s/{space.id}"}).decode(),
        expires_at=until if notice is Notice.SOON else now + _LASTS[notice],
        urgent=notice is Notice.SOON or notice in FINAL,
    )
