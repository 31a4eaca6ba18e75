"""The OpenAPI document: what operations have in common is said once, here, and examples are made of the schemas.

Routes say what is their own: a sentence or more, their shapes, and the refusals that the rules give. What the
layers in front of them refuse (too many, too large, not JSON) stands in ``components`` and is added to each.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Header, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from media.server.body_bounds import MAX_BYTES, MAX_DEPTH, MAX_VALUES, bound_of
from media.server.compat.routes import XRoute
from media.server.errors import MEDIA_TYPE
from media.server.examples import example_of
from media.server.gates import Gate, gate_of

TAGS: Final[Mapping[str, str]] = {
    "Spaces": "A Space from draft to end.",
    "Discovery": "Which Spaces there are for somebody: the bubbles, search, topics, links.",
    "Asking to speak": "The queue: listeners ask, host and co-hosts approve or deny.",
    "Invitations": "Seats that are offered, to a person or to whoever holds a link.",
    "Participants": "Who has the right to speak, who is muted, who is out.",
    "In the room": "Reactions, raised hands, posts and messages.",
    "Media": "The sound: WHIP to speak, WHEP to listen, an SDP offer each.",
    "Events": "What happens, as it happens, by Server-Sent Events.",
    "Captions": "What speakers say, as lines of text, with their consent; transcripts.",
    "Tickets": "Spaces that cost something: prices, purchases, refunds, payouts.",
    "Reminders": "Who wants to be told that a Space starts, and how.",
    "Posts": "What people write, and Spaces are found and filled by.",
    "Finding people": "Who writes about something, and whom to invite for that.",
    "Replays": "Spaces that can be heard again, and the podcasts that they are episodes of.",
    "Downloads": "The data of a Space for its host, and one's own data, as one archive.",
    "Analytics": "What a host learns of a Space.",
    "Users": "Profiles.",
    "Following": "Who follows whom.",
    "Blocking": "Whom somebody keeps out.",
    "Host tools": "What holds for all Spaces of a host.",
    "Policies": "The dated rules that Spaces go by.",
    "Tokens": "What every other request is made with.",
    "X API v2": "Reads in X's envelope, for client libraries written for X: change their base address.",
    "Reports": "What somebody heard that should not be, and what came of it.",
    "Moderation": "For reviewers: cases, claims, decisions; for admins the log of them.",
    "Operation": "For whoever runs the service.",
}
"""Tag to description, in the order in which they are shown."""

PARAMETERS: Final[Mapping[str, tuple[str, str]]] = {
    "space_id": ("id of a Space", "1DXxyRYNejbKM"),
    "subscription_id": ("id of a browser's subscription, from its `Location`", "a31f0c52d8e94b7d"),
    "session_id": ("id of a media session, from the `Location` of its answer", "a31f0c52d8e94b7d"),
    "user_id": ("a user id, or `me`", "me"),
    "target_user_id": ("whom it is about", "ben"),
    "source_user_id": ("who asked", "cem"),
    "username": ("the handle, in upper or lower case", "ana"),
    "name": ("the name of a policy", "2021-08"),
    "ticket_id": ("id of a ticket", "a31f0c52d8e94b7d"),
    "post_id": ("id of a post", "1396580169512140802"),
    "campaign_id": ("id of a campaign, from its `Location`", "a31f0c52d8e94b7d"),
    "code": ("the secret in a link", "nJ7mVdQx3pW0aZ2c"),
    "limit": ("entries at the most", "100"),
    "max_results": ("entries of a page at the most", "100"),
}
"""What parameters mean that say nothing of their own, and an example."""

_SHARED: Final[Mapping[str, tuple[int, str]]] = {
    "BadRequest": (400, "A body that is no UTF-8, or an `Idempotency-Key` that is none."),
    "TooLarge": (413, "The body is larger than the `x-max-bytes` that this address takes."),
    "NotJson": (415, "The body is not of a media type that this address takes."),
    "TooMany": (429, "Too many requests of this kind; `Retry-After` says when to come back."),
    "Internal": (500, "The server failed at this; it has noted why."),
    "Starting": (503, "The server is starting or ending, or has no relay; see `Retry-After`."),
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repetition safe: the same key with the same request within 24 hours is answered as "
    "the first was, with `Idempotent-Replayed: true`, and done once. A UUID will do.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]{1,255}$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_FREE: Final = frozenset({"/healthz", "/metrics"})
"""What is neither limited nor kept back while the server starts."""


router: Final = APIRouter(include_in_schema=False)


class Document:
    """The document as it is sent: made when it is first asked for, beside the event loop, and never again."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: asyncio.Future[bytes] | None = None

    async def text(self) -> bytes:
        """Return the JSON."""
        if self._made is None or (self._made.done() and self._made.exception() is not None):
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._made)

    def _make(self) -> bytes:
        return json.dumps(self._app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()


@router.get("/openapi.json")
async def openapi(request: Request, if_none_match: Annotated[str, Header()] = "") -> Response:
    """Describe the API."""
    text = await request.app.state.document.text()
    tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in if_none_match or if_none_match == "*":
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


def install(app: FastAPI, routes: Sequence[BaseRoute], topics: int) -> None:
    """Let an app describe these routes; ``topics``: of a Space at the most, by any of its policies."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, routes, topics)
        return app.openapi_schema

    app.openapi = openapi
    app.state.document = Document(app)


def describe(app: FastAPI, routes: Sequence[BaseRoute], topics: int) -> dict[str, Any]:
    """Make the document; see :func:`install`."""
    found: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        summary="Social audio: Spaces over HTTP, their sound over WebRTC.",
        description=app.description,
        routes=routes,
        servers=[{"url": "/", "description": "this server"}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        separate_input_output_schemas=False,
    )
    components = found["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for name in ("NewSpace", "SpaceChange"):
        _limit(components["schemas"][name]["properties"]["topic_ids"], topics)
    components["responses"] = {name: _refusal(text) for name, (_, text) in _SHARED.items()}
    components["parameters"] = {"IdempotencyKey": _KEY}
    for route, method, operation in _operations(found, routes):
        _name(route, operation)
        _secure(route, operation)
        _bound(route, operation)
        _add_parameters(route.path, method, operation)
        _add_refusals(route, method, operation)
        _add_examples(operation, components)
    return found


def _limit(schema: dict[str, Any], items: int) -> None:
    """Say how many items an array has at the most, where null may stand in its place, too."""
    for each in (schema, *schema.get("anyOf", ())):
        if each.get("type") == "array":
            each["maxItems"] = min(items, each["maxItems"])


def _operations(
    found: Mapping[str, Any], routes: Sequence[BaseRoute]
) -> Iterator[tuple[APIRoute, str, dict[str, Any]]]:
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, method.lower(), found["paths"][route.path_format][method.lower()]


def _name(route: APIRoute, operation: dict[str, Any]) -> None:
    """Name an operation as a generated client would call its method, and sum it up by its first sentence."""
    first, *others = route.name.split("_")
    name = first + "".join(word.capitalize() for word in others)
    operation["operationId"] = "x" + name[0].upper() + name[1:] if isinstance(route, XRoute) else name
    sentence = re.split(r"(?<=[.:])\s", operation.get("description", "").strip(), maxsplit=1)[0]
    operation["summary"] = sentence.rstrip(".:")


def _secure(route: APIRoute, operation: dict[str, Any]) -> None:
    match gate_of(route):
        case Gate.OPTIONAL | Gate.OWNER_OR_NOBODY:
            operation["security"] = [{"token": []}, {}]
        case Gate.OPEN:
            operation["security"] = []
        case _:
            pass


def _bound(route: APIRoute, operation: dict[str, Any]) -> None:
    """State how large the body may be."""
    if "requestBody" in operation:
        bound = bound_of(route)
        operation["requestBody"][MAX_BYTES] = bound.size
        if route.body_field is not None:
            operation["requestBody"] |= {MAX_VALUES: bound.values, MAX_DEPTH: bound.depth}


def _add_parameters(path: str, method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        text, example = PARAMETERS.get(parameter["name"], ("", None))
        schema = parameter["schema"]
        if not parameter.get("description"):
            parameter["description"] = text
        if "example" not in parameter:
            known = schema.get("examples") or schema.get("enum")
            if parameter["in"] == "path":
                known = known or ([example] if example else None)
                schema.setdefault("minLength", 1)
            if known:
                parameter["example"] = known[0]
    if method == "post" and not path.endswith(("/whip", "/whep")):
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})


def _add_refusals(route: APIRoute, method: str, operation: dict[str, Any]) -> None:
    path = route.path
    answers = operation["responses"]
    for status, answer in answers.items():
        if status >= "400" and MEDIA_TYPE in answer.get("content", {}):
            answer["content"] = {MEDIA_TYPE: answer["content"][MEDIA_TYPE]}
        if "HTTPValidationError" in str(answer.get("content", "")):
            answers[status] = _refusal("A parameter or the body is wrong; `errors` says where.")
    if isinstance(route, XRoute):
        answers.pop("422", None)  # X says 400
        answers["429"] = answers["401"] | {"description": _SHARED["TooMany"][1]}
    elif operation["security"]:
        answers.setdefault("401", _refusal("There is no token, or it has expired or is none of this server's."))
        answers.setdefault("403", _refusal("The account is suspended, or the host of the Space has blocked it."))
    if method == "post" and "409" not in answers and not path.endswith(("/whip", "/whep")):
        answers["409"] = _refusal("The first request with this `Idempotency-Key` is still at work.")
    takes = operation.get("requestBody")
    names = {"Internal"} if path in _FREE else {"TooMany", "Internal", "Starting"}
    names |= {"TooLarge", "NotJson", "BadRequest"} if takes else set()
    names |= {"BadRequest"} if method == "post" else set()
    for name in names:
        answers.setdefault(str(_SHARED[name][0]), {"$ref": f"#/components/responses/{name}"})
    operation["responses"] = dict(sorted(answers.items()))


def _add_examples(operation: dict[str, Any], components: Mapping[str, Any]) -> None:
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [a.get("content", {}) for status, a in operation["responses"].items() if status < "300"]
    for content in contents:
        media = content.get("application/json")
        if media and "example" not in media and "examples" not in media:
            media["example"] = example_of(media["schema"], components)


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
