"""A report: who says what about whom, and at which moment it was heard."""

from dataclasses import dataclass, field
from typing import Final

from media.moderation.categories import Category
from media.moderation.errors import ModerationError

TEXT_MAX: Final = 2_000
"""Characters of what a reporter writes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about: a user in a Space, or the Space itself."""

    space_id: str
    user_id: str | None = None
    host_id: str | None = field(default=None, compare=False)
    """Host of the Space, whom a decision about the Space itself affects; no part of what makes two reports one
    matter."""

    @property
    def affected(self) -> str | None:
        """The user whom a decision affects, who can complain about it; None if nobody is known."""
        return self.host_id if self.user_id is None else self.user_id


@dataclass(frozen=True, slots=True)
class Report:
    """One report.  Times in seconds, on the clock of ``now``."""

    reporter: str
    subject: Subject
    category: Category
    at: float
    """When it was made."""
    moment: float
    """When what it is about was heard."""
    text: str = ""
    trusted: bool = False
    """Whether the reporter is a trusted flagger (Regulation (EU) 2022/2065, art. 22)."""

    def __post_init__(self) -> None:
        """Refuse what no report can be.

        :raises ModerationError: of oneself, of a moment that has not come, or with too long a text
        """
        if self.reporter == self.subject.user_id:
            raise ModerationError("Nobody can report themselves; leave the stage or the Space instead.")
        if self.moment > self.at:
            raise ModerationError("The moment of a report has not come yet; name one that was heard.")
        if len(self.text) > TEXT_MAX:
            raise ModerationError(f"The text of a report has at most {TEXT_MAX} characters, not {len(self.text)}.")


@dataclass(frozen=True, slots=True)
class Clip:
    """A range of the evidence copy.  Seconds, on the clock of ``now``."""

    begin: float
    end: float

    def touches(self, other: "Clip") -> bool:
        """Whether two ranges overlap or meet."""
        return self.begin <= other.end and other.begin <= self.end


def clip_around(moment: float, length: float) -> Clip:
    """Return the range of that length (seconds) with the moment in its middle."""
    return Clip(moment - length / 2, moment + length / 2)


def with_clip(clips: tuple[Clip, ...], new: Clip) -> tuple[Clip, ...]:
    """Return ranges in order with one more, joined where they touch."""
    apart = [clip for clip in clips if not clip.touches(new)]
    near = [clip for clip in clips if clip.touches(new)]
    joined = Clip(min(c.begin for c in (new, *near)), max(c.end for c in (new, *near)))
    return tuple(sorted((*apart, joined), key=lambda clip: clip.begin))
