"""Assisted moderation over HTTP, for reviewers: the last hints, and how often people agreed with their kinds."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from media.moderation.categories import Category
from media.moderation.signal_agreement import SignalAgreement
from media.moderation.signals import Kind
from media.server.assistance.service import Assistance, Hint, ordered
from media.server.auth import reviewer
from media.server.routes import problems

router: Final = APIRouter(prefix="/2/moderation", tags=["Moderation"], dependencies=[Depends(reviewer)])


async def _assistance(request: Request) -> Assistance:
    return request.app.state.assistance


AssistanceHere = Annotated[Assistance, Depends(_assistance)]


class HintOut(BaseModel):
    """Where to listen, and why; found by a rule, which has done nothing else."""

    space_id: str
    kind: Kind
    user_ids: list[str] = Field(description="whom it is about", examples=[["rex", "rob"]])
    category: Category
    reason: str = Field(
        description="what it goes by, in one sentence",
        examples=["rex is 21 dB louder than people here were in the last minute (-5 dBov)."],
    )
    priority: float = Field(description="0 to 1: its strength, as far as people agree with its kind")
    case_ids: list[str] = Field(description="cases that it opened or joined", examples=[["00000417"]])
    created_at: datetime

    @classmethod
    def of(cls, hint: Hint, weight: float) -> "HintOut":
        """Show a hint."""
        signal = hint.signal
        return cls(
            space_id=hint.space_id,
            kind=signal.kind,
            user_ids=list(signal.people),
            category=signal.category,
            reason=signal.reason,
            priority=round(weight, 3),
            case_ids=list(hint.cases),
            created_at=datetime.fromtimestamp(hint.at, UTC),
        )


class AgreementOut(BaseModel):
    """How often people's decisions agreed with a kind of hint, of the last hundred."""

    kind: Kind
    agreed: int = Field(description="decisions that found a violation")
    disagreed: int
    at_least: float = Field(description="lower bound of the true share, with 95 % confidence")
    at_most: float = Field(description="upper bound")

    @classmethod
    def of(cls, kind: Kind, agreement: SignalAgreement) -> "AgreementOut":
        """Show the counts of a kind."""
        low, high = agreement.interval
        counts = {"agreed": agreement.agreed, "disagreed": agreement.disagreed}
        return cls(kind=kind, **counts, at_least=round(low, 3), at_most=round(high, 3))


class HintMeta(BaseModel):
    """About the hints."""

    result_count: int
    agreement: list[AgreementOut]


class HintList(BaseModel):
    """The last hints, those with the highest priority first."""

    data: list[HintOut]
    meta: HintMeta


@router.get("/signals", responses=problems(403, 422))
async def list_signals(
    assistance: AssistanceHere,
    space_id: Annotated[str | None, Query(max_length=16, description="only of this Space")] = None,
) -> HintList:
    """List hints on live Spaces: sudden loudness, two who take turns disturbing, lines near a rule.

    They open cases like reports do and never act; what reviewers decide counts for or against their kind.
    """
    agreement = await assistance.agreement()
    hints = [hint for hint in assistance.hints if space_id in (None, hint.space_id)]
    data = [HintOut.of(hint, weight) for hint, weight in ordered(hints, agreement)]
    shown = [AgreementOut.of(kind, counts) for kind, counts in agreement.items()]
    return HintList(data=data, meta=HintMeta(result_count=len(data), agreement=shown))
