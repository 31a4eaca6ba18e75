"""The report of a Space as the API has it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from media.server.analytics.ledger import Ledger
from media.server.analytics.sketch import ERROR
from media.server.analytics.spells import Spells
from media.server.sessions import Source
from media.space.space import Space
from media.space.states import State


class Peak(BaseModel):
    """When most people were connected."""

    participant_count: int
    at: datetime


class Unique(BaseModel):
    """How many different people came."""

    people: int = Field(description="estimated by a sketch (HyperLogLog), since nobody keeps who listened")
    relative_error: float = Field(description="standard error of that", examples=[0.01625])
    anonymous_connections: int = Field(description="anonymous listeners, who cannot be told apart, beside those")


class AudiencePoint(BaseModel):
    """One interval."""

    at: datetime = Field(description="its end")
    participant_count: int
    listener_count: int
    stage_count: int
    waiting_count: int
    arrivals: int
    departures: int
    reactions: dict[str, int] = Field(description="kind to how many; only kinds that came")


class Audience(BaseModel):
    """The course of the audience."""

    interval_seconds: float = Field(description="10 at first; doubles as the Space goes on")
    data: list[AudiencePoint]


class RetentionPoint(BaseModel):
    """Of the curve."""

    seconds: float
    share: float = Field(description="of the visits, those that last longer than that")


class Retention(BaseModel):
    """How long people stay; visits that go on, or went on to the end of the Space, count as long as seen."""

    visits: int
    mean_seconds: float | None = Field(description="present so far, per visit")
    median_seconds: float | None = Field(description="null while more than half of all stay")
    curve: list[RetentionPoint]


class Requests(BaseModel):
    """Requests to speak, and how long they waited for an answer."""

    asked: int
    granted: int
    denied: int
    withdrawn: int
    waiting: int
    median_wait_seconds: float | None
    p90_wait_seconds: float | None


class Talk(BaseModel):
    """How long somebody was heard."""

    user_id: str = Field(examples=["ana"])
    seconds: float
    share: float = Field(description="of the talking of all")


class Arrivals(BaseModel):
    """How many came by a way; coming back within 30 seconds is not coming."""

    source: Source
    count: int
    share: float


class Report(BaseModel):
    """What the host of a Space learns about it."""

    space_id: str = Field(examples=["1DXxyRYNejbKM"])
    title: str
    state: State
    started_at: datetime
    ended_at: datetime | None
    as_of: datetime = Field(description="up to when this counts")
    peak: Peak
    unique: Unique
    audience: Audience
    retention: Retention
    reactions: dict[str, int]
    requests: Requests
    talk_time: list[Talk] = Field(description="longest first")
    sources: list[Arrivals] = Field(description="most first")

    @classmethod
    def of(cls, space: Space, ledger: Ledger) -> "Report":
        """Show what was counted."""
        return cls(
            space_id=space.id,
            title=space.title,
            state=space.state,
            started_at=_time(ledger.started_at),
            ended_at=None if ledger.ended_at is None else _time(ledger.ended_at),
            as_of=_time(ledger.as_of),
            peak=Peak(participant_count=ledger.peak, at=_time(ledger.peak_at)),
            unique=Unique(
                people=round(ledger.unique),
                relative_error=round(ERROR, 5),
                anonymous_connections=ledger.anonymous,
            ),
            audience=Audience(interval_seconds=ledger.course.interval, data=list(_points(ledger))),
            retention=_retention(ledger.stays),
            reactions=dict(ledger.reactions.most_common()),
            requests=_requests(ledger),
            talk_time=list(_talk(ledger)),
            sources=list(_sources(ledger)),
        )


def _points(ledger: Ledger) -> Iterable[AudiencePoint]:
    for sample in ledger.course.samples:
        yield AudiencePoint(
            at=_time(sample.at),
            participant_count=sample.participants,
            listener_count=sample.listeners,
            stage_count=sample.stage,
            waiting_count=sample.waiting,
            arrivals=sample.arrivals,
            departures=sample.departures,
            reactions=sample.reactions,
        )


def _retention(stays: Spells) -> Retention:
    visits = len(stays)
    median = stays.median()
    return Retention(
        visits=visits,
        mean_seconds=round(stays.seconds / visits, 1) if visits else None,
        median_seconds=None if median is None else round(median, 1),
        curve=[RetentionPoint(seconds=round(p.seconds, 2), share=round(p.share, 4)) for p in stays.survival()],
    )


def _requests(ledger: Ledger) -> Requests:
    median, late = ledger.waits.quantile(0.5), ledger.waits.quantile(0.9)
    return Requests(
        asked=ledger.asked,
        granted=ledger.answers["granted"],
        denied=ledger.answers["denied"],
        withdrawn=ledger.answers["withdrawn"],
        waiting=ledger.waiting,
        median_wait_seconds=None if median is None else round(median, 1),
        p90_wait_seconds=None if late is None else round(late, 1),
    )


def _talk(ledger: Ledger) -> Iterable[Talk]:
    everything = sum(ledger.talk.values()) or 1.0
    for person, seconds in sorted(ledger.talk.items(), key=lambda item: (-item[1], item[0])):
        yield Talk(user_id=person, seconds=round(seconds, 1), share=round(seconds / everything, 4))


def _sources(ledger: Ledger) -> Iterable[Arrivals]:
    everything = sum(ledger.arrivals.values()) or 1
    for source, count in ledger.arrivals.most_common():
        name: Source = source  # pyright: ignore[reportAssignmentType] - counted by nothing else
        yield Arrivals(source=name, count=count, share=round(count / everything, 4))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
