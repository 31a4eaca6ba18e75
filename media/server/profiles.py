"""The shapes of users in the API; names of fields are those of X API v2's User object."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from media.server.accounts import User
from media.server.auth import Caller
from media.server.input import Flag, Input
from media.server.schemas import UserId

Username = UserId
Name = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$")
]


class NewUser(Input):
    """A profile to come: the caller's own, or anybody's if the caller is an admin."""

    id: UserId | None = Field(
        None, description="whom tokens name; the caller's own unless an admin says otherwise, and never changes"
    )
    username: Username | None = Field(None, description="the handle, which is the id unless another is chosen")
    name: Name | None = Field(None, description="shown to people; the username unless another is chosen")
    protected: Flag = Field(False, description="whether the person decides who follows them; they cannot host")
    adult: Flag = Field(
        False, description="whether the person declares to be 18 or older, which selling tickets needs"
    )
    verified: Flag = Field(False, description="admins only")


class UserChange(Input):
    """What is to be different; what is not named stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    username: Username = Field(default="")
    name: Name = Field(default="")
    protected: Flag = False
    adult: Flag = Field(False, description="whether the person declares to be 18 or older")
    verified: Flag = Field(False, description="admins only")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("there is nothing to change; name a field")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return self.model_dump(include=self.model_fields_set)


class PublicMetrics(BaseModel):
    """Counts that everyone may see."""

    followers_count: int
    following_count: int


class UserOut(BaseModel):
    """A user."""

    id: str = Field(examples=["ana"])
    username: str
    name: str
    created_at: datetime | None = Field(description="null for a person without a profile")
    protected: bool
    verified: bool
    public_metrics: PublicMetrics
    adult: bool | None = Field(
        None, description="whether the person has declared to be 18 or older; null to everyone else but admins"
    )

    @classmethod
    def of(cls, user: User, who: Caller | None = None) -> "UserOut":
        """Show a user; to themselves and to admins with what is nobody else's business."""
        return cls(
            id=user.id,
            username=user.username,
            name=user.name,
            created_at=datetime.fromtimestamp(user.created_at, UTC) if user.created_at else None,
            protected=user.protected,
            verified=user.verified,
            adult=user.adult if who is not None and (who.admin or who.name == user.id) else None,
            public_metrics=PublicMetrics(
                followers_count=user.followers_count, following_count=user.following_count
            ),
        )


class PageMeta(BaseModel):
    """About a page of a list."""

    result_count: int
    next_token: str | None = Field(None, description="the `pagination_token` of the next page; null at the end")


class UserList(BaseModel):
    """A page of users."""

    data: list[UserOut]
    meta: PageMeta


class Target(Input):
    """Whom it is about."""

    target_user_id: UserId


class Following(BaseModel):
    """Whether one follows the other now."""

    following: bool
    pending_follow: bool = Field(description="whether a protected account has yet to answer")


class Blocking(BaseModel):
    """Whether one blocks the other now."""

    blocking: bool


class NewSuspension(Input):
    """Why."""

    reason: str = Field("", max_length=280, pattern=r"^[^\x00]*$", description="for the record; admins see it")


class Suspension(BaseModel):
    """Whether an account is suspended."""

    user_id: str
    suspended: bool
    reason: str | None
