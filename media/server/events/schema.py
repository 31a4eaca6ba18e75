"""The data of each event, as a client reads it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from media.moderation.categories import Category
from media.server.room.shapes import MessageOut, PinList, PostOut
from media.server.schemas import PersonOut, RequestOut, SpaceOut
from media.space.events import InvitedAs, InvitedBy
from media.space.states import Standing, State
from media.space.tickets import Purchase


class SharedData(PostOut):
    """`shared`: a post that somebody shows to everyone."""


class PinsData(PinList):
    """`pins`: all pinned posts, the newest first."""


class SpaceData(SpaceOut):
    """`space`: the whole Space; comes first, and again whenever its state or its attributes changed."""

    stage: list[PersonOut] = Field(description="who has the right to speak")
    pins: list[PostOut] = Field(description="pinned posts, the newest first")


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
    reactions: dict[str, int] = Field(
        description="how many of each kind since the last pulse", examples=[{"clap": 212, "heart": 40}]
    )
    speaking: dict[str, float] = Field(
        description="who was audible since the last pulse, and how loud: dBov, 0 loudest",
        examples=[{"ana": -21.5}],
    )


class YouData(BaseModel):
    """`you`: where the reader stands; to nobody else."""

    standing: Standing
    muted_by_self: bool
    muted_by_admin: bool
    hand_raised: bool
    invited_as: InvitedAs | None = Field(None, description="what an open invitation gives; else left out")
    retry_at: datetime | None = Field(None, description="when a denied person may ask again; left out if at once")


class MessageData(MessageOut):
    """`message`: what somebody wrote to everyone."""


class EndedData(BaseModel):
    """`ended`: the Space is over; the stream closes after it."""

    state: State
    reason: Literal["host", "enforcement", "host gone", "empty", "canceled", "not started"] | None = Field(
        description="who or what ended it; null if that is not known any more"
    )


class ReadyData(BaseModel):
    """`ready`: the beginning of a person's stream."""

    resumed: bool = Field(
        description="whether all that was missed follows; if not, lists that are shown should be read anew"
    )


class _AboutSpace(BaseModel):
    space_id: str
    title: str


class InvitedData(_AboutSpace):
    """`invited`: somebody invites the reader to a Space."""

    by: str
    role: InvitedAs
    via: InvitedBy


class RequestData(_AboutSpace):
    """`request`: the reader's request to speak is answered."""

    status: Literal["approved", "denied"]
    retry_at: datetime | None = Field(None, description="when a denied person may ask again; else left out")


class RemovedData(_AboutSpace):
    """`removed`: the reader is out of a Space for good."""


class BubbleData(_AboutSpace):
    """`bubble`: somebody whom the reader follows hosts or speaks in a live Space, or that Space is over."""

    state: State
    creator_id: str
    user_ids: list[str] = Field(description="whom the reader follows there, as far as it is new")


class ReminderData(_AboutSpace):
    """`reminder`: a Space of which the reader wants to be reminded starts soon, or now, or at another time."""

    when: Literal["soon", "start", "moved"]
    scheduled_start: datetime | None


class TicketData(_AboutSpace):
    """`ticket`: what has become of a ticket that the reader buys or has bought."""

    ticket_id: str
    state: Purchase


class CanceledData(_AboutSpace):
    """`canceled`: a Space of which the reader wants to be reminded will not take place."""


class ReportData(BaseModel):
    """`report`: what came of a report that the reader made."""

    report_id: str
    status: Literal["waiting", "acted", "no violation"]


class WarningData(_AboutSpace):
    """`warning`: a reviewer found that the reader has broken a rule, and leaves it at that this time."""

    category: Category
