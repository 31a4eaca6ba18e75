"""The shapes of captions in the API and on event streams."""

from pydantic import BaseModel, Field

from media.captions.lines import Line
from media.captions.shown import Caption
from media.server.captions.tables import TEXT_MAX
from media.server.input import Input


class CaptionData(BaseModel):
    """`caption`: what a speaker says, as far as it is heard; one without `id` is not final yet.

    Of each speaker the next one takes the place of one that is not final. A final one without text takes it away.
    """

    id: str | None = Field(
        description="of a final line; null of one that still changes", examples=["5f0c3a1e9b7d4c2f"]
    )
    user_id: str
    start_ms: int = Field(description="milliseconds since the Space started")
    end_ms: int
    text: str = Field(examples=["Welcome, all of you."])
    language: str | None = Field(description="ISO 639-1; null if not known", examples=["en"])
    automatic: bool = Field(description="made by a recogniser, and not corrected", examples=[True])
    corrected: bool = Field(description="by its speaker")

    @classmethod
    def of(cls, line: Line) -> "CaptionData":
        """Show a final line."""
        return cls(
            id=line.id,
            user_id=line.user_id,
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            text=line.text,
            language=line.language or None,
            automatic=line.automatic,
            corrected=line.corrected,
        )

    @classmethod
    def passing(cls, caption: Caption) -> "CaptionData":
        """Show what still changes, or that it was nothing."""
        return cls(
            id=None,
            user_id=caption.user_id,
            start_ms=caption.start_ms,
            end_ms=caption.end_ms,
            text=caption.text,
            language=caption.language or None,
            automatic=True,
            corrected=False,
        )


class CaptionStateData(BaseModel):
    """`captions`: who consents to captions, and whether they are paused because there is too much to recognise."""

    user_ids: list[str] = Field(description="whose speech is captioned", examples=[["ana"]])
    paused: bool


class CaptionsOut(CaptionStateData):
    """The captions of a Space."""

    available: bool = Field(description="whether this server makes captions", examples=[True])
    data: list[CaptionData] = Field(description="the newest lines, the oldest of them first")


class Correction(Input):
    """What was really said."""

    text: str = Field(
        min_length=1, max_length=TEXT_MAX, pattern=r"^[^\x00]*\S[^\x00]*$", examples=["Welcome, all!"]
    )
