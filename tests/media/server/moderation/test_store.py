"""The store of cases against the queue of the rules: what is put into both leads to the same cases."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from media.moderation.audit import first_fault
from media.moderation.case import Case
from media.moderation.categories import Category
from media.moderation.decision import Action
from media.moderation.errors import ModerationError
from media.moderation.events import CaseEvent, Events
from media.moderation.policy import ReviewPolicy
from media.moderation.queue import ReviewQueue
from media.moderation.report import Report, Subject
from media.server.audit.audit import Audit
from media.server.moderation import reporters as people
from media.server.moderation.desk import Desk
from media.server.moderation.intake import Filing, Intake
from media.server.moderation.search import Search
from media.server.moderation.tables import CASES, REPORTS
from media.server.store import Store

POLICY = ReviewPolicy(lease=60.0, undo=10.0, reports_an_hour=4, crowd=2)
REVIEWERS = ("rita", "rolf", "ana")
"""Of whom the last one is reported, too."""
USERS = ("ana", "ben", "cem", "dag", "eve")
T = TypeVar("T")


@dataclass
class Answer:
    """What came of an input: a result, or a refusal."""

    result: object = None
    refusal: str = ""


class Both(RuleBasedStateMachine):
    """The queue in memory and the one in the store, driven alike."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.now = 1e9
        self.queue = ReviewQueue(POLICY)
        self.store = Store(f"sqlite+aiosqlite:///{Path(self.folder.name) / 'test.db'}")
        self.run(self.store.open())
        self.up()

    def up(self) -> None:
        """Begin as a new process does."""
        self.audit = Audit(self.store.database, lambda: self.now)
        self.desk = Desk(self.store.database, self.audit, POLICY)
        self.intake = Intake(self.store.database, POLICY)
        self.run(self.intake.open())
        self.run(self.desk.open(self.now))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        entries = self.run(self._log())
        assert first_fault(entries) is None
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    async def _log(self) -> list[Any]:
        return [entry async for entry in self.audit.entries()]

    async def sweep(self) -> Events:
        events: Events = []
        while self.desk.next_timer <= self.now:
            events += await self.desk.handle_timers(self.now)
        return events

    @rule(
        reporter=st.sampled_from(USERS),
        person=st.sampled_from(["ana", "ben", None]),
        category=st.sampled_from([Category.HATE, Category.SPAM, Category.DISTURBANCE]),
        ago=st.sampled_from([0.0, 20.0, 200.0]),
        trusted=st.booleans(),
    )
    def report(self, reporter: str, person: str | None, category: Category, ago: float, trusted: bool) -> None:
        known = self.queue.reporters.get(reporter)  # a flagger is trusted from the first report on, or never
        trusted = known.trusted if known else trusted and reporter == "eve"
        subject = Subject("s", person, "hal")
        try:
            report = Report(reporter, subject, category, self.now, self.now - ago, trusted=trusted)
        except ModerationError:
            return
        expected = attempt(lambda: self.queue.report(report, self.now)[0])
        self.run(self.sweep())
        if trusted:
            self.run(self._trust(reporter))
        filing = Filing(report, "en", self.now)
        self.run(self.intake.take([filing]))
        if expected.refusal:
            assert str(filing.refusal) == expected.refusal
            return
        assert filing.refusal is None and filing.number > 0
        case = expected.result
        assert (filing.case and filing.case.id) == (case.id if isinstance(case, Case) else None)

    async def _trust(self, name: str) -> None:
        async with self.store.database.begin() as connection:
            known = (await people.load(connection, {name}))[name]
            if not known.made and not known.outcomes:
                known.trusted = True
            await people.save(connection, [known], POLICY)

    @rule(reporter=st.sampled_from(USERS), muted=st.booleans())
    def mute(self, reporter: str, muted: bool) -> None:
        if reporter in self.queue.reporters:
            self.queue.reporters[reporter].muted = muted
            self.run(self._mute(reporter, muted))

    async def _mute(self, name: str, muted: bool) -> None:
        async with self.store.database.begin() as connection:
            known = (await people.load(connection, {name}))[name]
            known.muted = muted
            await people.save(connection, [known], POLICY)

    @rule(
        reviewer=st.sampled_from(REVIEWERS),
        senior=st.booleans(),
        categories=st.sampled_from([(), (Category.HATE,), (Category.HATE, Category.SPAM)]),
    )
    def claim(self, reviewer: str, senior: bool, categories: tuple[Category, ...]) -> None:
        case, _ = self.queue.claim(
            reviewer, self.now, senior=senior, fits=lambda c: not categories or c.category in categories
        )
        self.run(self.sweep())
        row, _ = self.run(self.desk.claim(reviewer, self.now, Search(categories), senior=senior))
        assert (row and row.id) == (None if case is None else int(case.id))

    @precondition(lambda self: self.queue.cases)
    @rule(
        data=st.data(),
        reviewer=st.sampled_from(REVIEWERS),
        what=st.sampled_from(
            ["extend", "release", "hold", "resume", "escalate", "hand over", "decide", "clear", "undo", "end"]
        ),
    )
    def act(self, data: st.DataObject, reviewer: str, what: str) -> None:
        case = self.queue.cases[data.draw(st.sampled_from(sorted(self.queue.cases)))]
        if data.draw(st.booleans()) and case.reviewer is not None:
            reviewer = case.reviewer
        now = self.now
        other = data.draw(st.sampled_from([*REVIEWERS, "ben"]))
        steps: dict[str, Callable[[Case], Events]] = {
            "extend": lambda c: c.extend(reviewer, now),
            "release": lambda c: c.release(reviewer, now),
            "hold": lambda c: c.hold(reviewer, now),
            "resume": lambda c: c.resume(reviewer, now),
            "escalate": lambda c: c.escalate(reviewer, now, "hard"),
            "hand over": lambda c: c.hand_over(reviewer, other, now),
            "decide": lambda c: c.decide(reviewer, {Action.MUTE, Action.WARN}, now),
            "clear": lambda c: c.decide(reviewer, {Action.NO_VIOLATION}, now),
            "undo": lambda c: c.undo(reviewer, now),
            "end": lambda c: c.decide(reviewer, {Action.NO_VIOLATION, Action.END_SPACE}, now),
        }
        step = steps[what]
        expected = attempt(lambda: self.queue.note(case, step(case)))
        got = self.run(self._act(int(case.id), step, other))
        assert got == expected

    async def _act(self, number: int, step: Callable[[Case], Events], other: str) -> Answer:
        try:
            return Answer((await self.desk.act(number, step, named=[other]))[1])
        except ModerationError as refusal:
            return Answer(refusal=str(refusal))

    @rule(seconds=st.sampled_from([1.0, 9.0, 61.0, 1_000.0, 3_700.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        expected = self.queue.handle_timers(self.now)
        got = self.run(self.sweep())
        assert sorted(got, key=_order) == sorted(expected, key=_order)

    @rule()
    def restart(self) -> None:
        self.up()

    @invariant()
    def the_same_cases(self) -> None:
        rows = self.run(self._rows())
        assert sorted(rows) == [int(each) for each in sorted(self.queue.cases)]
        for number, row in rows.items():
            case = self.queue.cases[f"{number:08d}"]
            assert (row.state, row.reviewer, row.lease_until) == (case.state, case.reviewer, case.lease_until)
            assert (row.due_at, row.rank, row.trusted) == (case.due_at, -case.severity, case.trusted)
            assert row.clips == [[clip.begin, clip.end] for clip in case.clips]
            assert (row.reporters, row.escalated) == (len(case.reporters), case.escalated)
            assert (row.timer_at or float("inf")) == case.next_timer

    async def _rows(self) -> dict[int, Any]:
        async with self.store.database.connect() as connection:
            return {row.id: row for row in await connection.execute(sa.select(CASES))}

    @invariant()
    def the_same_reporters(self) -> None:
        reports = self.run(self._reports())
        for case in self.queue.cases.values():
            assert {r.reporter: r.credible for r in reports if r.case_id == int(case.id)} == case.reporters
        known = self.run(self._known())
        for name, reporter in self.queue.reporters.items():
            assert known[name].outcomes == reporter.outcomes
            assert (known[name].muted, known[name].trusted) == (reporter.muted, reporter.trusted)

    async def _reports(self) -> list[Any]:
        async with self.store.database.connect() as connection:
            return list(await connection.execute(sa.select(REPORTS)))

    async def _known(self) -> dict[str, Any]:
        async with self.store.database.begin() as connection:
            return await people.load(connection, set(USERS))


def attempt(step: Callable[[], object]) -> Answer:
    try:
        return Answer(step())
    except ModerationError as refusal:
        return Answer(refusal=str(refusal))


def _order(event: CaseEvent) -> tuple[str, str]:
    return event.case, repr(event)


TestBoth = Both.TestCase
TestBoth.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
