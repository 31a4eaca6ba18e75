"""Moderation as the routes and the clock drive it: reports in, cases out, decisions into the media path.

An act is kept before it is shown: one transaction holds the case, its timeline and the audit log. Then the media
path obeys and what it came to is noted; if the process dies in between, the next one does it.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.case import Case
from media.moderation.categories import Category
from media.moderation.decision import Action
from media.moderation.errors import TooManyReportsError
from media.moderation.events import CaseClosed, Events
from media.moderation.policy import DEFAULT, ReviewPolicy
from media.moderation.report import Report, Subject
from media.moderation.reporters import Reporter
from media.server.audit.audit import Act, Audit
from media.server.auth import Caller
from media.server.batches import Batches
from media.server.clock import Clock
from media.server.database import REST, Database
from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.events.hub import Hub
from media.server.moderation import reporters as people
from media.server.moderation.carrying import Carrying
from media.server.moderation.closing import Closing
from media.server.moderation.desk import Beside, Desk, unknown_case
from media.server.moderation.effects import Effect, Effects, check_actions
from media.server.moderation.evidence import Evidence, EvidenceGoneError
from media.server.moderation.intake import Filing, Intake
from media.server.moderation.rows import Row, name_of
from media.server.moderation.search import Search, involved
from media.server.moderation.tables import CASES, TIMELINE
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.server.visibility import Visibility
from media.space.space import Space
from media.space.states import Standing
from media.space.visibility import View

log = logging.getLogger(__name__)

LOOK: Final = 1.0
"""Seconds between two looks at the time, at the most."""
AHEAD: Final = 5.0
"""Seconds by which the clock of whoever reports may be ahead of ours."""


class Teller(Protocol):
    """Whoever tells users of decisions about them, with reasons."""

    async def beside_decision(self, number: int, reviewer: str, form: Any) -> Beside:
        """Return what is written in the transaction of a decision."""
        ...

    async def beside_undo(self, connection: AsyncConnection, case: Case, events: Events) -> None:
        """Take back what was told, in the transaction in which the decision is taken back."""
        ...


class Moderation:
    """The service; :meth:`open` before use, :meth:`close` after."""

    def __init__(
        self,
        spaces: Spaces,
        sessions: Sessions,
        visibility: Visibility,
        effects: Effects,
        hub: Hub,
        database: Database,
        audit: Audit,
        clock: Clock,
        policy: ReviewPolicy = DEFAULT,
    ) -> None:
        self._spaces = spaces
        self._sessions = sessions
        self._visibility = visibility
        self._carrying = Carrying(database, effects, policy)
        self._closing = Closing(database, hub)
        self._database = database
        self._clock = clock
        self.audit = audit
        self.policy = policy
        self.desk = Desk(database, audit, policy)
        self.intake = Intake(database, policy)
        self._evidence: Evidence | None = None
        self.teller: Teller | None = None
        """Who tells users why; None and nobody is told."""
        self._batches = Batches(self.intake.take)
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Of those who decide a case, or take that back: the media path follows one after the other."""
        self._sweeping = asyncio.Lock()
        self._sooner = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.on_report: list[Callable[[Report], Any]] = []
        """Told of every report that was taken."""

    @property
    def now(self) -> float:
        """The time by which cases go: Unix seconds that no step of the clock stretches."""
        return self._clock.steady()

    @property
    def evidence(self) -> Evidence | None:
        """The recordings; None where nothing is recorded."""
        return self._evidence

    @evidence.setter
    def evidence(self, evidence: Evidence | None) -> None:
        self._evidence = evidence
        self.intake.evidence = evidence

    async def open(self) -> None:
        """Take up what the last process left."""
        await self.intake.open()
        await self.desk.open(self.now)
        await self._carrying.finish()
        await self._closing.release_again(self._evidence, self.now)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End; what is not through is taken up by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def report(
        self,
        who: Caller,
        space_id: str,
        user_id: str | None,
        category: Category,
        text: str = "",
        moment: float | None = None,
    ) -> Filing:
        """Take a report of somebody who hears a Space, has been in it, or is shown it.

        :param moment: when it was heard (Unix seconds); None for now
        :raises Problem: they are shown nothing of it, the person was not in it, its evidence is erased
        :raises ModerationError: the rules refuse it
        """
        space = await self._spaces.get(space_id)
        if space.people.standing(who.name) is Standing.OUTSIDE:  # else they have, or had, a part in it
            await self._visibility.check(space, who, View.CARD)
        if user_id is not None and not self._was_in(space, user_id):
            raise Problem(404, "unknown-person", "Nobody of this id has been heard in this Space; check the name.")
        now, ahead = self.now, self._clock() - self._clock.steady()
        heard = now if moment is None else moment - ahead
        heard = min(heard, now) if heard <= now + AHEAD else heard
        return await self._file(
            Report(who.name, Subject(space_id, user_id, space.host), category, now, heard, text), space.lang
        )

    async def flag(
        self, rule: str, space_id: str, user_id: str, category: Category, reason: str, heard: float
    ) -> Filing:
        """Take what a rule has found in a Space, as a report in its name.

        :param heard: when (seconds, on the clock of :attr:`now`)
        :raises Problem: there is no such Space, or its evidence is erased
        :raises ModerationError: the rule has reported too much, or is wrong about the time
        """
        space = await self._spaces.get(space_id)
        subject = Subject(space_id, user_id, space.host)
        return await self._file(Report(rule, subject, category, self.now, heard, reason), space.lang)

    async def reporters(self, names: Iterable[str]) -> dict[str, Reporter]:
        """Return reporters as they are known; one who has never reported is new."""
        async with self._database.begin() as connection:
            return await people.load(connection, list(names))

    async def _file(self, report: Report, language: str) -> Filing:
        now = self.now
        await self.sweep()
        filing = Filing(report, language, now)
        await self._batches.add(filing, fresh=True)
        if filing.refusal is None:
            for told in self.on_report:
                told(report)
        match filing.refusal:
            case None:
                return filing
            case EvidenceGoneError():
                sentence = "The sound of this Space has been erased, so nobody can look at it any more."
                raise Problem(410, "evidence-gone", sentence)
            case TooManyReportsError(retry_at=retry_at) as refusal if retry_at is not None:
                wait = str(max(1, round(retry_at - now)))
                raise Problem(429, "too-many-reports", str(refusal), headers={"Retry-After": wait})
            case refusal:
                raise refusal

    async def claim(self, who: Caller, search: Search) -> Row | None:
        """Give a reviewer the next case; None if there is none for them."""
        await self.sweep()
        row, events = await self.desk.claim(who.name, self.now, search, senior=who.senior)
        self._changed(events)
        return row

    async def act(
        self,
        number: int,
        step: Callable[[Case, float], Events],
        *,
        named: Collection[str] = (),
        acts: Sequence[Act] = (),
        beside: Beside | None = None,
    ) -> Case:
        """Let a reviewer do something to a case that nobody hears of outside.

        :raises ModerationError: the rules refuse it
        """
        case, events = await self.desk.act(
            number, lambda c: step(c, self.now), named=named, acts=acts, beside=beside
        )
        self._changed(events)
        return case

    async def decide(
        self, number: int, who: Caller, actions: Collection[Action], note: str, form: Any = None
    ) -> tuple[Case, list[Effect]]:
        """Decide a case, and carry that out; return what came of each action.

        :param form: what the reviewer wrote of the reasons, for :attr:`teller`
        :raises ModerationError: the lease is lost, or the rules refuse it
        """

        def step(case: Case, now: float) -> Events:
            check_actions(case, actions)
            return case.decide(who.name, actions, now, note)

        told = None if self.teller is None else await self.teller.beside_decision(number, who.name, form)
        async with self._turns[number]:
            case = await self.act(number, step, beside=told)
            effects = await self._carrying.carry_out(case, actions, who.name)
        return case, effects

    async def undo(self, number: int, who: Caller) -> tuple[Case, list[Effect]]:
        """Take a decision back, and restore what can be; return what came of each action.

        :raises ModerationError: it stands, or is another's
        """
        told = None if self.teller is None else self.teller.beside_undo
        async with self._turns[number]:
            case = await self.act(number, lambda c, now: c.undo(who.name, now), beside=told)
            undone = await self._carrying.take_back(case)
        return case, undone

    async def remark(self, number: int, who: Caller, text: str) -> None:
        """Write something into the timeline of a case.

        :raises Problem: 404, there is none for this reviewer
        """
        line = {"case_id": number, "at": self.now, "actor": who.name, "what": "note", "text": text}
        mine = sa.select(CASES.c.id).where(CASES.c.id == number, sa.not_(involved(who.name)))
        async with self._database.begin() as connection:
            if (await connection.execute(mine)).first() is None:
                raise unknown_case()
            await connection.execute(sa.insert(TIMELINE), [line])
            await self.audit.write(connection, [Act(who.name, "note", f"case {name_of(number)}", text)])

    async def mark(
        self, name: str, who: Caller, *, muted: bool | None = None, trusted: bool | None = None
    ) -> Reporter:
        """Mute somebody who reports, or trust them, or take that back."""
        async with self._database.begin() as connection:
            reporter = (await people.load(connection, {name}))[name]
            reporter.muted = reporter.muted if muted is None else muted
            reporter.trusted = reporter.trusted if trusted is None else trusted
            await people.save(connection, [reporter], self.policy)
            said = (
                ("muted" if muted else "unmuted") if trusted is None else ("trusted" if trusted else "distrusted")
            )
            await self.audit.write(connection, [Act(who.name, f"{said} reporter", name)])
        return reporter

    async def began(self, space_id: str) -> float:
        """Return when a Space started, on the clock of its cases; when it was made, if it has not."""
        space = await self._spaces.get(space_id)
        start = space.created_at if space.started_at is None else space.started_at
        return start - self._clock() + self._clock.steady()

    async def sweep(self) -> None:
        """Do what time alone brings."""
        while self.desk.next_timer <= self.now:
            async with self._sweeping:
                if self.desk.next_timer <= self.now:
                    events = await self.desk.handle_timers(self.now)
                    closed = [event for event in events if isinstance(event, CaseClosed)]
                    await self._closing.close(closed, self._evidence)
                    for event in closed:
                        self._turns.pop(int(event.case), None)

    def _was_in(self, space: Space, person: str) -> bool:
        known = person == space.host or person in space.spoke or self._sessions.present(space.id, person)
        return known or space.people.standing(person) is not Standing.OUTSIDE

    def _changed(self, events: Events) -> None:
        if events:
            self._sooner.set()

    async def _run(self) -> None:
        while True:
            self._sooner.clear()
            try:
                await self.sweep()
                wait = min(LOOK, max(0.0, self.desk.next_timer - self.now))
            except StoreUnavailableError:  # which is in the log already
                wait = REST
            except Exception:
                log.exception("Cases wait for the next look at the time.")
                wait = LOOK
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), wait)
