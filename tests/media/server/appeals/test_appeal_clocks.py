"""The clocks of complaints in the store against a model of a few lines, whatever is done and however late."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media.moderation.categories import DAY
from media.moderation.decision import Action
from tests.media.server.appeals.justice import HALF_A_YEAR, REA, ROB, SETTLED, Court
from tests.media.server.service import running

T = TypeVar("T")
LEASE = 600.0


@dataclass
class Model:
    """The newest case about ben, as a lawyer would note it down."""

    number: int
    claimed_at: float | None = None
    by: str = ""
    first: str = ""
    """Who took the decision."""
    decided_at: float | None = None
    violation: bool = False
    complained_at: float | None = None
    outcome: str | None = None

    def stands(self, now: float) -> bool:
        return self.decided_at is not None and now >= self.decided_at + 10


class Clocks(RuleBasedStateMachine):
    """One user who is reported, suspended, and complains; half a year passes in steps."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.stack = AsyncExitStack()
        service = self.run(self.stack.enter_async_context(running(Path(self.folder.name))))
        service.clock.stop()
        self.court = Court(service)
        self.run(self.court.room("ben"))
        self.run(self.court.recorded())
        self.cases: list[Model] = []
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(self.stack.aclose())
            self.loop.close()
            self.folder.cleanup()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    @property
    def now(self) -> float:
        return self.court.moderation.now

    @property
    def case(self) -> Model | None:
        return self.cases[-1] if self.cases else None

    def holder(self) -> str | None:
        """Return who has the newest case now."""
        case = self.case
        if case is None or case.claimed_at is None or self.now >= case.claimed_at + LEASE:
            return None
        return case.by

    def undecided(self) -> bool:
        case = self.case
        return case is not None and (
            case.decided_at is None or (case.complained_at is not None and not case.outcome)
        )

    def complained(self) -> bool:
        return self.case is not None and _open(self.case)

    @precondition(lambda self: not self.undecided() and (self.case is None or self.case.stands(self.now)))
    @rule()
    def report(self) -> None:
        self.count += 1
        self.cases.append(Model(self.run(self.court.report(by=f"eve{self.count}"))))

    @rule(seconds=st.sampled_from([5.0, SETTLED, LEASE, DAY, 60 * DAY, 123 * DAY]))
    def wait(self, seconds: float) -> None:
        self.run(self.court.later(seconds))

    @precondition(lambda self: self.undecided())
    @rule(who=st.sampled_from([REA, ROB]))
    def claim(self, who: Any) -> None:
        case = self.case
        assert case is not None
        first = case.complained_at is not None and case.first == who.name
        got = self.run(self.court.claim(who))
        if self.holder() is not None or first:
            assert got is None
        else:
            assert got == case.number
            case.claimed_at, case.by = self.now, who.name

    @precondition(
        lambda self: self.case is not None and self.case.decided_at is None and self.holder() is not None
    )
    @rule(violation=st.booleans())
    def decide(self, violation: bool) -> None:
        case = self.case
        assert case is not None
        who = REA if case.by == "rea" else ROB
        actions = {Action.SUSPEND} if violation else {Action.NO_VIOLATION}
        self.run(self.court.moderation.decide(case.number, who, actions, ""))
        case.decided_at, case.violation, case.first = self.now, violation, case.by
        case.claimed_at = None

    @precondition(lambda self: bool(self.cases))
    @rule(pick=st.integers(0, 20))
    def complain(self, pick: int) -> None:
        told = [case for case in self.cases if case.violation]
        statements = self.run(self.court.statements("ben"))
        assert [int(each["case_id"]) for each in statements] == [case.number for case in reversed(told)]
        if not told:
            return
        case = told[pick % len(told)]
        if case is not self.case and self.undecided():
            return  # one case at a time is in the queue
        (statement,) = [each["id"] for each in statements if int(each["case_id"]) == case.number]
        assert case.decided_at is not None
        may = case.stands(self.now) and case.complained_at is None and self.now <= case.decided_at + HALF_A_YEAR
        response = self.run(self.court.complain("ben", statement))
        assert (response.status_code == 201) == may, response.text
        if may:
            case.complained_at, case.claimed_at = self.now, None
            self.cases.remove(case)
            self.cases.append(case)

    @precondition(lambda self: self.complained() and self.holder() is not None)
    @rule(outcome=st.sampled_from(["upheld", "overturned"]))
    def answer(self, outcome: str) -> None:
        case = self.case
        assert case is not None
        who = REA if case.by == "rea" else ROB
        body = {"outcome": outcome, "reasons": "Because."}
        answered = self.run(self.court.as_reviewer(who, "POST", f"/cases/{case.number:08d}/answer", json=body))
        assert answered.status_code == 200, answered.text
        case.outcome, case.claimed_at = outcome, None

    @invariant()
    def in_and_out(self) -> None:
        if not hasattr(self, "court"):
            return
        standing = any(case.violation and case.outcome != "overturned" for case in self.cases)
        assert (self.court.service.app.state.guard.reason("ben") is not None) == standing
        held = {f"{case.number:08d}" for case in self.cases if not case.stands(self.now) or _open(case)}
        assert self.run(self.court.holders()) == held


def _open(case: Model) -> bool:
    return case.complained_at is not None and case.outcome is None


TestClocks = Clocks.TestCase
TestClocks.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
