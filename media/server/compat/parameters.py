"""The parameters of X's endpoints: read, refused as X refuses them, and described from one table.

Lists are comma-separated. What an endpoint does not know is refused and not overlooked, as X does it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from media.server.compat.answers import InvalidRequestError
from media.server.errors import Problem
from media.server.paging import Page


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query."""

    name: str
    about: str
    choices: tuple[str, ...] = ()
    """What it takes; empty if ``pattern`` says."""
    pattern: str = ""
    """For each value."""
    most: int = 1
    """Values it takes."""
    required: bool = False
    default: str = ""
    number: tuple[int, int] | None = None
    """Least and greatest, if it is a number."""
    example: str = ""

    def read(self, text: str) -> list[str]:
        """Return its values.

        :raises ValueError: a sentence about what is wrong
        """
        values = text.split(",") if self.most > 1 else [text]
        if len(values) > self.most:
            raise ValueError(f"size must be between 1 and {self.most}")
        if self.choices and len(set(values)) < len(values):
            raise ValueError(f"The `{self.name}` query parameter names a value twice")
        for value in values:
            if self.choices and value not in self.choices:
                raise ValueError(f"The `{self.name}` query parameter value [{value}] is not one of {self._list()}")
            if self.pattern and not re.fullmatch(self.pattern, value):
                raise ValueError(
                    f"The `{self.name}` query parameter value [{value}] does not match {self.pattern}"
                )
            if self.number and not (value.isascii() and value.isdecimal() and len(value) < 6):
                raise ValueError(f"The `{self.name}` query parameter value [{value}] is not a number")
            if self.number and not self.number[0] <= int(value) <= self.number[1]:
                raise ValueError(
                    f"The `{self.name}` query parameter value [{value}] is not between "
                    f"{self.number[0]} and {self.number[1]}"
                )
        return list(dict.fromkeys(values))

    def document(self) -> dict[str, Any]:
        """Describe it for the OpenAPI document."""
        schema: dict[str, Any] = {"type": "string"}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.pattern:
            schema["pattern"] = f"^{self.pattern}$"
        if self.number:
            schema = {"type": "integer", "minimum": self.number[0], "maximum": self.number[1]}
        if self.default:
            schema["default"] = int(self.default) if self.number else self.default
        described: dict[str, Any] = {"name": self.name, "in": "query", "required": self.required}
        described |= {"description": self.about, "schema": schema}
        example: Any = self.example or (self.choices[0] if self.choices else self.default)
        if self.most > 1:
            described |= {"style": "form", "explode": False}
            described["schema"] = {"type": "array", "items": schema, "minItems": 1, "maxItems": self.most}
            described["schema"] |= {"uniqueItems": True} if self.choices else {}
            example = [example]
        return described | {"example": int(example) if self.number else example}

    def _list(self) -> str:
        return "[" + ",".join(self.choices) + "]"


class Asked:
    """What the endpoints of one kind can be asked."""

    def __init__(self, *parameters: Parameter) -> None:
        self._parameters: Mapping[str, Parameter] = {each.name: each for each in parameters}

    def read(self, query: QueryParams) -> dict[str, list[str]]:
        """Return the values of every parameter; none of those that were not sent and have no default.

        :raises InvalidRequestError: naming everything that is wrong
        """
        faults: list[tuple[str, list[str], str]] = []
        values = {name: [p.default] if p.default else [] for name, p in self._parameters.items()}
        for name in dict.fromkeys(query.keys()):
            sent = query.getlist(name)
            parameter = self._parameters.get(name)
            if parameter is None:
                known = ",".join(self._parameters)
                faults.append((name, sent, f"The query parameter [{name}] is not one of [{known}]"))
                continue
            try:
                values[name] = parameter.read(",".join(sent))
            except ValueError as error:
                faults.append((name, sent, str(error)))
        for name, parameter in self._parameters.items():
            if parameter.required and name not in query:
                faults.append((name, [], f"The `{name}` query parameter can not be empty"))
        if faults:
            raise InvalidRequestError(faults)
        return values

    def document(self) -> dict[str, Any]:
        """Describe them for an operation of the OpenAPI document."""
        return {"parameters": [each.document() for each in self._parameters.values()]}


def _fields(name: str, about: str, choices: str) -> Parameter:
    names = tuple(choices.split())
    return Parameter(name, about, choices=names, most=len(names))


SPACE_FIELDS: Final = _fields(
    "space.fields",
    "what to show of Spaces beside `id` and `state`",
    "created_at creator_id ended_at host_ids id invited_user_ids is_ticketed lang participant_count "
    "scheduled_start speaker_ids started_at state subscriber_count title topic_ids topics updated_at",
)
USER_FIELDS: Final = _fields(
    "user.fields",
    "what to show of users beside `id`, `name` and `username`; those that this service has not are left out",
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified "
    "location most_recent_post_id most_recent_tweet_id name parody pinned_post_id pinned_tweet_id "
    "profile_banner_url profile_image_url protected public_metrics receives_your_dm subscriber_count "
    "subscribes_to_you subscription subscription_type url username "
    "verified verified_followers_count verified_type withheld",
)
TOPIC_FIELDS: Final = _fields(
    "topic.fields", "what to show of topics beside `id` and `name`", "description id name"
)
_OF_POSTS: Final = (
    "article article_title attachments author_id card_uri community_id context_annotations conversation_id "
    "created_at display_text_range edit_controls edit_history_post_ids edit_history_tweet_ids entities geo id "
    "in_reply_to_user_id lang matched_media_notes media_metadata non_public_metrics note_post "
    "note_request_suggestions note_tweet organic_metrics paid_partnership possibly_sensitive promoted_metrics "
    "public_metrics referenced_posts referenced_tweets reply_settings scopes source suggested_source_links "
    "suggested_source_links_with_counts text username withheld"
)
"""Of posts, which X calls tweets in some of its documents: it takes either word."""
POST_FIELDS: Final = _fields(
    "tweet.fields",
    "what to show of posts beside `id`, `text` and `edit_history_tweet_ids`",
    _OF_POSTS,
)
POST_FIELDS_TOO: Final = _fields("post.fields", "the same as `tweet.fields`", _OF_POSTS)
MEDIA_FIELDS: Final = _fields(
    "media.fields",
    "posts have no media here, so this adds nothing",
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics "
    "public_metrics type url variants width",
)
POLL_FIELDS: Final = _fields(
    "poll.fields",
    "posts have no polls here, so this adds nothing",
    "duration_minutes end_datetime id options voting_status",
)
PLACE_FIELDS: Final = _fields(
    "place.fields",
    "posts have no places here, so this adds nothing",
    "contained_within country country_code full_name geo id name place_type",
)
SPACE_EXPANSIONS: Final = _fields(
    "expansions",
    "which ids to show in full under `includes`",
    "creator_id host_ids invited_user_ids speaker_ids topic_ids topics_ids",
)
USER_EXPANSIONS: Final = _fields(
    "expansions",
    "neither posts nor affiliations are part of a user here, so this adds nothing",
    "affiliation.user_id affiliation most_recent_post_id most_recent_tweet_id pinned_post_id pinned_tweet_id",
)
POST_EXPANSIONS: Final = _fields(
    "expansions",
    "which ids to show in full under `includes`; this service has authors alone",
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_post "
    "attachments.media_source_tweet attachments.poll_ids author_id author_screen_name edit_history_post_ids "
    "edit_history_tweet_ids entities.mentions.username entities.note.mentions.username geo.place_id "
    "in_reply_to_user_id referenced_posts.id referenced_posts.id.attachments.media_keys "
    "referenced_posts.id.author_id referenced_tweets.id referenced_tweets.id.attachments.media_keys "
    "referenced_tweets.id.author_id",
)
IDS: Final = Parameter(
    "ids",
    "Spaces, up to 100",
    pattern="[a-zA-Z0-9]{1,13}",
    most=100,
    required=True,
    example="1DXxyRYNejbKM",
)
_NUMBER: Final = "[0-9]{1,19}"
USER_IDS: Final = Parameter(
    "user_ids", "their creators, up to 100", pattern=_NUMBER, most=100, required=True, example="2244994945"
)
USERS: Final = Parameter("ids", "users, up to 100", pattern=_NUMBER, most=100, required=True, example="2244994945")
USERNAMES: Final = Parameter(
    "usernames",
    "users, up to 100",
    pattern="[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    most=100,
    required=True,
    example="ana",
)
QUERY: Final = Parameter(
    "query", "words of the title", pattern=r"[^\x00]{1,2048}", required=True, example="launch"
)
STATE: Final = Parameter("state", "of which state", choices=("all", "live", "scheduled"), default="all")
MAX_RESULTS: Final = Parameter("max_results", "entries at the most", number=(1, 100), default="100")
PAGINATION_TOKEN: Final = Parameter(
    "pagination_token", "`meta.next_token` of the page before", pattern=r"[A-Za-z0-9_=-]{1,200}", example="Mg=="
)


def place_of(page: Page) -> str:
    """Return where the last page ended.

    :raises InvalidRequestError: the token is none
    """
    try:
        return page.after()
    except Problem:
        sentence = "Invalid `pagination_token`; send `meta.next_token` as it was."
        raise InvalidRequestError([(PAGINATION_TOKEN.name, [page.token or ""], sentence)]) from None
