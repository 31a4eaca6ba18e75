"""What a transparency report is counted from: one record for each thing that happened in its period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from media.moderation import annex
from media.moderation.categories import Category
from media.moderation.decision import Outcome
from media.moderation.statement import Ground, Source


@dataclass(frozen=True, slots=True)
class Notice:
    """Reports of a category."""

    category: Category
    trusted: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Measure:
    """A decision that restricts somebody, as its statement of reasons has it.  Times in seconds."""

    at: float
    category: Category
    ground: Ground
    source: Source
    restrictions: frozenset[str]
    """Values of the statement's fields, such as ``DECISION_ACCOUNT_SUSPENDED``."""
    keyword: str = ""
    detected_automatically: bool = False
    noticed_at: float | None = None
    """When the first report came that led to it."""
    repeated: bool = False
    """Whether rules had been broken by the same user before, and they were told."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint about a decision.  Times in seconds."""

    at: float
    restrictions: frozenset[str]
    answered_at: float | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order of an authority of a Member State (art. 9 and 10).  Times in seconds."""

    at: float
    """When it was received."""
    country: str
    """Of the authority: two capital letters."""
    legal_ground: str
    """What it says was broken; describes it where no sub-category of the Union's does."""
    category: str = annex.NOT_SPECIFIED_ORDER
    """Of the Union's."""
    keyword: str = ""
    informs: bool = False
    """Whether it asks for information, and not to act against something."""
    items: int = 1
    """Pieces of content that it names."""
    acknowledged_at: float | None = None
    effected_at: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule said of something, and what people decided about it."""

    flagged: bool
    violation: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Records:
    """All that happened in the period of a report."""

    notices: Sequence[Notice] = ()
    measures: Sequence[Measure] = ()
    complaints: Sequence[Complaint] = ()
    judged: Sequence[Judged] = ()
    orders: Sequence[Order] | None = None
    """None: nobody notes them here."""
    reporters_muted: int = 0
    """Users whose reports were suspended because they were unfounded (art. 23(2))."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of part 11, by indicator."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on top of a report.  Days as YYYY-MM-DD."""

    provider: str
    service: str
    begins: str
    ends: str
    published: str
    previous: str = ""
    """Day of the report before; empty if there is none."""

    @property
    def period(self) -> str:
        """The reporting period as the templates write it."""
        return f"{self.begins}/{self.ends}"
