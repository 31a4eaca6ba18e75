"""Reports become cases in the store: all that arrive while one transaction is under way are taken by the next.

Decided by the same rules as in :class:`media.moderation.queue.ReviewQueue`, which is this in memory. What a user
says twice about one matter is one report, whose moment and words are the last ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.case import Case
from media.moderation.categories import URGENCY, Category
from media.moderation.errors import ModerationError
from media.moderation.policy import ReviewPolicy
from media.moderation.report import Report, Subject
from media.moderation.reporters import Reporter
from media.server.database import Database
from media.server.moderation import reporters as people
from media.server.moderation.evidence import Evidence, EvidenceGoneError
from media.server.moderation.rows import Row, case_of, name_of, new_row, taken_of
from media.server.moderation.tables import CASES, REPORTS

Key = tuple[str, str, str]
"""Space, user and category: what makes reports one case."""
T = TypeVar("T")
_C: Final = CASES.c
_R: Final = REPORTS.c
_AT_ONCE: Final = 300
"""Values in one question to the database."""


class Filing:
    """A report on its way into the store."""

    def __init__(self, report: Report, language: str, now: float) -> None:
        self.report, self.language, self.now = report, language, now
        self.refusal: Exception | None = None
        self.number = 0
        """Of the report, once it is kept."""
        self.case: Case | None = None
        """None while it is not kept, and of a reporter who is muted."""
        self.again = False
        """Whether its reporter had reported this before."""
        self.opened = False

    @property
    def key(self) -> Key:
        """The matter."""
        return key_of(self.report)


@dataclass(slots=True)
class _Known:
    """What the store knows of the matters of a batch."""

    cases: dict[Key, Case]
    ranks: dict[int, int]
    numbers: dict[tuple[int, str], int]
    """Report by case and reporter."""
    reporters: dict[str, Reporter]
    changed: dict[int, tuple[Case, int]]
    """Cases that were there, and how many reporters came to them."""
    opened: dict[int, dict[str, Any]]
    reports: dict[int, dict[str, Any]]
    """New ones."""
    moved: dict[int, dict[str, Any]]
    """Those that were there and say something else now."""
    erased: dict[str, bool]
    """Whether the evidence of a Space is erased, where there is or was some."""


class Intake:
    """Writes batches of reports, one at a time."""

    def __init__(self, database: Database, policy: ReviewPolicy) -> None:
        self._database = database
        self._policy = policy
        self._next_case = self._next_report = 1
        self.evidence: Evidence | None = None
        """None where nothing is recorded."""

    async def open(self) -> None:
        """Go on with the numbers after those in the store."""
        async with self._database.connect() as connection:
            cases = (await connection.execute(sa.select(sa.func.max(_C.id)))).scalar()
            reports = (await connection.execute(sa.select(sa.func.max(_R.id)))).scalar()
        self._next_case, self._next_report = (cases or 0) + 1, (reports or 0) + 1

    async def take(self, batch: Sequence[Filing]) -> None:
        """Keep reports: all of them or, if the store cannot, none; what the rules refuse is said in the filing."""
        async with self._database.begin() as connection:
            known = await self._load(connection, batch)
            for filing in batch:
                try:
                    self._take(filing, known)
                except (ModerationError, EvidenceGoneError) as refusal:
                    filing.refusal = refusal
            await self._write(connection, known)

    def _new_case(self) -> int:
        number, self._next_case = self._next_case, self._next_case + 1
        return number

    async def _load(self, connection: AsyncConnection, batch: Sequence[Filing]) -> _Known:
        names = {filing.report.reporter for filing in batch}
        known = _Known({}, {}, {}, await people.load(connection, names), {}, {}, {}, {}, {})
        rows = dict(await _gathering(connection, {filing.key for filing in batch}))
        ids = {row.id for row in rows.values()}
        agreed: dict[int, dict[str, bool]] = {number: {} for number in ids}
        for some in _slices(sorted(ids)):
            for part in _slices(sorted(names)):
                mine = sa.select(_R.id, _R.case_id, _R.reporter, _R.credible)
                mine = mine.where(_R.case_id.in_(some), _R.reporter.in_(part))
                for row in await connection.execute(mine):
                    known.numbers[row.case_id, row.reporter] = row.id
                    agreed[row.case_id][row.reporter] = row.credible
        for some in _slices(sorted(row.id for row in rows.values() if not _agreed(row))):
            few = sa.select(_R.case_id, _R.reporter).where(_R.case_id.in_(some), _R.credible)
            for row in await connection.execute(few):
                agreed[row.case_id].setdefault(row.reporter, True)
        for key, row in rows.items():
            known.cases[key] = case_of(row, self._policy, agreed[row.id])
            known.ranks[row.id] = row.rank
        if self.evidence is not None:
            spaces = {filing.key[0] for filing in batch if filing.key not in known.cases}
            known.erased = await self.evidence.lock(connection, spaces) if spaces else {}
        return known

    def _take(self, filing: Filing, known: _Known) -> None:
        now, reporter = filing.now, known.reporters[filing.report.reporter]
        filing.report = report = replace(filing.report, trusted=reporter.trusted)
        case = known.cases.get(filing.key)
        again = case is not None and report.reporter in case.reporters
        if case is None and known.erased.get(filing.key[0]):
            raise EvidenceGoneError("The sound of this Space has been erased.")
        if not again:
            reporter.note_report(now, self._policy)
        if reporter.muted:
            filing.number = self._keep(filing, known, None, credible=False)
            return
        if case is None:
            number = self._new_case()
            case = Case(name_of(number), report, now, self._policy)
            case.open(now, credible=reporter.credible)
            known.cases[filing.key], known.ranks[number] = case, 0
            known.opened[number] = new_row(case, filing.language)
            filing.opened = True
        else:
            case.report(report, now, credible=reporter.credible)
            number = int(case.id)
            came = known.changed.get(number, (case, 0))[1] + (not again)
            if number in known.opened:
                known.opened[number] |= taken_of(case, 0) | {"reporters": len(case.reporters)}
            else:
                known.changed[number] = case, came
        filing.case, filing.again = case, again
        filing.number = self._keep(filing, known, number, credible=case.reporters[report.reporter])

    def _keep(self, filing: Filing, known: _Known, case: int | None, *, credible: bool) -> int:
        """Note the row of a report; return its number."""
        report = filing.report
        number = None if case is None else known.numbers.get((case, report.reporter))
        if number is None:
            number, self._next_report = self._next_report, self._next_report + 1
            if case is not None:
                known.numbers[case, report.reporter] = number
            known.reports[number] = {
                "id": number,
                "case_id": case,
                "reporter": report.reporter,
                "space_id": report.subject.space_id,
                "user_id": report.subject.user_id or "",
                "category": report.category.value,
                "at": report.at,
                "moment": report.moment,
                "text": report.text,
                "trusted": report.trusted,
                "credible": credible,
                "times": 1,
            }
        elif number in known.reports:
            row = known.reports[number]
            row |= {"moment": report.moment, "text": report.text or row["text"], "credible": credible}
            row["times"] += 1
        else:
            times = known.moved.get(number, {"b_times": 0})["b_times"] + 1
            row = {"b_id": number, "b_moment": report.moment, "b_text": report.text}
            known.moved[number] = row | {"b_credible": credible, "b_times": times}
        return number

    async def _write(self, connection: AsyncConnection, known: _Known) -> None:
        if known.opened:
            rows = list(known.opened.values())
            await connection.execute(sa.insert(CASES), rows)
            held = [(row["space_id"], name_of(row["id"])) for row in rows if row["space_id"] in known.erased]
            if self.evidence is not None and held:
                await self.evidence.write_holds(connection, held)
        if known.changed:
            changes = [
                {"b_id": number, "b_came": came, **{f"b_{k}": v for k, v in self._taken(known, case).items()}}
                for number, (case, came) in sorted(known.changed.items())
            ]
            await connection.execute(_CHANGE_CASE, changes)
        if known.reports:
            await connection.execute(sa.insert(REPORTS), list(known.reports.values()))
        if known.moved:
            await connection.execute(_MOVE_REPORT, [known.moved[number] for number in sorted(known.moved)])
        await people.save(connection, known.reporters.values(), self._policy)

    def _taken(self, known: _Known, case: Case) -> dict[str, Any]:
        return taken_of(case, known.ranks[int(case.id)])


_CHANGE_CASE: Final = (
    sa.update(CASES)
    .where(_C.id == sa.bindparam("b_id"))
    .values(
        rank=sa.bindparam("b_rank", type_=sa.Integer),
        trusted=sa.bindparam("b_trusted", type_=sa.Boolean),
        clips=sa.bindparam("b_clips", type_=sa.JSON),
        reporters=_C.reporters + sa.bindparam("b_came", type_=sa.Integer),
    )
)
_MOVE_REPORT: Final = (
    sa.update(REPORTS)
    .where(_R.id == sa.bindparam("b_id"))
    .values(
        moment=sa.bindparam("b_moment", type_=sa.Float),
        text=sa.case(
            (sa.bindparam("b_text", type_=sa.String) == "", _R.text),
            else_=sa.bindparam("b_text", type_=sa.String),
        ),
        credible=sa.bindparam("b_credible", type_=sa.Boolean),
        times=_R.times + sa.bindparam("b_times", type_=sa.Integer),
    )
)


def key_of(report: Report) -> Key:
    """Return the matter of a report."""
    subject: Subject = report.subject
    return subject.space_id, subject.user_id or "", report.category.value


def _agreed(row: Row) -> bool:
    """Whether so many have agreed on a case that it is more severe, which it stays; until then they are few."""
    return row.rank < -URGENCY[Category(row.category)].severity


async def _gathering(connection: AsyncConnection, keys: Iterable[Key]) -> list[tuple[Key, Row]]:
    """Read the cases that further reports on these matters are added to, in an order in which all lock them."""
    found: list[tuple[Key, Row]] = []
    for some in _slices(sorted(keys)):
        matter = sa.tuple_(_C.space_id, _C.user_id, _C.category)
        query = sa.select(CASES).where(_C.gathers, matter.in_(some)).order_by(_C.id)
        rows = await connection.execute(query.with_for_update())
        found += [((row.space_id, row.user_id, row.category), row) for row in rows]
    return found


def _slices(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE)]
