"""The shapes of reports and cases in the API."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from media.moderation.categories import URGENCY, Category
from media.moderation.decision import Action, Outcome
from media.moderation.report import TEXT_MAX
from media.moderation.rules import RULES
from media.moderation.states import UNDECIDED, CaseState
from media.server.appeals.schemas import StatementForm
from media.server.input import Flag, Input, Whole
from media.server.moderation.effects import Effect
from media.server.moderation.intake import Filing
from media.server.moderation.rows import Row, name_of
from media.server.moderation.search import Search
from media.server.profiles import PageMeta
from media.server.schemas import NO_NUL, UserId

NOTE_MAX = 1_500
"""Characters of what a reviewer writes."""

Note = Annotated[str, Field(max_length=NOTE_MAX, pattern=NO_NUL)]
SpaceId = Annotated[str, Field(max_length=16, pattern=r"^[A-Za-z0-9]+$", examples=["1DXxyRYNejbKM"])]
Language = Annotated[str, Field(max_length=16, pattern=NO_NUL, examples=["en"])]
ReportStatus = Literal["waiting", "acted", "no violation"]


def time_of(seconds: float) -> datetime:
    """Show a time."""
    return datetime.fromtimestamp(seconds, UTC)


def _time_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else time_of(seconds)


class NewReport(Input):
    """What somebody heard, and of whom."""

    space_id: SpaceId
    user_id: UserId | None = Field(None, description="whom it is about; left out, it is about the Space itself")
    category: Category = Field(examples=[Category.DISTURBANCE])
    text: str = Field("", max_length=TEXT_MAX, pattern=NO_NUL, examples=["Shouts whenever somebody else speaks."])
    moment: AwareDatetime | None = Field(None, description="when it was heard; left out, it is heard now")


class ReportOut(BaseModel):
    """A report, as whoever made it sees it."""

    id: str = Field(examples=["417"])
    space_id: str
    user_id: str | None
    category: Category
    text: str
    moment: datetime
    created_at: datetime
    status: ReportStatus = Field(description="what has come of it; `waiting` until a decision stands")

    @classmethod
    def of(cls, row: Row, state: str | None, violation: bool | None) -> "ReportOut":
        """Show a report with what came of its case; None of a report that has none."""
        status: ReportStatus = "waiting"
        if state is not None and CaseState(state) not in UNDECIDED and state != CaseState.DECIDED:
            status = "acted" if violation else "no violation"
        return cls(
            id=str(row.id),
            space_id=row.space_id,
            user_id=row.user_id or None,
            category=Category(row.category),
            text=row.text,
            moment=time_of(row.moment),
            created_at=time_of(row.at),
            status=status,
        )

    @classmethod
    def filed(cls, filing: Filing) -> "ReportOut":
        """Show a report that was just made."""
        report = filing.report
        return cls(
            id=str(filing.number),
            space_id=report.subject.space_id,
            user_id=report.subject.user_id,
            category=report.category,
            text=report.text,
            moment=time_of(report.moment),
            created_at=time_of(report.at),
            status="waiting",
        )


class ReportList(BaseModel):
    """One's own reports, the newest first."""

    data: list[ReportOut]
    meta: PageMeta


class SubjectOut(BaseModel):
    """What a case is about."""

    space_id: str
    user_id: str | None = Field(description="null: the Space itself")
    host_id: str | None


class CaseCard(BaseModel):
    """A case in a list."""

    id: str = Field(examples=["00000417"])
    state: CaseState
    subject: SubjectOut
    category: Category
    severity: int = Field(description="0 to 4")
    language: str = Field(description="of the Space", examples=["en"])
    report_count: int = Field(description="how many people have reported it")
    trusted: bool = Field(description="whether a trusted flagger is among them")
    opened_at: datetime
    due_at: datetime = Field(description="until when it is to be decided")
    reviewer: str | None = Field(description="who has it")
    lease_until: datetime | None
    is_appeal: bool = Field(description="whether it is about a complaint against its decision")

    @classmethod
    def of(cls, row: Row) -> "CaseCard":
        """Show a case."""
        return cls(**card_of(row))


def card_of(row: Row) -> dict[str, Any]:
    """Return the fields that a case has in lists."""
    subject = SubjectOut(space_id=row.space_id, user_id=row.user_id or None, host_id=row.host_id or None)
    return {
        "id": name_of(row.id),
        "state": CaseState(row.state),
        "subject": subject,
        "category": Category(row.category),
        "severity": -row.rank,
        "language": row.language,
        "report_count": row.reporters,
        "trusted": row.trusted,
        "opened_at": time_of(row.opened_at),
        "due_at": time_of(row.due_at),
        "reviewer": row.reviewer,
        "lease_until": _time_or_none(row.lease_until),
        "is_appeal": row.appeal is not None,
    }


class CaseList(BaseModel):
    """Cases, the first to be looked at first."""

    data: list[CaseCard]
    meta: PageMeta


class Range(BaseModel):
    """A range of the evidence copy, in milliseconds since the Space started."""

    start_ms: int
    end_ms: int


class CaseReport(BaseModel):
    """A report in a case."""

    reporter: str
    accuracy: float = Field(description="share of the reporter's last reports that were right, 0 to 1")
    trusted: bool
    text: str
    moment_ms: int = Field(description="when it was heard, since the Space started")
    created_at: datetime
    times: int = Field(description="how often the reporter has said so")


class EffectOut(BaseModel):
    """What an action, or taking it back, has come to."""

    action: Action
    done: bool
    detail: str = Field(description="why it could not be done; empty if it was")

    @classmethod
    def of(cls, effect: Effect) -> "EffectOut":
        """Show it."""
        return cls(action=effect.action, done=effect.done, detail=effect.said)


class DecisionOut(BaseModel):
    """A decision in a case."""

    at: datetime
    reviewer: str
    actions: list[Action]
    note: str
    effects: list[EffectOut] = Field(description="what has come of each action; empty while it is carried out")
    undone_at: datetime | None


class TimelineEntry(BaseModel):
    """What happened to a case."""

    at: datetime
    actor: str
    what: str = Field(examples=["claimed"])
    text: str


class EarlierCase(BaseModel):
    """Another case about the same person."""

    id: str
    state: CaseState
    category: Category
    opened_at: datetime
    violation: bool | None = Field(description="null while it is undecided")


class Complaint(BaseModel):
    """A complaint about a decision, as whoever is to answer it reads it."""

    at: datetime
    text: str


class CaseOut(CaseCard):
    """All that a reviewer needs to decide a case."""

    reports: list[CaseReport]
    clip: Range = Field(description="what is held of the sound around the newest moment that was reported")
    clips: list[Range] = Field(description="all that is held")
    rule: str = Field(description="the rule of the house that the report says is broken")
    statement_category: str = Field(description="what the Transparency Database calls it")
    decisions: list[DecisionOut]
    timeline: list[TimelineEntry]
    earlier: list[EarlierCase] = Field(description="of the same person, the newest first, up to 20")
    strikes: int = Field(description="how often a violation by the same person was found and stands")
    appeal: Complaint | None = Field(description="what whom the decision affects says against it")
    outcome: Outcome | None = Field(description="of the complaint")

    @classmethod
    def known(cls, row: Row, **more: Any) -> "CaseOut":
        """Show a case with what belongs to its category."""
        category = Category(row.category)
        return cls(
            **card_of(row),
            rule=RULES[category].text,
            statement_category=URGENCY[category].statement_category,
            appeal=None
            if row.appeal is None
            else Complaint(at=time_of(row.appeal["at"]), text=row.appeal["text"]),
            outcome=row.outcome and Outcome(row.outcome),
            **more,
        )


class OneCase(BaseModel):
    """A case."""

    data: CaseOut


class SearchIn(Input):
    """Which cases; nothing said is all of them."""

    categories: list[Category] = Field(default=[], max_length=len(Category))
    languages: list[Language] = Field(default=[], max_length=32)
    severity: Whole = Field(0, ge=0, le=4, description="at least")
    space_id: SpaceId | None = None
    user_id: UserId | None = Field(None, description="whom they are about")
    appeals: Flag | None = Field(None, description="only complaints, or none")

    def search(self) -> Search:
        """Return it as the queries take it."""
        return Search(
            tuple(dict.fromkeys(self.categories)),
            tuple(self.languages),
            self.severity,
            self.space_id or "",
            self.user_id or "",
            self.appeals,
        )


class NewClaim(SearchIn):
    """Of which cases a reviewer wants the next."""

    queue: str | None = Field(None, min_length=1, max_length=64, pattern=NO_NUL, description="a saved search")


class Lease(BaseModel):
    """How long a reviewer has a case without a sign of theirs."""

    lease_until: datetime


class OneLease(BaseModel):
    """A lease."""

    data: Lease


class Remark(Input):
    """What a reviewer writes about a case."""

    text: Note = Field(min_length=1, examples=["Asked the host for the house rules."])


class NewEscalation(Input):
    """Why a senior reviewer is to decide."""

    note: Note = ""


class HandOver(Input):
    """Who goes on with a case."""

    to: UserId
    note: Note = ""


class NewDecision(Input):
    """What is done about a case."""

    actions: list[Action] = Field(
        min_length=1, max_length=len(Action), examples=[["remove from the Space", "warn"]]
    )
    note: Note = Field("", examples=["Heard in the clip."])
    statement: StatementForm | None = Field(None, description="the reasons, as far as they are not the usual ones")


class Decided(BaseModel):
    """A case after a decision, or after it was taken back."""

    id: str
    state: CaseState
    effects: list[EffectOut] = Field(description="what each action came to")
    undo_until: datetime | None = Field(description="until when the decision can be taken back")


class OneDecision(BaseModel):
    """A decision."""

    data: Decided


class QueueOut(BaseModel):
    """A saved search, and how much there is to do in it."""

    name: str = Field(examples=["urgent"])
    search: SearchIn
    waiting: int
    overdue: int
    oldest: datetime | None = Field(description="when the oldest that waits was opened")


class QueueList(BaseModel):
    """Every queue; `all` is always there."""

    data: list[QueueOut]


class ReporterOut(BaseModel):
    """Somebody who reports."""

    user_id: str
    trusted: bool = Field(description="a trusted flagger (Regulation (EU) 2022/2065, art. 22)")
    muted: bool = Field(description="whether their reports are taken, and open no case")
    accuracy: float = Field(description="share of the last reports that were right, 0 to 1")
    decided: int = Field(description="of how many")
