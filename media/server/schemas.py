"""The shapes of the API.  Names of fields and states are those of X API v2's Space object where it has them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from media.server.auth import DEFAULT_TTL, ME, NAME, SHORT_TTL, Role, is_name
from media.server.host_tools.shapes import ENTRY_FIELDS, EntryOut, EntryRules
from media.server.input import Flag, Input, Whole
from media.space.people import Participant
from media.space.policy import SpeakPolicy
from media.space.space import Space
from media.space.states import Standing, State
from media.space.tickets import PRICE_MAX, PRICE_MIN


def _check_name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"{text!r} cannot be a name")
    return text


NO_NUL = r"^[^\x00]*$"
"""What PostgreSQL can store of text."""
UserId = Annotated[
    str,
    Field(pattern=NAME, max_length=64, examples=["ana"], json_schema_extra={"not": {"const": ME}}),
    AfterValidator(_check_name),
]
Text = Annotated[str, Field(max_length=40, pattern=NO_NUL)]
Title = Annotated[str, Field(max_length=70, pattern=NO_NUL)]
OwnRules = Annotated[dict[str, Any], Field(max_length=64)]
"""Fields of a policy, which has about 20."""


class NewOffer(Input):
    """Tickets to be sold."""

    price_cents: Whole = Field(ge=PRICE_MIN, le=PRICE_MAX, examples=[500], description="1 to 999 USD")
    quantity: Whole = Field(ge=1, le=1_000_000_000, examples=[200])


class NewSpace(EntryRules):
    """What a host says about a Space to come."""

    title: Title = Field("", examples=["What we learned from the launch"])
    lang: str = Field(
        "en", max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47 language tag"
    )
    topic_ids: list[Text] = Field([], max_length=10, description="as many as the policy allows")
    scheduled_start: AwareDatetime | None = Field(
        None, description="when it is to start; without it the Space is a draft until it is started"
    )
    speak_policy: SpeakPolicy = Field(
        SpeakPolicy.INVITED,
        description="who gets a seat without being approved: `everyone`, people the host is `following`, or "
        "people who were `invited`; everyone else asks and waits",
    )
    anonymous_listening: Flag = Field(False, description="whether people may listen without a token")
    removal_ends_anonymous: Flag = Field(
        False,
        description="whether anonymous listening ends, for everybody, when somebody is removed: removal is by "
        "name, and whoever was removed can else go on listening without one",
    )
    is_available_for_replay: Flag = Field(
        False, description="whether it can be heard again after its end; everybody is shown that while it is live"
    )
    tickets: NewOffer | None = Field(
        None,
        description="tickets to sell from the first moment on, by the rules of `PUT /spaces/{id}/tickets`; if "
        "they cannot be sold, no Space is made",
    )
    policy: Annotated[str, Field(max_length=40)] | OwnRules | None = Field(
        None,
        description="the rules it is to go by, if not the server's: a name of `GET /policies`, or rules of your "
        "own with its fields, a `name`, and the `base` of what is not said; admins only",
        examples=["2021-05"],
    )


class NewTime(Input):
    """When a Space is to start."""

    scheduled_start: AwareDatetime = Field(
        description="a time to come, at most 30 days ahead by the default policy"
    )


class SpaceChange(EntryRules):
    """What can be changed about a Space; what is not named, or null, stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    title: Title | None = None
    topic_ids: list[Text] | None = Field(None, max_length=10)
    anonymous_listening: Flag | None = Field(
        None, description="`false` ends the sessions of those who listen anonymously"
    )
    removal_ends_anonymous: Flag | None = None
    is_available_for_replay: Flag | None = Field(
        None,
        description="whether it can be heard again after its end; while it is live that can only be called off",
    )
    speak_policy: SpeakPolicy | None = None
    scheduled_start: AwareDatetime | None = Field(None, description="another time to start, before it has")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("there is nothing to change; name a field")
        return self


class SpaceOut(EntryOut):
    """A Space."""

    id: str = Field(examples=["1DXxyRYNejbKM"])
    state: State
    title: str
    creator_id: str
    host_ids: list[str] = Field(description="the host, then co-hosts")
    speaker_ids: list[str] = Field(description="everyone who has had the right to speak")
    invited_user_ids: list[str] = Field(description="invitations to speak that are open")
    created_at: datetime
    scheduled_start: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    participant_count: int = Field(description="people connected now, on the stage and in the crowd")
    listener_count: int = Field(0, description="those of them who have no right to speak")
    subscriber_count: int = Field(description="people who want to be reminded")
    is_ticketed: bool
    lang: str
    topic_ids: list[str]
    speak_policy: SpeakPolicy
    anonymous_listening: bool
    removal_ends_anonymous: bool = Field(False, description="whether that ends when somebody is removed")
    is_available_for_replay: bool = Field(False, description="whether it can be heard again after its end")
    pinned_post_ids: list[str] = Field([], description="posts above the Space, newest first")
    message_count: int = Field(0, description="messages that were ever sent in it")
    policy: str = Field(description="the dated rules it goes by", examples=["2021-08"])

    @classmethod
    def of(cls, space: Space) -> "SpaceOut":
        """Show a Space."""
        people = space.people
        return cls(
            id=space.id,
            state=space.state,
            title=space.title,
            creator_id=space.host,
            host_ids=[space.host, *(p.person for p in people.with_standing(Standing.COHOST))],
            speaker_ids=list(space.spoke),
            invited_user_ids=[p.person for p in people.with_standing(Standing.INVITED)],
            created_at=_time(space.created_at),
            scheduled_start=_time_or_none(space.scheduled_start),
            started_at=_time_or_none(space.started_at),
            ended_at=_time_or_none(space.ended_at),
            participant_count=space.participant_count,
            listener_count=space.listener_count,
            subscriber_count=space.subscriber_count,
            is_ticketed=space.tickets is not None,
            lang=space.lang,
            topic_ids=list(space.topic_ids),
            speak_policy=space.speak_policy,
            anonymous_listening=space.anonymous_listening,
            removal_ends_anonymous=space.removal_ends_anonymous,
            is_available_for_replay=space.is_available_for_replay,
            pinned_post_ids=space.pins,
            message_count=space.notes.message_count,
            policy=space.policy.name,
            **{name: getattr(space, name) for name in ENTRY_FIELDS},
        )


class SpaceListMeta(BaseModel):
    """About a page of a list."""

    result_count: int
    next_token: str | None = Field(None, description="the `pagination_token` of the next page; null at the end")


class SpaceList(BaseModel):
    """Some Spaces, youngest first."""

    data: list[SpaceOut]
    meta: SpaceListMeta


class RequestOut(BaseModel):
    """A request to speak."""

    user_id: str
    status: Literal["queued", "granted", "denied"]
    position: int | None = Field(None, description="place in the queue, from 1; only while queued")
    asked_at: datetime | None = Field(None, description="only while queued")
    waiting_seconds: float | None = Field(None, description="since it was asked, where time is known")
    estimated_wait_seconds: float | None = Field(
        None,
        description="from now on, by how fast the last 20 requests here were answered; null before any was",
    )
    retry_at: datetime | None = Field(None, description="when a denied person may ask again")

    @classmethod
    def queue(cls, space: Space, now: float | None = None) -> list["RequestOut"]:
        """Show the whole queue, longest waiting first; with a time (Unix seconds) it says who waits how long."""
        return [cls.queued(space, p, place, now) for place, p in enumerate(space.people.queue, 1)]

    @classmethod
    def of(cls, space: Space, person: str, now: float | None = None) -> "RequestOut":
        """Show where a request stands; people who do not wait have been granted or denied."""
        participant = space.people.named.get(person)
        if participant is None:
            return cls._over(person, "denied", None)
        if participant.standing is Standing.REQUESTED:
            return cls.queued(space, participant, space.people.queue.index(participant) + 1, now)
        retry_at = _time_or_none(participant.denied_until)
        return cls._over(person, "granted" if participant.on_stage else "denied", retry_at)

    @classmethod
    def _over(cls, person: str, status: Literal["granted", "denied"], retry_at: datetime | None) -> "RequestOut":
        return cls(
            user_id=person,
            status=status,
            position=None,
            asked_at=None,
            waiting_seconds=None,
            estimated_wait_seconds=None,
            retry_at=retry_at,
        )

    @classmethod
    def queued(cls, space: Space, participant: Participant, position: int, now: float | None) -> "RequestOut":
        """Show one who waits at a position (from 1)."""
        asked, estimate = participant.asked_at, space.waiting.estimate(position)
        return cls(
            user_id=participant.person,
            status="queued",
            position=position,
            asked_at=_time_or_none(asked),
            waiting_seconds=None if now is None or asked is None else round(now - asked, 1),
            estimated_wait_seconds=None if estimate is None else round(estimate, 1),
            retry_at=None,
        )


class RequestMeta(BaseModel):
    """What it is like to wait in this Space."""

    result_count: int
    next_token: str | None = Field(None, description="the `pagination_token` of the next page; null at the end")
    waiting_count: int = Field(description="who wait in all")
    median_wait_seconds: float | None = Field(description="of the last 20 who were answered; null before any was")


class RequestList(BaseModel):
    """A page of the queue, longest waiting first."""

    data: list[RequestOut]
    meta: RequestMeta

    @classmethod
    def of(cls, space: Space, data: list[RequestOut], following: str | None) -> "RequestList":
        """Show a page, and the token of the next."""
        middle = space.waiting.median
        meta = RequestMeta(
            result_count=len(data),
            next_token=following,
            waiting_count=space.people.number(Standing.REQUESTED),
            median_wait_seconds=None if middle is None else round(middle, 1),
        )
        return cls(data=data, meta=meta)


class NewInvitation(Input):
    """Whom to invite."""

    user_id: UserId
    role: Literal["listener", "speaker", "cohost"] = Field("speaker", description="what they are invited as")
    via: Literal["message", "link", "room"] = Field("room", description="the way the invitation goes")


class PersonOut(BaseModel):
    """A person in a Space."""

    user_id: str
    standing: Standing
    connected: bool
    muted_by_self: bool = Field(description="the person can unmute")
    muted_by_admin: bool = Field(description="only an admin can lift this")
    hand_raised: bool = False
    invited_as: Literal["listener", "speaker", "cohost"] | None = Field(
        None, description="what an open invitation gives"
    )

    @classmethod
    def of(cls, participant: Participant) -> "PersonOut":
        """Show a person."""
        return cls(
            user_id=participant.person,
            standing=participant.standing,
            connected=participant.connected,
            muted_by_self=participant.muted_by_self,
            muted_by_admin=participant.muted_by_admin,
            hand_raised=participant.hand_raised,
            invited_as=participant.invited_as if participant.standing is Standing.INVITED else None,
        )


class PersonList(BaseModel):
    """Some people in a Space."""

    data: list[PersonOut]


class StageMeta(BaseModel):
    """The crowd, which is a number."""

    participant_count: int
    listener_count: int
    free_seats: int


class Stage(BaseModel):
    """Who has the right to speak, and how many listen."""

    data: list[PersonOut]
    meta: StageMeta

    @classmethod
    def of(cls, space: Space) -> "Stage":
        """Show who is on the stage."""
        return cls(
            data=[PersonOut.of(p) for p in space.people.stage],
            meta=StageMeta(
                participant_count=space.participant_count,
                listener_count=space.listener_count,
                free_seats=space.free_seats,
            ),
        )


class NewTokens(Input):
    """For whom to make tokens."""

    users: list[UserId] = Field(min_length=1, max_length=10_000, examples=[["ana", "ben"]])
    admin: Flag = False
    roles: list[Role] = Field(
        default=[], max_length=len(Role), description="what they may beside what everybody may; none by itself"
    )
    ttl_seconds: Whole | None = Field(
        None, ge=1, le=30 * 86_400, description=f"{DEFAULT_TTL} unless asked otherwise, {SHORT_TTL} with `refresh`"
    )
    refresh: Flag = Field(False, description="whether to give refresh tokens along")


class TokenOut(BaseModel):
    """A token."""

    user_id: str
    token: str
    expires_at: datetime
    refresh_token: str | None = Field(None, description="for `POST /tokens/refresh`, once, within 30 days")


class TokenList(BaseModel):
    """Tokens, in the order of the names."""

    data: list[TokenOut]


class RefreshToken(Input):
    """A refresh token, as it was given."""

    refresh_token: str = Field(min_length=1, max_length=200)


class ProblemOut(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:spaces-lab:problem:seats-full"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["All 10 seats are taken; the request of ana stays in the queue."])


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
