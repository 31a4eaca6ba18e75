"""The data of each event, as a client reads it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from media.server.schemas import PersonOut, RequestOut, SpaceOut
from media.space.states import Standing, State


class SpaceData(SpaceOut):
    """`space`: the whole Space; comes first, and again whenever its state or its attributes changed."""

    stage: list[PersonOut]
    pins: list[str] = Field(description="ids of pinned posts, newest first")


class StageData(BaseModel):
    """`stage`: who has the right to speak, after a place, a mute or a hand changed."""

    data: list[PersonOut]


class RequestsData(BaseModel):
    """`requests`: the queue, longest waiting first; to host and co-hosts only."""

    data: list[RequestOut]


class PulseData(BaseModel):
    """`pulse`: what changes all the time, at most twice a second."""

    participant_count: int
    listener_count: int
    reactions: dict[str, int] = Field(description="how many of each kind since the last pulse")
    speaking: dict[str, float] = Field(description="who is audible, and how loud: dBov, 0 loudest")


class YouData(BaseModel):
    """`you`: where the reader stands; to nobody else."""

    standing: Standing
    muted_by_self: bool
    muted_by_admin: bool
    hand_raised: bool
    retry_at: datetime | None = Field(None, description="when a denied person may ask again")


class EndedData(BaseModel):
    """`ended`: the Space is over; the stream closes after it."""

    state: State
    reason: Literal["host", "enforcement", "host gone", "empty", "canceled", "not started"] | None = Field(
        description="who or what ended it; null if that is not known any more"
    )
