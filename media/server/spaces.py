"""The Spaces of this server: live objects in memory, their effects in the relay, their records in the store.

The rule by which memory, relay and store agree, also while the store is away:

- **A change is kept before it is shown** (:meth:`Spaces.act`, :meth:`Spaces.create`). The domain decides on a copy
  of the Space, the store writes the copy, then the Space becomes it, watchers are told, and the relay obeys. If
  the store cannot write it, nothing has happened and the caller is told so: 503.
- **What takes sound away waits for nothing** (:meth:`Spaces.silence`: mute, revoke, remove, leave, end), nor does
  what has happened anyway (:meth:`Spaces.note`: connections, timers). It is decided on the Space itself, shown,
  obeyed by the relay, and then written. If the store cannot, it holds all the same, is written as soon as the
  store is back, and the caller is told both: 503. So a success always means that it is kept.

What other tables say of a change is written with it, in the same transaction (``beside``): a process that dies
leaves both or neither.

Both can meet: what is decided at once while a copy is being written is decided on that copy, too, so a grant that
was under way never undoes a mute.
"""

import asyncio
import contextlib
import logging
import secrets
import string
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json

from media.relay.plane import DataPlane, PlaneError
from media.server.batches import Batches
from media.server.changes import AtOnce, Attempt, Beside, Held, RefusedError, Step, Wish, beside_of
from media.server.clock import Clock
from media.server.commands import carry_out, reopen
from media.server.database_faults import StoreUnavailableError, UnwrittenError
from media.server.errors import Problem
from media.server.sessions import Sessions
from media.server.slices import Slices
from media.server.store import Place, Store
from media.space.errors import SpaceError, WrongStateError
from media.space.events import PersonLeft, PersonRemoved, SpaceEdited, SpaceEnded
from media.space.policy import Policy
from media.space.record import from_record, to_record
from media.space.space import Events, Space
from media.space.states import Standing, State
from media.space.tickets import Offer, Seller

log = logging.getLogger(__name__)

Watcher = Callable[[Space, Events], None]
"""Is told what happened in a Space, at once and in order; must neither wait nor raise."""

DRAFTS: Final = 200
"""Drafts that one person can have at a time."""
UNFINISHED: Final = (State.DRAFT, State.SCHEDULED, State.LIVE)
_BASE62: Final = string.digits + string.ascii_letters


def unknown_space() -> Problem:
    """Return what whoever may not know of a Space is told, too: the same as if there were none."""
    return Problem(404, "unknown-space", "There is no Space of this id.")


class Spaces:
    """Driven by the API, by the events of the plane and by :class:`~media.server.timers.Timers`."""

    def __init__(
        self,
        store: Store,
        plane: DataPlane,
        sessions: Sessions,
        policy: Policy,
        clock: Clock,
    ) -> None:
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
        self._making: dict[str, Space] = {}
        """Spaces that the store has not written yet."""
        self._unmade: set[str] = set()
        """Spaces of which the store may have written a record that nobody was told of."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._batches = Batches(self._write, self._give_up)
        store.database.on_recovered(self.catch_up)

    def follow_clock(self) -> bool:
        """Let all that lasts go on as before if the clock of the machine was set; whether it was."""
        by = self.clock.step()
        if by:
            log.warning("The clock was set by %+.0f s; what lasts in Spaces goes on as before.", by)
            for held in self._held.values():
                held.space.shift(by)
                held.space.reactions.shift(by)
                held.space.arrivals.shift(by)
                if held.attempt is not None:
                    held.attempt.draft.shift(by)
                held.changed = True
        return bool(by)

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
        done = await asyncio.gather(*map(self._save, list(self._held.values())), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error

    async def catch_up(self) -> None:
        """Write what could not be written while the store was away."""
        for space_id in list(self._unmade):
            await self.store.erase(space_id)
            self._unmade.discard(space_id)
        await asyncio.gather(*(self._save(held) for held in list(self._held.values()) if held.changed))

    async def create(
        self,
        host: str,
        *,
        scheduled_start: float | None,
        sale: tuple[Offer, Seller] | None = None,
        beside: Callable[[Space], Beside] | None = None,
        entry: Mapping[str, Any] | None = None,
        **attributes: Any,
    ) -> Space:
        """Make a Space of a host, a draft unless it has a time to start (Unix seconds); maybe with tickets.

        :param entry: its rules of entry, as :meth:`media.space.entry.Entry.set_entry` takes them

        :raises SpaceError: the rules refuse it, or the host has enough drafts, all of which are held in memory
        """
        now = self.clock()
        if scheduled_start is None and self._drafts(host) >= DRAFTS:
            raise WrongStateError(f"You have {DRAFTS} drafts already; start or cancel one first.")
        attributes.setdefault("policy", self.policy)
        space = Space(self._new_id(), host, now, **attributes)
        events: Events = space.set_entry(host, now, **entry) if entry else []
        if scheduled_start is not None:
            events += space.schedule(host, scheduled_start, now, others=self.scheduled(space))
        if sale is not None:
            offer, seller = sale
            events += space.sell_tickets(host, offer, now, seller=seller)
        making = self._make(space, events, beside and beside(space))
        await asyncio.shield(self.follow(making))  # whole, even if nobody waits for it any more
        return space

    async def _make(self, space: Space, events: Events, beside: Beside | None) -> None:
        held = Held(space)
        held.changed, held.beside = True, beside
        self._making[space.id] = space
        try:
            await self._save(held)
        except BaseException:
            self._unmade.add(space.id)  # the store may have kept it before its answer was lost
            raise
        finally:
            held.beside = None
            del self._making[space.id]
        self._held[space.id] = held
        self.on_timer_changed(space)
        self._tell(space, events)

    async def schedule(self, space_id: str, by: str, start: float) -> Space:
        """Give a Space a time to start (Unix seconds), or another one.

        :raises SpaceError: the rules refuse it
        :raises Problem: 404, there is no such Space
        """
        return await self.act(space_id, lambda s, now: s.schedule(by, start, now, others=self.scheduled(s)))

    def _drafts(self, host: str) -> int:
        return sum(s.host == host and s.state is State.DRAFT for s in self._known)

    def scheduled(self, but: Space) -> int:
        """How many other Spaces a host has scheduled."""
        return sum(s.host == but.host and s.state is State.SCHEDULED for s in self._known if s.id != but.id)

    @property
    def _known(self) -> Iterator[Space]:
        yield from self.in_memory
        yield from self._making.values()

    async def get(self, space_id: str) -> Space:
        """Return a Space, live or long over.

        :raises Problem: 404, there is none
        """
        return (await self._find(space_id)).space

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

    async def act(self, space_id: str, step: Step, beside: Beside | None = None) -> Space:
        """Change a Space; when this returns, store and relay have followed, in this order.

        :param step: may be asked again, on another copy
        :param beside: what is written with it, also if nothing in the Space changes
        :raises SpaceError: the rules refuse it
        :raises Problem: 404, there is no such Space
        :raises StoreUnavailableError: it cannot be written, and has not happened
        """
        held, wish = await self._find(space_id), Wish(step, beside)
        held.waiting.append(wish)
        await self._batches.add(held, fresh=True)
        if wish.refusal is not None:
            raise wish.refusal
        await self._relay(held)
        return held.space

    async def silence(self, space_id: str, step: Step) -> Space:
        """Take sound away in a Space; when this returns, relay and store have followed, in this order.

        :raises SpaceError: the rules refuse it
        :raises Problem: 404, there is no such Space
        :raises UnwrittenError: it holds, but cannot be written before the store is back
        """
        held = await self._find(space_id)
        self._decide(held, step)
        await self._settle(held)
        return held.space

    def _decide(self, held: Held, step: Step) -> None:
        """Decide at once what takes sound away, and again after the changes that were asked for before."""
        now, events = self._step(held, step)
        if any(isinstance(before, Wish) for before in held.waiting):
            held.waiting.append(AtOnce(step, now, events))

    async def end_all(self, host: str | None = None) -> tuple[int, Awaitable[None]]:
        """End every live Space, or every one of a host, as enforcement; when this returns, the relay has followed.

        Return how many that were, and what waits until all of it is written, which raises UnwrittenError if it
        cannot be before the store is back.
        """
        ours = [held for held in self._held.values() if host in (None, held.space.host)]
        relaying: list[asyncio.Task[None]] = []
        for held in ours:
            if held.space.state is State.LIVE:
                self._decide(held, lambda space, now: space.end(None, now))
                relaying.append(self.follow(self._relay(held)))
                await asyncio.sleep(0)  # the relay hears of it while the next is decided
        await asyncio.gather(*relaying)
        over = [held for held in ours if held.space.state is State.ENDED]  # also of a call that could not write
        return len(relaying), self._write_down(over)

    async def _write_down(self, many: Sequence[Held]) -> None:
        done = await asyncio.gather(*map(self._settle, many), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error

    async def leave(self, space_id: str, person: str) -> None:
        """Let a person go who wants to, from the stage or from the crowd, and end their connections.

        :raises SpaceError: the host cannot, and who is not there cannot
        """
        held = await self._find(space_id)
        present = self.sessions.present(space_id, person)
        _, events = self._step(held, lambda space, now: space.leave(person, now, present=present))
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
        if held is not None and not self._closed and self._step(held, step)[1]:
            self.follow(self._settle(held))

    def follow(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something soon that nobody waits for; a failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._followed)
        return task

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreUnavailableError):  # which is logged
            log.error("Relay or store could not follow a Space.", exc_info=error)

    def _step(self, held: Held, step: Step) -> tuple[float, Events]:
        """Decide at once, on the Space itself."""
        now = self._now()
        events = step(held.space, now)
        if held.attempt is not None:
            held.attempt.meanwhile.append(AtOnce(step, now, events))
        held.changed = held.changed or bool(events)
        self._show(held, events)
        return now, events

    def _now(self) -> float:
        self.follow_clock()
        return self.clock()

    def _show(self, held: Held, events: Events) -> None:
        """Let it be known what happened in a Space, and let the relay be told."""
        space = held.space
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
        self.on_timer_changed(space)
        self._tell(space, events)

    def _forget(self, held: Held, person: str) -> None:
        """Forget the sessions of a person; the relay knows those under another name that were renamed."""
        held.endings += [s for s in self.sessions.forget(held.space.id, person) if s.renamed]

    def _tell(self, space: Space, events: Events) -> None:
        if events:
            for watcher in self._watchers:
                watcher(space, events)

    async def _settle(self, held: Held) -> None:
        await self._relay(held)
        try:
            await self._save(held)
        except StoreUnavailableError as error:
            raise UnwrittenError(str(error)) from error

    async def _relay(self, held: Held) -> None:
        async with held.relaying:
            while held.endings:
                await self.plane.drop_session(held.endings.popleft().id)
            while held.outbox:
                event = held.outbox.popleft()
                try:
                    await carry_out(self.plane, held.space, event)
                except PlaneError as error:
                    log.warning("The relay could not follow %s: %s", type(event).__name__, error)

    async def _save(self, held: Held) -> None:
        """Have the newest state written down; when this returns, all that was decided before it is."""
        await self._batches.add(held, fresh=held.changed)

    async def _write(self, batch: Sequence[Held]) -> None:
        """Write Spaces with the changes that wait; what is written is shown then."""
        for held in batch:
            if held.attempt is None and held.waiting:
                held.attempt = self._attempt(held)
        fresh = [
            held
            for held in batch
            if held.changed or (held.attempt is not None and (held.attempt.events or held.attempt.beside))
        ]
        for held in fresh:
            held.changed = False
        try:
            if fresh:
                written = [held.space if held.attempt is None else held.attempt.draft for held in fresh]
                await self.store.save(*map(to_record, written), beside=[beside_of(held) for held in fresh])
        except RefusedError as refused:
            for held in fresh:
                held.changed = True
            self._without(refused)
            await self._write(batch)
            return
        except BaseException:
            for held in fresh:
                held.changed = True
            raise
        for held in batch:
            self._adopt(held)

    def _attempt(self, held: Held) -> Attempt:
        """Decide on a copy, in the order in which it was asked for."""
        self.follow_clock()
        attempt, held.waiting = Attempt(held.space.copy(), held.waiting), []
        for each in attempt.asked:
            try:
                now = each.now if isinstance(each, AtOnce) else self.clock()
                attempt.events += each.step(attempt.draft, now)
            except Exception as refusal:
                if isinstance(each, Wish):
                    each.refusal = refusal
        return attempt

    def _without(self, refused: RefusedError) -> None:
        """Have the rest decided anew, on another copy, without a change that cannot be written."""
        held, attempt = refused.held, refused.held.attempt
        assert attempt is not None
        refused.wish.refusal = refused.why
        rest = [each for each in attempt.asked if not isinstance(each, Wish) or each.refusal is None]
        held.waiting = [*rest, *attempt.meanwhile, *held.waiting]
        held.attempt = None

    def _adopt(self, held: Held) -> None:
        """Let a Space become the copy that was written, and what was decided meanwhile hold there, too."""
        attempt, held.attempt = held.attempt, None
        if attempt is not None:
            events = attempt.events
            for each in attempt.meanwhile:
                with contextlib.suppress(SpaceError):
                    again = each.step(attempt.draft, each.now)
                    held.changed = held.changed or bool(again)
                    events += [event for event in again if event not in each.events]
            held.space.become(attempt.draft)
            self._show(held, events)
            if held.outbox or held.endings:
                self.follow(self._relay(held))  # also if nobody waits any more
            if held.changed:
                self.follow(self._save(held))
        if held.space.state not in UNFINISHED and not held.changed:
            self._held.pop(held.space.id, None)

    def _give_up(self, held: Held) -> None:
        """Forget the copy that cannot be written; the record is written anew, as nobody knows whether it was."""
        held.attempt = None

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
