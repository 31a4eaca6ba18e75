"""X's envelope and X's errors: what went wrong with one of several things is told beside the others, in a 200.

Shapes and sentences are those of X API v2's OpenAPI document, version 2.98, and of the answers it gives.
"""

import json
import re
from typing import Annotated, Any, Final, Required

from fastapi import Response
from pydantic import Field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from media.server.errors import MEDIA_TYPE, Problem

_XS: Final = re.compile(r"/2/(spaces|users)(/by/[^/]+(/[^/]+)?|/[^/]+(/(buyers|tweets))?)?")
PROBLEMS: Final = "https://api.twitter.com/2/problems/"
_Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", examples=["2244994945"])]
_SpaceId = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]{1,13}$", examples=["1DXxyRYNejbKM"])]
_Time = Annotated[str, Field(examples=["2021-07-06T18:40:40.000Z"])]


class XSpace(TypedDict, total=False):
    """A Space as X shows it: `id` and `state`, and what `space.fields` names and the Space has."""

    id: Required[_SpaceId]
    state: Required[Annotated[str, Field(examples=["live"])]]
    title: str
    creator_id: _Number
    host_ids: list[_Number]
    speaker_ids: list[_Number]
    invited_user_ids: list[_Number]
    created_at: _Time
    scheduled_start: _Time
    started_at: _Time
    ended_at: _Time
    participant_count: int
    subscriber_count: int
    is_ticketed: bool
    lang: str
    topic_ids: list[str]


class XUser(TypedDict, total=False):
    """A user as X shows one: `id`, `name` and `username`, and what `user.fields` names and the user has."""

    id: Required[_Number]
    name: Required[str]
    username: Required[str]
    created_at: _Time
    protected: bool
    verified: bool
    public_metrics: dict[str, int]


class XTopic(TypedDict, total=False):
    """A topic."""

    id: Required[str]
    name: str
    description: str


class XPost(TypedDict, total=False):
    """A post as X shows one."""

    id: Required[_Number]
    text: Required[str]
    edit_history_tweet_ids: list[_Number]
    author_id: _Number
    created_at: _Time
    lang: str


class Includes(TypedDict, total=False):
    """What `expansions` named, once each."""

    users: list[XUser]
    topics: list[XTopic]


class PartialError(TypedDict):
    """Why one of the things asked for is not in `data`."""

    value: str
    detail: Annotated[str, Field(examples=["Could not find space with id: [1DXxyRYNejbKM]."])]
    title: Annotated[str, Field(examples=["Not Found Error"])]
    resource_type: Annotated[str, Field(examples=["space"])]
    parameter: Annotated[str, Field(examples=["id"])]
    resource_id: str
    type: Annotated[str, Field(examples=[PROBLEMS + "resource-not-found"])]


class Meta(TypedDict, total=False):
    """About a list."""

    result_count: Required[int]
    next_token: str
    previous_token: str


class _Answer(TypedDict, total=False):
    includes: Includes
    errors: list[PartialError]


class OneSpace(_Answer, total=False):
    """A Space, or why there is none."""

    data: XSpace


class SomeSpaces(_Answer, total=False):
    """Spaces."""

    data: list[XSpace]
    meta: Meta


class OneUser(_Answer, total=False):
    """A user, or why there is none."""

    data: XUser


class SomeUsers(_Answer, total=False):
    """Users."""

    data: list[XUser]
    meta: Meta


class SomePosts(_Answer, total=False):
    """Posts."""

    data: list[XPost]
    meta: Meta


class XProblem(TypedDict, total=False):
    """What went wrong (RFC 9457), with X's types."""

    title: Required[Annotated[str, Field(examples=["Invalid Request"])]]
    detail: Required[Annotated[str, Field(examples=["One or more parameters to your request was invalid."])]]
    type: Required[Annotated[str, Field(examples=[PROBLEMS + "invalid-request"])]]
    status: Required[Annotated[int, Field(examples=[400])]]
    errors: Annotated[list[dict[str, Any]], Field(description="one for each parameter that is wrong")]


class InvalidRequestError(Exception):
    """A request that X would not take."""

    def __init__(self, faults: list[tuple[str, list[str], str]]) -> None:
        """Take what is wrong: parameter, its values, a sentence."""
        super().__init__()
        self.faults = faults


def is_xs(path: str) -> bool:
    """Whether a path is one of X's, and answered as X does; there are others of ours under ``/2``."""
    return _XS.fullmatch(path) is not None


def answer(data: Any, *, includes: dict[str, Any], errors: list[Any], meta: dict[str, Any] | None) -> Response:
    """Write an envelope, without what is empty."""
    included = {name: part for name, part in includes.items() if part}
    parts = {"data": data, "includes": included, "errors": errors, "meta": meta}
    shown = {name: part for name, part in parts.items() if part}
    return Response(json.dumps(shown), media_type="application/json; charset=utf-8")


def not_found(kind: str, parameter: str, value: str) -> dict[str, str]:
    """Tell that one of the things asked for is not there."""
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }


def invalid(error: InvalidRequestError) -> Response:
    """Write a 400 as X does."""
    body = {
        "errors": [{"parameters": {name: values}, "message": sentence} for name, values, sentence in error.faults],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
        "status": 400,
    }
    return Response(json.dumps(body), 400, media_type=MEDIA_TYPE)


_TYPES: Final = {403: "client-forbidden", 404: "resource-not-found"}
_TITLES: Final = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found Error", 429: "Too Many Requests"}


def refusal(problem: Problem) -> Response:
    """Write any other refusal as X does: its titles and types, our sentence."""
    kind = _TYPES.get(problem.status)
    body = {
        "title": _TITLES.get(problem.status, "Error"),
        "detail": str(problem),
        "type": PROBLEMS + kind if kind else "about:blank",
        "status": problem.status,
    }
    return Response(json.dumps(body), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)
