"""The shapes of statistics in the API.  Durations in seconds."""

from pydantic import BaseModel, Field

from media.moderation import agreement, durations, statistics


class DurationsOut(BaseModel):
    """A summary of durations; null where there are none."""

    count: int
    median_s: float | None
    p95_s: float | None
    longest_s: float | None

    @classmethod
    def of(cls, some: durations.Durations) -> "DurationsOut":
        """Show a summary."""
        return cls(count=some.count, median_s=some.median, p95_s=some.p95, longest_s=some.longest)


class AgreementOut(BaseModel):
    """How often two readings said the same."""

    readings: int
    same: int
    share: float | None = Field(description="0 to 1; null without readings")
    kappa: float | None = Field(description="Cohen's kappa, agreement beyond chance")

    @classmethod
    def of(cls, some: agreement.Agreement) -> "AgreementOut":
        """Show an agreement."""
        return cls(readings=some.readings, same=some.same, share=some.share, kappa=some.kappa)


class FiguresOut(BaseModel):
    """Figures of some cases."""

    cases: int
    undecided: int
    first_look: DurationsOut = Field(description="from the first report to the first claim")
    decision: DurationsOut = Field(description="from the first report to the decision")
    overdue: int = Field(description="late now, or decided too late")
    complaints: int = Field(description="answered ones")
    overturned: int

    @classmethod
    def of(cls, some: statistics.Figures) -> "FiguresOut":
        """Show figures."""
        return cls(
            cases=some.cases,
            undecided=some.undecided,
            first_look=DurationsOut.of(some.first_look),
            decision=DurationsOut.of(some.decision),
            overdue=some.overdue,
            complaints=some.complaints,
            overturned=some.overturned,
        )


class CategoryFiguresOut(FiguresOut):
    """Figures of a category."""

    category: str = Field(examples=["hate"])


class ReviewerFiguresOut(BaseModel):
    """Figures of one reviewer."""

    reviewer: str
    decided: int
    overdue: int
    overturned: int
    second_readings: AgreementOut = Field(description="with decisions of others")
    golden: AgreementOut = Field(description="with the answers of golden cases")

    @classmethod
    def named(cls, name: str, some: statistics.ReviewerFigures) -> "ReviewerFiguresOut":
        """Show the figures of somebody."""
        return cls(
            reviewer=name,
            decided=some.decided,
            overdue=some.overdue,
            overturned=some.overturned,
            second_readings=AgreementOut.of(some.second_readings),
            golden=AgreementOut.of(some.golden),
        )


class StatisticsOut(BaseModel):
    """How moderation did in a period."""

    total: FiguresOut
    categories: list[CategoryFiguresOut]
    reviewers: list[ReviewerFiguresOut] = Field(description="all of them for senior reviewers, else the caller")
    agreement: AgreementOut = Field(description="of all second readings")

    @classmethod
    def of(cls, found: statistics.Statistics, only: str | None) -> "StatisticsOut":
        """Show statistics, with the figures of all reviewers or of one."""
        shown = {name: each for name, each in found.reviewers.items() if only in (None, name)}
        return cls(
            total=FiguresOut.of(found.total),
            categories=[
                CategoryFiguresOut(category=category.value, **FiguresOut.of(each).model_dump())
                for category, each in found.categories.items()
            ],
            reviewers=[ReviewerFiguresOut.named(name, each) for name, each in shown.items()],
            agreement=AgreementOut.of(found.agreement),
        )


class StatisticsAnswer(BaseModel):
    """Statistics."""

    data: StatisticsOut
