"""The shapes of posts, of people who were found, and of campaigns."""

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from media.server.finding.campaigns import PEOPLE_MAX, Passed, Role, Why
from media.server.finding.finding import Match
from media.server.finding.guests import Campaign, Guest
from media.server.finding.posts import Post
from media.server.finding.terms import TERM_MAX, TERMS_MAX
from media.server.input import Input, Whole
from media.server.profiles import PageMeta, UserOut
from media.server.schemas import UserId
from media.space.ranking import Reason

POST_MAX = 4_000
"""Letters of a post."""
LANG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
SHOWN = r"^[^\x00]*[^\x00\s][^\x00]*$"
"""Text without NUL that is more than blank."""

TERM = r"^[^\x00]*[^\W_][^\x00]*$"
"""A term has a word."""
TermText = Annotated[str, Field(min_length=1, max_length=TERM_MAX, pattern=TERM, examples=["#launch"])]


class NewPost(Input):
    """What to say to everyone."""

    text: str = Field(
        min_length=1, max_length=POST_MAX, pattern=SHOWN, examples=["The #launch of Acme was worth the wait."]
    )
    lang: str = Field("en", max_length=35, pattern=LANG, description="BCP 47 language tag")


class FeedPost(BaseModel):
    """A post."""

    id: str = Field(examples=["1460323737035677698"])
    author_id: str = Field(examples=["ana"])
    text: str
    lang: str
    created_at: datetime

    @classmethod
    def of(cls, post: Post) -> "FeedPost":
        """Show a post."""
        return cls(
            id=post.id,
            author_id=post.author_id,
            text=post.text,
            lang=post.lang,
            created_at=_time(post.created_at),
        )


class Feed(BaseModel):
    """A page of posts, those first that came last."""

    data: list[FeedPost]
    meta: PageMeta


class Contribution(BaseModel):
    """A part of a person's score."""

    signal: str = Field(description="`term:` and a term, or `reach`", examples=["term:#launch"])
    value: float = Field(description="saturated mentions, or logarithmic followers, 0 to about 1")
    weight: float
    contribution: float = Field(description="value times weight, to four decimals; they sum to the score")

    @classmethod
    def of(cls, reason: Reason) -> "Contribution":
        """Show a reason."""
        return cls(
            signal=reason.signal,
            value=round(reason.value, 6),
            weight=round(reason.weight, 6),
            contribution=reason.contribution,
        )


class FoundPerson(BaseModel):
    """Somebody who mentions the terms, and why they stand where they do."""

    user: UserOut
    score: float
    reasons: list[Contribution] = Field(description="strongest first")
    mention_count: int = Field(description="in the posts that were looked through")
    posts: list[FeedPost] = Field(description="up to three that mention a term, newest first")

    @classmethod
    def of(cls, match: Match) -> "FoundPerson":
        """Show a match."""
        return cls(
            user=UserOut.of(match.user),
            score=match.ranked.score,
            reasons=[Contribution.of(reason) for reason in match.ranked.reasons],
            mention_count=match.ranked.entry.mentions,
            posts=[FeedPost.of(post) for post in match.posts],
        )


class FoundPeopleMeta(BaseModel):
    """About a list."""

    result_count: int
    found_count: int = Field(description="how many there are, of whom the best are shown")


class FoundPeople(BaseModel):
    """People, best first."""

    data: list[FoundPerson]
    meta: FoundPeopleMeta


class NewCampaign(Input):
    """Whom to invite to a Space: people, or whoever mentions terms."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name], "properties": {name: {"minItems": 1}}} for name in ("terms", "people")]
        }
    )

    terms: list[TermText] = Field([], max_length=TERMS_MAX, description="what the people should have mentioned")
    people: list[UserId] = Field(
        [], max_length=PEOPLE_MAX, description="who, by id; without it the best of those who mention the terms"
    )
    max_people: Whole = Field(50, ge=1, le=PEOPLE_MAX, description="how many of those who mention the terms")
    role: Role = Field("listener", description="what they are invited to be")
    message: str = Field(
        "", max_length=280, pattern=r"^[^\x00]*$", examples=["We would like to hear you on this."]
    )


class PassedOver(BaseModel):
    """Somebody who was not invited."""

    user_id: str
    why: Why = Field(description="`unreachable` also stands for opt-outs and blocks, which are not told")
    detail: str


class Turnout(BaseModel):
    """Who came of those who were invited."""

    invited: int
    opened: int
    joined: int
    spoke: int
    mean_stay_seconds: float | None = Field(description="of those who joined")
    median_stay_seconds: float | None


class GuestOut(BaseModel):
    """Somebody who was invited."""

    user_id: str
    score: float | None = Field(description="null if they were named")
    invited_at: datetime
    opened_at: datetime | None
    joined_at: datetime | None = Field(description="null also for who listened anonymously")
    spoke_at: datetime | None = Field(description="when they were first heard")
    stay_seconds: float

    @classmethod
    def of(cls, guest: Guest) -> "GuestOut":
        """Show a guest."""
        return cls(
            user_id=guest.user_id,
            score=guest.score,
            invited_at=_time(guest.invited_at),
            opened_at=_time_or_none(guest.opened_at),
            joined_at=_time_or_none(guest.joined_at),
            spoke_at=_time_or_none(guest.spoke_at),
            stay_seconds=round(guest.seconds, 1),
        )


class CampaignOut(BaseModel):
    """Invitations that were sent together, and what became of them."""

    id: str = Field(examples=["4fzW1rYbQ0aX"])
    space_id: str
    by: str
    role: Role
    terms: list[str]
    message: str
    created_at: datetime
    turnout: Turnout

    @classmethod
    def of(cls, campaign: Campaign, guests: Sequence[Guest]) -> "CampaignOut":
        """Show a campaign."""
        role: Role = "speaker" if campaign.role == "speaker" else "listener"
        return cls(
            id=campaign.id,
            space_id=campaign.space_id,
            by=campaign.by,
            role=role,
            terms=campaign.terms,
            message=campaign.message,
            created_at=_time(campaign.created_at),
            turnout=_turnout(guests),
        )


class SentCampaign(CampaignOut):
    """A campaign that has just been sent."""

    invited: list[str] = Field(description="ids of those who were invited")
    passed_over: list[PassedOver]

    @classmethod
    def sent(cls, campaign: Campaign, guests: Sequence[Guest], passed: Sequence[Passed]) -> "SentCampaign":
        """Show what was done."""
        return cls(
            **CampaignOut.of(campaign, guests).model_dump(),
            invited=[guest.user_id for guest in guests],
            passed_over=[PassedOver(user_id=p.user_id, why=p.why, detail=p.detail) for p in passed],
        )


class CampaignReport(CampaignOut):
    """A campaign, and each of its guests."""

    guests: list[GuestOut] = Field(description="best first")

    @classmethod
    def report(cls, campaign: Campaign, guests: Sequence[Guest]) -> "CampaignReport":
        """Show who came."""
        shown = CampaignOut.of(campaign, guests).model_dump()
        return cls(**shown, guests=[GuestOut.of(guest) for guest in guests])


class CampaignList(BaseModel):
    """A page of the campaigns of a Space, newest first."""

    data: list[CampaignOut]
    meta: PageMeta


class MyInvitation(BaseModel):
    """An invitation that a campaign sent."""

    campaign_id: str
    space_id: str
    by: str
    role: Role
    message: str
    invited_at: datetime
    opened_at: datetime | None

    @classmethod
    def of(cls, guest: Guest, campaign: Campaign) -> "MyInvitation":
        """Show an invitation to whom it went."""
        return cls(
            campaign_id=campaign.id,
            space_id=campaign.space_id,
            by=campaign.by,
            role="speaker" if campaign.role == "speaker" else "listener",
            message=campaign.message,
            invited_at=_time(guest.invited_at),
            opened_at=_time_or_none(guest.opened_at),
        )


class MyInvitations(BaseModel):
    """A page of invitations, newest first."""

    data: list[MyInvitation]
    meta: PageMeta


class OptOut(BaseModel):
    """Whether one wants no invitations by campaigns."""

    opted_out: bool


def _turnout(guests: Sequence[Guest]) -> Turnout:
    stays = [guest.seconds for guest in guests if guest.joined_at is not None]
    return Turnout(
        invited=len(guests),
        opened=sum(guest.opened_at is not None for guest in guests),
        joined=len(stays),
        spoke=sum(guest.spoke_at is not None for guest in guests),
        mean_stay_seconds=round(sum(stays) / len(stays), 1) if stays else None,
        median_stay_seconds=round(median(stays), 1) if stays else None,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
