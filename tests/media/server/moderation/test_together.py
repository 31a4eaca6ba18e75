"""Many at once, on every database: one holder a case, one case a matter, one entry an act."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from media.moderation.audit import first_fault
from media.moderation.categories import Category
from media.moderation.decision import Action
from media.moderation.errors import LeaseLostError, ModerationError, WrongCaseStateError
from media.moderation.policy import DEFAULT
from media.moderation.report import Report, Subject
from media.server.audit.audit import Audit
from media.server.batches import Batches
from media.server.moderation.desk import BATCH, Desk
from media.server.moderation.intake import Filing, Intake
from media.server.moderation.search import Search
from media.server.moderation.tables import CASES, REPORTS
from media.server.store import Store

NOW = 1e9


class Office:
    """A store with its desk and its intake."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.audit = Audit(store.database, lambda: NOW)
        self.desk = Desk(store.database, self.audit, DEFAULT)
        self.intake = Intake(store.database, DEFAULT)
        self.batches = Batches(self.intake.take)

    async def report(self, who: str, about: str, category: Category = Category.SPAM) -> Filing:
        filing = Filing(Report(who, Subject("s", about, "hal"), category, NOW, NOW), "en", NOW)
        await self.batches.add(filing, fresh=True)
        return filing


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    store = Store(database)
    await store.open()
    one = Office(store)
    await one.intake.open()
    yield one
    await store.close()


async def test_a_thousand_who_report_one_matter_make_one_case(office: Office) -> None:
    filings = await asyncio.gather(*(office.report(f"u{n}", "ben") for n in range(1_000)))
    assert {filing.case and filing.case.id for filing in filings} == {"00000001"}
    assert len({filing.number for filing in filings}) == 1_000
    async with office.store.database.connect() as connection:
        (row,) = (await connection.execute(sa.select(CASES))).all()
        kept = (await connection.execute(sa.select(sa.func.count()).select_from(REPORTS))).scalar_one()
    assert (row.reporters, row.rank, kept) == (1_000, -1, 1_000), "one more severe, since many agree"


async def test_one_who_floods_is_one_voice_and_then_refused(office: Office) -> None:
    same = await asyncio.gather(*(office.report("eve", "ben") for _ in range(200)))
    assert len({filing.number for filing in same}) == 1 and sum(filing.opened for filing in same) == 1
    others = await asyncio.gather(*(office.report("eve", f"u{n}") for n in range(100)))
    assert sum(filing.refusal is None for filing in others) == DEFAULT.reports_an_hour - 1
    async with office.store.database.connect() as connection:
        times = (await connection.execute(sa.select(REPORTS.c.times).where(REPORTS.c.user_id == "ben"))).scalars()
        assert list(times) == [200]


async def test_reviewers_at_once_never_get_the_same_case(office: Office) -> None:
    await asyncio.gather(*(office.report(f"u{n}", f"p{n}") for n in range(60)))
    asked = [office.desk.claim(f"r{n % 8}", NOW, Search(), senior=n % 3 == 0) for n in range(80)]
    rows = [row for row, _ in await asyncio.gather(*asked) if row is not None]
    numbers = [row.id for row in rows]
    assert sorted(numbers) == [*range(1, 61)]
    async with office.store.database.connect() as connection:
        holders = {row.id: row.reviewer for row in await connection.execute(sa.select(CASES))}
    assert all(row.reviewer == holders[row.id] for row in rows)
    entries = [entry async for entry in office.audit.entries()]
    assert first_fault(entries) is None and len(entries) == 60


async def test_two_who_decide_at_once_are_one_decision(office: Office) -> None:
    await office.report("eve", "ben")
    row, _ = await office.desk.claim("rita", NOW, Search())
    assert row is not None

    async def decide(action: Action) -> Exception | None:
        try:
            await office.desk.act(row.id, lambda c: c.decide("rita", {action}, NOW + 1))
        except ModerationError as refusal:
            return refusal
        return None

    outcomes = await asyncio.gather(decide(Action.MUTE), decide(Action.NO_VIOLATION), decide(Action.SUSPEND))
    assert [outcome for outcome in outcomes if outcome is None] == [None]
    assert all(isinstance(outcome, WrongCaseStateError | None) for outcome in outcomes)


async def test_leases_run_out_in_batches_and_a_late_decision_is_refused(office: Office) -> None:
    many = BATCH + 7
    await asyncio.gather(*(office.report(f"u{n}", f"p{n}") for n in range(many)))
    for _ in range(many):
        await office.desk.claim("rita", NOW, Search())
    late = NOW + DEFAULT.lease
    assert office.desk.next_timer == late
    with pytest.raises(LeaseLostError):
        await office.desk.act(1, lambda c: c.decide("rita", {Action.MUTE}, late))
    assert len(await office.desk.handle_timers(late)) == BATCH
    assert len(await office.desk.handle_timers(late)) == 7
    assert await office.desk.handle_timers(late) == []
    row, _ = await office.desk.claim("rolf", late, Search())
    assert row is not None and row.id == 1, "the first in order again"


async def test_a_clock_that_was_set_back_makes_no_lease_longer(office: Office) -> None:
    await office.report("eve", "ben")
    await office.desk.claim("rita", NOW, Search())
    back = NOW - 7_200
    again = Desk(office.store.database, office.audit, DEFAULT)
    await again.open(back)
    assert again.next_timer == back + DEFAULT.lease
    assert len(await again.handle_timers(back + DEFAULT.lease)) == 1


async def test_a_transaction_that_fails_leaves_no_half_of_an_act(office: Office) -> None:
    await office.report("eve", "ben")
    row, _ = await office.desk.claim("rita", NOW, Search())
    assert row is not None

    def fail(_: object) -> list[object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await office.desk.act(row.id, fail)  # type: ignore[arg-type]
    async with office.store.database.connect() as connection:
        (now,) = (await connection.execute(sa.select(CASES))).all()
    assert now == row and len([entry async for entry in office.audit.entries()]) == 1
