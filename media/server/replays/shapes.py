"""The shapes of replays in the API."""

from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, Field

from media.server.input import Input, Whole
from media.server.replays.episode import Episode
from media.server.replays.store import ReplayState

MS_MAX: Final = 2**31 - 1
_Shown = Literal["waiting", "ready", "failed"]
_STATES: Final[dict[ReplayState, _Shown]] = {
    ReplayState.WAITING: "waiting",
    ReplayState.READY: "ready",
    ReplayState.FAILED: "failed",
}
"""Those that are deleted are not shown."""


class ReplayTrim(Input):
    """What of the Space is heard."""

    start_ms: Whole = Field(ge=0, le=MS_MAX, examples=[61_000], description="milliseconds since the Space started")
    end_ms: Whole = Field(ge=0, le=MS_MAX, examples=[3_540_000], description="the same, not after `whole_ms`")


class ReplayChapter(BaseModel):
    """Who has the floor; milliseconds of the file."""

    user_id: str
    name: str
    start_ms: int
    end_ms: int


class ReplayPerson(BaseModel):
    """Somebody who is heard."""

    user_id: str
    name: str
    role: Literal["host", "guest"]
    spoke_ms: int


class ReplayLink(BaseModel):
    """A post that was pinned or shared."""

    post_id: str = Field(examples=["1396580169512140802"])
    shown_by: str = Field(examples=["ana"])
    at_ms: int | None = Field(description="when, in the file; null if before or after what is heard")


class ReplayOut(BaseModel):
    """A Space that can be heard again."""

    space_id: str
    title: str
    state: _Shown = Field(
        description="`waiting` while the Space is live and until its sound is written; `failed` if there is none"
    )
    fault: str | None = Field(None, description="to the host: why it still waits")
    published_at: datetime | None
    duration_ms: int = Field(description="length of the file")
    start_ms: int = Field(description="where in the Space it begins")
    end_ms: int = Field(description="where it ends")
    whole_ms: int = Field(description="length of the Space")
    size: int = Field(description="bytes of the file")
    waveform: list[int] = Field(
        description="up to 200 bars, 0 to 100 each; as a picture at `replay/waveform.svg`",
        examples=[[0, 62, 71, 48]],
    )
    chapters: list[ReplayChapter] = Field(description="where another speaker takes over")
    persons: list[ReplayPerson] = Field(description="who is heard, hosts first")
    links: list[ReplayLink] = Field(description="posts that were pinned or shared, by when they were")

    @classmethod
    def of(cls, episode: Episode, fault: str | None = None) -> "ReplayOut":
        """Show a replay."""
        replay, published = episode.replay, episode.replay.published_at
        return cls(
            space_id=replay.space_id,
            title=episode.space.title,
            state=_STATES[replay.state],
            fault=fault,
            published_at=None if published is None else datetime.fromtimestamp(published, UTC),
            duration_ms=episode.duration_ms,
            start_ms=replay.start_ms,
            end_ms=replay.end_ms,
            whole_ms=replay.whole_ms,
            size=replay.size,
            waveform=episode.waveform,
            chapters=[
                ReplayChapter(user_id=turn.user_id, name=name, start_ms=turn.start_ms, end_ms=turn.end_ms)
                for name, turn in episode.chapters
            ],
            persons=[
                ReplayPerson(user_id=each.user_id, name=each.name, role=_role(each.role), spoke_ms=each.spoke_ms)
                for each in episode.voices
            ],
            links=[
                ReplayLink(post_id=link.post_id, shown_by=link.shown_by, at_ms=link.at_ms)
                for link in episode.links
            ],
        )


def _role(role: str) -> Literal["host", "guest"]:
    return "host" if role == "host" else "guest"
