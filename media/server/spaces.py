"""The Spaces of this server: live objects in memory, their effects in the relay, their records in the store.

One input goes through three steps, in this order: the domain decides (at once, without awaiting), the relay obeys,
the store remembers. The first step is what makes two requests at a time safe; the order of the other two is what
makes a removed person silent within milliseconds.
"""

import asyncio
import logging
import secrets
import string
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from pydantic_core import from_json

from media.relay.plane import DataPlane, PlaneError
from media.server.batches import Batches
from media.server.commands import carry_out, reopen
from media.server.errors import Problem
from media.server.sessions import MediaSession, Sessions
from media.server.slices import Slices
from media.server.store import Place, Store
from media.space.errors import WrongStateError
from media.space.events import PersonLeft, PersonRemoved, SpaceEdited, SpaceEnded, SpaceEvent
from media.space.policy import Policy
from media.space.record import from_record, to_record
from media.space.space import Events, Space
from media.space.states import Standing, State
from media.space.tickets import Offer, Seller

log = logging.getLogger(__name__)

Step = Callable[[Space, float], Events]
"""An input to a Space at a time (Unix seconds)."""
Watcher = Callable[[Space, Events], None]
"""Is told what happened in a Space, at once and in order; must neither wait nor raise."""

DRAFTS: Final = 200
"""Drafts that one person can have at a time."""
UNFINISHED: Final = (State.DRAFT, State.SCHEDULED, State.LIVE)
_BASE62: Final = string.digits + string.ascii_letters


def unknown_space() -> Problem:
    """Return what whoever may not know of a Space is told, too: the same as if there were none."""
    return Problem(404, "unknown-space", "There is no Space of this id.")


class Held:
    """A Space in memory, and what is still to be done about it outside."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.outbox: deque[SpaceEvent] = deque()
        self.endings: deque[MediaSession] = deque()
        """Sessions that the relay is to end, and does not by ending those of a participant."""
        self.changed = False
        """Whether something is to be written down that no batch has taken up."""
        self.relaying = asyncio.Lock()


class Spaces:
    """Driven by the API, by the events of the plane and by :class:`~media.server.timers.Timers`."""

    def __init__(
        self,
        store: Store,
        plane: DataPlane,
        sessions: Sessions,
        policy: Policy,
        clock: Callable[[], float],
    ) -> None:
        """Take a clock in Unix seconds."""
        self.store = store
        self.plane = plane
        self.sessions = sessions
        self.policy = policy
        self.clock = clock
        self.slices = Slices()
        """For whoever looks through many Spaces."""
        self.on_timer_changed: Callable[[Space], None] = lambda _: None
        self._watchers: list[Watcher] = []
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._batches = Batches(self._write)

    def watch(self, watcher: Watcher) -> None:
        """Tell a service what happens in every Space; not that listeners come and go, who are a number."""
        self._watchers.append(watcher)

    @property
    def in_memory(self) -> list[Space]:
        """Every Space that is not over."""
        return [held.space for held in self._held.values()]

    def held(self, space_id: str) -> Space | None:
        """Return a Space that is not over; None of any other id."""
        held = self._held.get(space_id)
        return held and held.space

    async def open(self) -> None:
        """Take up every Space that was not over when the last process ended."""
        for space in await self.find(UNFINISHED):
            self._held[space.id] = Held(space)
            if space.state is State.LIVE:
                await reopen(self.plane, space)
            self.on_timer_changed(space)

    async def close(self) -> None:
        """Finish what is under way and write everything down; what happens after this is not noted."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        for held in self._held.values():
            held.changed = True
        await asyncio.gather(*map(self._save, list(self._held.values())))

    async def create(
        self,
        host: str,
        *,
        scheduled_start: float | None,
        sale: tuple[Offer, Seller] | None = None,
        **attributes: Any,
    ) -> Space:
        """Make a Space of a host, a draft unless it has a time to start (Unix seconds); maybe with tickets.

        :raises SpaceError: the rules refuse it, or the host has enough drafts, all of which are held in memory
        """
        now = self.clock()
        if scheduled_start is None and self._drafts(host) >= DRAFTS:
            raise WrongStateError(f"You have {DRAFTS} drafts already; start or cancel one first.")
        attributes.setdefault("policy", self.policy)
        space = Space(self._new_id(), host, now, **attributes)
        events: Events = []
        if scheduled_start is not None:
            events = space.schedule(host, scheduled_start, now, others=self.scheduled(space))
        if sale is not None:
            offer, seller = sale
            events += space.sell_tickets(host, offer, now, seller=seller)
        held = self._held[space.id] = Held(space)
        held.changed = True
        await self._save(held)
        self.on_timer_changed(space)
        self._tell(space, events)
        return space

    async def schedule(self, space_id: str, by: str, start: float) -> Space:
        """Give a Space a time to start (Unix seconds), or another one.

        :raises SpaceError: the rules refuse it
        :raises Problem: 404, there is no such Space
        """
        return await self.act(space_id, lambda s, now: s.schedule(by, start, now, others=self.scheduled(s)))

    def _drafts(self, host: str) -> int:
        return sum(s.host == host and s.state is State.DRAFT for s in self.in_memory)

    def scheduled(self, but: Space) -> int:
        """How many other Spaces a host has scheduled."""
        return sum(s.host == but.host and s.state is State.SCHEDULED for s in self.in_memory if s.id != but.id)

    async def get(self, space_id: str) -> Space:
        """Return a Space, live or long over.

        :raises Problem: 404, there is none
        """
        return (await self._find(space_id)).space

    def takes_anonymous(self, space_id: str) -> bool:
        """Whether a Space lets people listen without a token; a Space that does not exist does not."""
        held = self._held.get(space_id)
        return held is not None and held.space.anonymous_listening

    async def find(
        self,
        states: Sequence[State],
        limit: int | None = None,
        *,
        after: Place | None = None,
        drafts_of: str | None = None,
    ) -> list[Space]:
        """Return Spaces of these states, youngest first; see :meth:`media.server.store.Store.find`."""
        records = await self.store.find(states, limit, after=after, drafts_of=drafts_of)
        return await self.slices.map(self._read, records)

    def _read(self, text: str) -> Space:
        record = from_json(text)
        held = self._held.get(record["id"])
        return held.space if held else from_record(record, self.clock())

    async def act(self, space_id: str, step: Step) -> Space:
        """Do something to a Space; when this returns, relay and store have followed.

        :raises SpaceError: the rules refuse it
        :raises Problem: 404, there is no such Space
        """
        held = await self._find(space_id)
        self._step(held, step)
        await self._settle(held)
        return held.space

    async def leave(self, space_id: str, person: str) -> None:
        """Let a person go who wants to, from the stage or from the crowd, and end their connections.

        :raises SpaceError: the host cannot, and who is not there cannot
        """
        held = await self._find(space_id)
        present = self.sessions.present(space_id, person)
        events = self._step(held, lambda space, now: space.leave(person, now, present=present))
        self._forget(held, person)
        if not events:  # a face in the crowd, whose going is no event
            await self.plane.drop_participant(space_id, person)
        await self._settle(held)

    async def expel(self, space_id: str, person: str) -> None:
        """Let a person go whose sessions were ended against their will.

        A Space that loses its host so goes on if a co-host is connected, and else ends at once.
        """
        held = self._held.get(space_id)
        if held is None or held.space.state is not State.LIVE:
            return
        space, present = held.space, self.sessions.present(space_id, person)
        if person == space.host:
            self._step(held, lambda space, now: space.lose_host(now))
        elif present or space.people.standing(person) not in (Standing.OUTSIDE, Standing.REMOVED):
            self._step(held, lambda space, now: space.leave(person, now, present=present))
        self._forget(held, person)
        await self._settle(held)

    def note(self, space_id: str, step: Step) -> None:
        """Do something that has happened anyway; relay and store follow soon.

        :raises SpaceError: the rules refuse it
        """
        held = self._held.get(space_id)
        if held is not None and not self._closed and self._step(held, step):
            self.follow(self._settle(held))

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something soon that nobody waits for; a failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("Relay or store could not follow a Space.", exc_info=error)

    def _step(self, held: Held, step: Step) -> Events:
        space = held.space
        events = step(space, self.clock())
        for event in events:
            match event:
                case PersonRemoved(person=person) | PersonLeft(person=person, reason="left"):
                    self._forget(held, person)
                case SpaceEdited(fields=fields) if "anonymous_listening" in fields:
                    if not space.anonymous_listening:
                        held.endings += [s for s in self.sessions if s.space == space.id and s.anonymous]
                case SpaceEnded():
                    self.sessions.forget(space.id)
                case _:
                    pass
        held.outbox.extend(events)
        held.changed = held.changed or bool(events)
        self.on_timer_changed(space)
        self._tell(space, events)
        return events

    def _forget(self, held: Held, person: str) -> None:
        """Forget the sessions of a person; the relay knows those under another name that were renamed."""
        held.endings += [s for s in self.sessions.forget(held.space.id, person) if s.renamed]

    def _tell(self, space: Space, events: Events) -> None:
        if events:
            for watcher in self._watchers:
                watcher(space, events)

    async def _settle(self, held: Held) -> None:
        async with held.relaying:
            while held.endings:
                await self.plane.drop_session(held.endings.popleft().id)
            while held.outbox:
                event = held.outbox.popleft()
                try:
                    await carry_out(self.plane, held.space.id, event)
                except PlaneError as error:
                    log.warning("The relay could not follow %s: %s", type(event).__name__, error)
        await self._save(held)

    async def _save(self, held: Held) -> None:
        """Have the newest state written down; when this returns, all that was decided before it is."""
        await self._batches.add(held, fresh=held.changed)
        if held.space.state not in UNFINISHED:
            self._held.pop(held.space.id, None)

    async def _write(self, batch: Sequence[Held]) -> None:
        for held in batch:
            held.changed = False
        try:
            await self.store.save(*(to_record(held.space) for held in batch))
        except BaseException:
            for held in batch:
                held.changed = True
            raise

    async def _find(self, space_id: str) -> Held:
        held = self._held.get(space_id)
        if held is not None:
            return held
        record = await self.store.load(space_id)
        if record is None:
            raise unknown_space()
        return self._held.get(space_id) or Held(from_record(record, self.clock()))

    def _new_id(self) -> str:
        """Return an id in the shape that X gives its Spaces: 13 letters and digits."""
        return "".join(secrets.choice(_BASE62) for _ in range(13))
