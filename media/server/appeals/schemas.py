"""The shapes of statements, complaints and readings in the API."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from media.moderation.case import APPEAL_TEXT_MAX
from media.moderation.decision import Action, Outcome
from media.moderation.redress import MEANS, Redress, warning
from media.moderation.statement import EXPLANATION_MAX, FACTS_MAX, GROUND_MAX, Ground
from media.moderation.statement_form import TERRITORIES
from media.server.appeals.store import Told
from media.server.appeals.tables import REASONS_MAX
from media.server.input import Flag, Input
from media.server.profiles import PageMeta

SOME: Final = r"^[^\x00]*\S[^\x00]*$"
"""Text with something in it, which PostgreSQL can store."""
Actions = Annotated[list[Action], Field(min_length=1, max_length=len(Action), examples=[["mute", "warn"]])]


class StatementForm(Input):
    """What a reviewer writes; whatever is left out is made of the records and the rules."""

    ground: Literal["law", "rules"] | None = Field(
        default=None, description="what was broken; the rules unless said"
    )
    rule: str | None = Field(
        default=None, max_length=GROUND_MAX, pattern=SOME, description="the law or the rule", examples=["Hate"]
    )
    explanation: str | None = Field(
        default=None, max_length=EXPLANATION_MAX, pattern=SOME, description="why what was said breaks it"
    )
    facts: str | None = Field(
        default=None, max_length=FACTS_MAX, pattern=SOME, description="for the user: names may be in it"
    )
    public_facts: str | None = Field(
        default=None,
        max_length=FACTS_MAX,
        pattern=SOME,
        description="for the database: nobody can be recognised by it",
    )
    keyword: str | None = Field(
        default=None,
        max_length=100,
        pattern=r"^KEYWORD_[A-Z_]+$",
        description="what it was more exactly, in the words of the database",
        examples=["KEYWORD_HATE_SPEECH"],
    )
    reference_url: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^https?://[!-~]+$",
        description="where the law or the rule can be read",
        examples=["https://spaces.example/rules"],
    )
    territories: list[Annotated[str, Field(max_length=2, pattern=r"^[A-Z]{2}$", examples=["DE"])]] | None = Field(
        default=None,
        max_length=len(TERRITORIES),
        description="countries in which the decision holds; all unless said",
    )
    also_illegal: Flag | None = Field(default=None, description="whether what broke the rules broke the law, too")
    source_identity: str | None = Field(
        default=None, max_length=500, pattern=SOME, description="the trusted flagger who reported it"
    )

    def written(self) -> dict[str, Any]:
        """Return the fields of a :class:`~media.moderation.statement.Statement` that were filled in."""
        fields = self.model_dump(exclude_none=True)
        if "ground" in fields:
            fields["ground"] = Ground.ILLEGAL if fields["ground"] == "law" else Ground.INCOMPATIBLE
        if "territories" in fields:
            fields["territories"] = tuple(dict.fromkeys(fields["territories"]))
        return fields


class NewPreview(Input):
    """A decision as it could be taken."""

    actions: Actions
    statement: StatementForm | None = None


class AppealOut(BaseModel):
    """A complaint and what came of it."""

    created_at: datetime
    text: str
    evidence: bool = Field(description="whether the recording was still there, and is kept until it is answered")
    outcome: Outcome | None = Field(description="null while nobody has answered")
    reasons: str | None
    answered_at: datetime | None

    @classmethod
    def of(cls, told: Told) -> "AppealOut | None":
        """Show the complaint about a decision, if there is one."""
        if told.complained_at is None or told.text is None:
            return None
        return cls(
            created_at=time_of(told.complained_at),
            text=told.text,
            evidence=bool(told.evidence),
            outcome=told.outcome,
            reasons=told.reasons or None,
            answered_at=None if told.answered_at is None else time_of(told.answered_at),
        )


class RedressOut(BaseModel):
    """What can be done about a decision, and until when."""

    complain_until: datetime
    evidence_until: datetime | None = Field(
        description="when the recording is erased unless a complaint keeps it; null if there is none"
    )
    warning: str = Field(description="where the right to complain outlives the recording; else empty")
    means: str = Field(description="all that the law gives", examples=[MEANS])

    @classmethod
    def of(cls, redress: Redress) -> "RedressOut":
        """Show dates."""
        until = redress.evidence_until
        return cls(
            complain_until=time_of(redress.complain_until),
            evidence_until=None if until is None else time_of(until),
            warning=warning(redress, "" if until is None else _day(until), _day(redress.complain_until)),
            means=MEANS,
        )


class ReasonsOut(BaseModel):
    """Why a decision was taken, as the user is told."""

    ground: Literal["law", "rules"] = Field(description="what was broken")
    rule: str
    explanation: str
    facts: str
    source: str = Field(description="what made somebody look", examples=["SOURCE_ARTICLE_16"])
    source_identity: str = Field(description="the trusted flagger, if one reported it")
    reference_url: str
    territories: list[str] = Field(description="countries in which it holds; none for all", examples=[["DE"]])
    automated_decision: Literal[False] = Field(False, description="people decide")


class StatementOut(BaseModel):
    """A decision about a user, with its reasons (Regulation (EU) 2022/2065, art. 17)."""

    id: str
    case_id: str = Field(examples=["00000012"])
    created_at: datetime
    space_id: str
    user_id: str
    category: str = Field(examples=["hate"])
    actions: list[Action]
    reasons: ReasonsOut
    redress: RedressOut
    can_appeal: bool = Field(description="whether a complaint can be made now")
    appeal: AppealOut | None

    @classmethod
    def of(cls, told: Told, now: float) -> "StatementOut":
        """Show a statement at a time (Unix seconds)."""
        return cls(
            id=told.id,
            case_id=f"{told.case_id:08d}",
            created_at=time_of(told.at),
            space_id=told.space_id,
            user_id=told.user_id,
            category=told.category,
            actions=[Action(each) for each in told.actions],
            reasons=ReasonsOut(**told.told),
            redress=RedressOut.of(Redress(told.complain_until, told.evidence_until)),
            can_appeal=told.complained_at is None and told.stands_at <= now <= told.complain_until,
            appeal=AppealOut.of(told),
        )


class StatementAnswer(BaseModel):
    """A statement."""

    data: StatementOut


class StatementList(BaseModel):
    """A page of statements, the newest first."""

    data: list[StatementOut]
    meta: PageMeta


class PreviewOut(BaseModel):
    """What a decision would tell, and whom."""

    reasons: ReasonsOut = Field(description="for the user")
    redress: RedressOut
    database: dict[str, Any] | None = Field(
        description="for the Transparency Database; null of a decision that restricts nothing",
        json_schema_extra={"maxProperties": 40},
    )


class PreviewAnswer(BaseModel):
    """A preview."""

    data: PreviewOut


class NewAppeal(Input):
    """A complaint."""

    text: str = Field(
        max_length=APPEAL_TEXT_MAX,
        pattern=SOME,
        description="why the decision is wrong",
        examples=["It was a quotation, which I condemned in the same sentence."],
    )


class NewAnswer(Input):
    """What comes of a complaint."""

    outcome: Outcome
    reasons: str = Field(
        max_length=REASONS_MAX,
        pattern=SOME,
        description="for the user who complained",
        examples=["The recording shows that the words were quoted and condemned."],
    )


class StatementBatch(BaseModel):
    """Statements in the form of the Transparency Database, which takes up to 100 at a time."""

    statements: list[dict[str, Any]]


Clock = Callable[[], float]


def time_of(at: float) -> datetime:
    """Return a time (Unix seconds) as the API writes it."""
    return datetime.fromtimestamp(at, UTC)


def _day(at: float) -> str:
    return time_of(at).date().isoformat()
