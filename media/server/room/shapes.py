"""The shapes of what is shown in a Space."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from media.server.input import Input, Whole
from media.server.profiles import PageMeta
from media.server.schemas import UserId
from media.space.board import POST_ID_MAX, TAPS_MAX, TEXT_MAX
from media.space.links import LINK_USES, Link
from media.space.notes import Message, Shown
from media.space.reactions import Reaction

PostId = Annotated[
    str,
    Field(
        pattern=rf"^[A-Za-z0-9_.:-]{{1,{POST_ID_MAX}}}$",
        max_length=POST_ID_MAX,
        description="id of a post",
        examples=["1396580169512140802"],
    ),
]


class NewReaction(Input):
    """What to react with."""

    kind: Reaction = Field(examples=["clap"])
    count: Whole = Field(
        1, ge=1, le=TAPS_MAX, description="how often, since one last said: taps of a moment together"
    )


class MuteAll(Input):
    """Whom to spare."""

    model_config = ConfigDict(populate_by_name=True)

    spared: list[UserId] = Field(
        [], alias="except", max_length=100, description="who keeps their microphone", examples=[["ben"]]
    )


class SharedPost(Input):
    """Which post to show."""

    post_id: PostId


class NewMessage(Input):
    """What to write."""

    text: str = Field(
        min_length=1, max_length=TEXT_MAX, pattern=r"^[^\x00]*$", examples=["Where can I read more?"]
    )


class NewLink(Input):
    """What a link is to give."""

    role: Literal["listener", "speaker", "cohost"] = "speaker"
    uses: Whole = Field(LINK_USES, ge=1, le=LINK_USES, description="how often it can be followed")


class PostOut(BaseModel):
    """A post that was pinned or shared."""

    post_id: str
    user_id: str = Field(description="who did it")
    created_at: datetime = Field(description="when")

    @classmethod
    def of(cls, shown: Shown) -> "PostOut":
        """Show it."""
        return cls(post_id=shown.post_id, user_id=shown.by, created_at=_time(shown.at))


class PinList(BaseModel):
    """Every pinned post, the newest first."""

    data: list[PostOut]


class SharedList(BaseModel):
    """A page of shared posts, the newest first."""

    data: list[PostOut]
    meta: PageMeta


class MessageOut(BaseModel):
    """A message in a Space."""

    id: str = Field(description="its number among the messages of the Space", examples=["1"])
    user_id: str
    text: str
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """Show it."""
        return cls(id=str(message.number), user_id=message.person, text=message.text, created_at=_time(message.at))


class MessageList(BaseModel):
    """A page of messages, the newest first."""

    data: list[MessageOut]
    meta: PageMeta


class LinkOut(BaseModel):
    """An invitation link."""

    code: str = Field(description="the secret in it", examples=["nJ7mVdQx3pW0aZ2c"])
    url: str = Field(
        description="the page that accepts it", examples=["http://localhost:8080/s/1DX…#invitation=…"]
    )
    role: Literal["listener", "speaker", "cohost"]
    user_id: str = Field(description="who made it")
    uses_left: int
    created_at: datetime

    @classmethod
    def of(cls, link: Link, space_id: str, base: str) -> "LinkOut":
        """Show it; the code is behind a #, which browsers keep to themselves."""
        return cls(
            code=link.code,
            url=f"{base.rstrip('/')}/s/{space_id}#invitation={link.code}",
            role=link.role,
            user_id=link.by,
            uses_left=link.uses,
            created_at=_time(link.made_at),
        )


class LinkList(BaseModel):
    """A page of invitation links, the oldest first."""

    data: list[LinkOut]
    meta: PageMeta


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
