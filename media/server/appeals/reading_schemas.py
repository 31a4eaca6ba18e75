"""The shapes of second readings and golden cases in the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from media.moderation.decision import Action
from media.server.appeals.readings import Compared, Open
from media.server.appeals.schemas import SOME, Actions, time_of
from media.server.appeals.tables import REASONS_MAX
from media.server.input import Input


class ReadReport(BaseModel):
    """A report as a reader sees it: not who made it."""

    at: datetime
    moment: datetime = Field(description="when what it is about was heard")
    text: str


class ReadClip(BaseModel):
    """A range of the recording."""

    begin: datetime
    end: datetime


class ReadingOut(BaseModel):
    """A case to be read: what came in, and not what was decided, or by whom."""

    id: str
    case_id: str = Field(examples=["00000012"])
    until: datetime = Field(description="until when it is the reader's")
    space_id: str
    user_id: str | None
    category: str = Field(examples=["hate"])
    language: str
    reports: list[ReadReport]
    clips: list[ReadClip]

    @classmethod
    def of(cls, found: Open, case: tuple[Any, Sequence[Any]]) -> "ReadingOut":
        """Show a case; its row, and those of its reports."""
        row, reports = case
        return cls(
            id=found.id,
            case_id=f"{found.case_id:08d}",
            until=time_of(found.until),
            space_id=row.space_id,
            user_id=row.user_id or None,
            category=row.category,
            language=row.language,
            reports=[ReadReport(at=time_of(r.at), moment=time_of(r.moment), text=r.text) for r in reports],
            clips=[ReadClip(begin=time_of(begin), end=time_of(end)) for begin, end in row.clips],
        )


class ReadingAnswer(BaseModel):
    """A reading."""

    data: ReadingOut


class NewReading(Input):
    """What a reader would have decided."""

    actions: Actions


class ComparedOut(BaseModel):
    """How a reading agrees: the harshest actions are compared."""

    agreed: bool
    yours: Action
    other: Action = Field(description="of the decision, or the answer of the golden case")
    golden: bool

    @classmethod
    def of(cls, compared: Compared) -> "ComparedOut":
        """Show a comparison."""
        return cls(agreed=compared.agreed, yours=compared.said, other=compared.other, golden=compared.golden)


class ComparedAnswer(BaseModel):
    """A comparison."""

    data: ComparedOut


class NewGolden(Input):
    """The answer of a golden case."""

    actions: Actions
    reason: str = Field(
        max_length=REASONS_MAX,
        pattern=SOME,
        description="why it is right",
        examples=["The words are a slur against a group; nothing around them condemns it."],
    )
