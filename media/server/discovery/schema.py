"""The shapes of discovery in the API."""

from typing import Literal

from pydantic import BaseModel, Field

from media.server.discovery.discovery import Found
from media.server.discovery.stages import Role
from media.server.schemas import SpaceOut
from media.server.tickets.shapes import TicketTag
from media.space.ranking import Name, Reason


class ReasonOut(BaseModel):
    """One thing that speaks for an entry; the contributions of all of them sum to its score."""

    signal: Name = Field(description="what it is about", examples=["follows_host"])
    value: float = Field(description="how much of it there is, from 0 to about 1", examples=[0.5])
    weight: float = Field(description="what it counts for", examples=[3.0])
    contribution: float = Field(description="value times weight, to four decimals", examples=[1.5])
    text: str = Field(description="the same for people", examples=["Somebody you follow is hosting."])

    @classmethod
    def of(cls, reason: Reason) -> "ReasonOut":
        """Show a reason."""
        signal: Name = reason.signal  # pyright: ignore[reportAssignmentType] - one of those that are ranked by
        return cls(
            signal=signal,
            value=round(reason.value, 6),
            weight=reason.weight,
            contribution=reason.contribution,
            text=_TEXTS[signal],
        )


_TEXTS: dict[Name, str] = {
    "match": "It has the words you asked for.",
    "follows_host": "Somebody you follow is hosting.",
    "follows_speaker": "Somebody you follow is speaking.",
    "live": "It is live.",
    "topic": "It is about a topic you asked for.",
    "language": "It is in a language you read.",
    "audience": "Many are there.",
    "freshness": "It began not long ago, or is about to.",
}


class KnownPerson(BaseModel):
    """Somebody whom the caller follows, on the stage of a Space."""

    user_id: str = Field(examples=["ana"])
    role: Role


class FoundSpace(BaseModel):
    """A Space, and why it stands where it does."""

    space: SpaceOut
    share_url: str = Field(description="the public link", examples=["https://spaces.example/s/1DXxyRYNejbKM"])
    tickets: TicketTag | None = Field(description="what one costs; null where nobody needs one")
    people: list[KnownPerson] = Field(
        description="whom of those on the stage the caller follows, hosts first; who listens is never told"
    )
    score: float = Field(examples=[5.1421])
    reasons: list[ReasonOut] = Field(description="strongest first")

    @classmethod
    def of(cls, found: Found, base: str, tickets: TicketTag | None) -> "FoundSpace":
        """Show an entry; ``base`` is the address of this server, with a slash at its end."""
        order = ("host", "cohost", "speaker")
        people = sorted(found.people.items(), key=lambda item: (order.index(item[1]), item[0]))
        return cls(
            space=SpaceOut.of(found.space),
            share_url=f"{base}s/{found.space.id}",
            tickets=tickets,
            people=[KnownPerson(user_id=person, role=role) for person, role in people],
            score=found.ranked.score,
            reasons=[ReasonOut.of(reason) for reason in found.ranked.reasons],
        )


class FoundMeta(BaseModel):
    """About a list."""

    result_count: int
    found_count: int = Field(description="how many there are, of which the best are shown")
    next_token: str | None = Field(None, description="the `pagination_token` of the next page; null at the end")


class FoundList(BaseModel):
    """Spaces, best first."""

    data: list[FoundSpace]
    meta: FoundMeta


class TopicOut(BaseModel):
    """A subject that a Space can have."""

    id: str = Field(examples=["848920371311001600"])
    name: str = Field(examples=["Technology"])
    description: str
    live_count: int = Field(description="live Spaces that have it now")


class TopicMeta(BaseModel):
    """About a list."""

    result_count: int


class TopicList(BaseModel):
    """Topics, in the order in which to show them; those that only hosts have named come last."""

    data: list[TopicOut]
    meta: TopicMeta


class Card(BaseModel):
    """What a page that shows a link says of it, as oEmbed 1.0 has it."""

    version: Literal["1.0"] = "1.0"
    type: Literal["link"] = "link"
    title: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    url: str = Field(description="the public link")
    description: str = Field(description="a sentence, for `og:description`")
    cache_age: int = Field(description="seconds")
