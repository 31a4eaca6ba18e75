"""What went wrong, told as ``application/problem+json`` (RFC 9457): a stable type, a status and one sentence.

Refusals come from three places (the rules of a Space, the relay, HTTP itself) and leave through here, so that a
client needs to understand one shape only.
"""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from media.moderation import errors as moderation
from media.relay.plane import OfferError, PlaneError, RelayFullError, RelayLostError
from media.server.database_faults import RETRY, StoreUnavailableError, UnwrittenError
from media.space import errors as space

MEDIA_TYPE: Final = "application/problem+json"
FAULTS_SHOWN: Final = 10
"""Faults of a request that are listed; there may be one for each value of its body."""
_SHOWN: Final = 64
"""Characters of a field's name that are shown; the client chose it."""
RELAY_RETRY: Final = 5
"""Seconds after which a full relay may have room again: about the time in which listeners come and go."""


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """A refusal on its way to the client."""

    def __init__(self, status: int, slug: str, sentence: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.slug = slug
        self.headers = headers or {}


_SPACE: Final[dict[type[space.SpaceError], tuple[int, str]]] = {
    space.WrongStateError: (409, "wrong-state"),
    space.NoRightError: (403, "no-right"),
    space.UnknownPersonError: (404, "unknown-person"),
    space.UnknownLinkError: (404, "unknown-link"),
    space.RemovedError: (403, "removed"),
    space.SeatsFullError: (409, "seats-full"),
    space.CoolDownError: (429, "cool-down"),
    space.MutedError: (409, "muted-by-admin"),
    space.NoEntryError: (403, "no-entry"),
    space.SlowEntryError: (429, "slow-entry"),
    space.NotEligibleError: (403, "not-eligible"),
    space.BadInputError: (422, "bad-input"),
}


_MODERATION: Final[dict[type[moderation.ModerationError], tuple[int, str]]] = {
    moderation.WrongCaseStateError: (409, "wrong-case-state"),
    moderation.LeaseLostError: (409, "lease-lost"),
    moderation.NotThisReviewerError: (403, "not-this-reviewer"),
    moderation.TooLateError: (409, "too-late"),
    moderation.TooManyReportsError: (429, "too-many-reports"),
    moderation.BadStatementError: (422, "bad-statement"),
}
"""All others are 422."""


REFUSALS: Final = (
    Problem,
    space.SpaceError,
    moderation.ModerationError,
    OfferError,
    RelayFullError,
    PlaneError,
    StoreUnavailableError,
    HTTPException,
)
"""What may be raised on the way to an answer, and is one."""


def problem_of(error: Exception, now: float) -> Problem:
    """Translate any refusal that can reach the edge; ``now`` in Unix seconds."""
    match error:
        case Problem():
            return error
        case space.SpaceError():
            status, slug = _SPACE[type(error)]
            wait = None if error.retry_at is None else max(1, math.ceil(error.retry_at - now))
            return Problem(status, slug, str(error), headers={"Retry-After": str(wait)} if wait else None)
        case moderation.ModerationError():
            status, slug = _MODERATION.get(type(error), (422, "bad-input"))
            return Problem(status, slug, str(error))
        case OfferError():
            return Problem(400, "bad-offer", str(error))
        case RelayFullError():
            sentence = str(error) or "The relay has no place for one more connection."
            return Problem(503, "relay-full", sentence, headers={"Retry-After": str(RELAY_RETRY)})
        case RelayLostError():
            return Problem(503, "relay-lost", str(error), headers={"Retry-After": "1"})
        case PlaneError():
            return Problem(409, "not-live", "The media of this Space has just ended.")
        case StoreUnavailableError():
            return _of_store(error)
        case RequestValidationError():
            return Problem(422, "bad-input", _sentence_of(error.errors()))
        case HTTPException():
            return _of_http(error)
        case _:
            return Problem(500, "internal", "The server failed at this; it has noted why.")


def respond(problem: Problem, **more: object) -> JSONResponse:
    """Write a problem as a response."""
    body = {
        "type": f"urn:spaces-lab:problem:{problem.slug}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": str(problem),
        **more,
    }
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of an app leave as a problem."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, RequestValidationError):
            return _invalid(request, error.errors())
        problem = problem_of(error, request.app.state.spaces.clock())
        if problem.status == 405:
            problem.headers["Allow"] = ", ".join(allowed_methods(request))
        return respond(problem)

    for kind in (*REFUSALS, RequestValidationError, Exception):
        app.add_exception_handler(kind, handle)


Faults = Sequence[dict[str, Any]]
"""What pydantic found wrong with a request."""


def _invalid(request: Request, faults: Faults) -> JSONResponse:
    """Answer a request whose parameters or body are wrong; the first faults are listed, and all are counted."""
    if _is_foreign(request, faults):
        sentence = "The body must be JSON; send it with Content-Type: application/json."
        return respond(Problem(415, "not-json", sentence, headers={"Accept": "application/json"}))
    shown = [{"at": _where(fault), "detail": str(fault["msg"])} for fault in faults[:FAULTS_SHOWN]]
    return respond(Problem(422, "bad-input", _sentence_of(faults)), errors=shown, error_count=len(faults))


def _is_foreign(request: Request, faults: Faults) -> bool:
    """Whether a body is wrong because it is of another media type than JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return not is_json and any(f["loc"][0] == "body" and f["type"] != "missing" for f in faults)


def allowed_methods(request: Request) -> list[str]:
    """Return every method that the path of a request knows, over all routes."""
    table: dict[str, set[str]] = request.app.state.methods
    template: str = getattr(request.scope.get("route"), "path", "")
    return sorted(table.get(template, set()))


def _of_store(error: StoreUnavailableError) -> Problem:
    """Return what a caller is told; the cause is for the operator, and in the log."""
    if isinstance(error, UnwrittenError):
        sentence = (
            "This is carried out and holds, but the store is not available: it is written down as soon as "
            "the store is back, and would be lost if the server ended before."
        )
    else:
        sentence = "The store is not available, so nothing was changed; ask again in a moment."
    return Problem(503, "store-unavailable", sentence, headers={"Retry-After": str(RETRY)})


_HTTP: Final = {
    400: "bad-body",
    404: "not-found",
    405: "method-not-allowed",
    413: "content-too-large",
    422: "bad-input",
}


def _of_http(error: HTTPException) -> Problem:
    slug = _HTTP.get(error.status_code, "http")
    sentence = error.detail
    if error.status_code == 404:
        sentence = "There is nothing at this address; /openapi.json lists what there is."
    elif error.status_code == 405:
        sentence = "This address does not know that method; the Allow header lists those it knows."
    elif error.status_code == 400:
        sentence = "The body of the request could not be read; it should be JSON in UTF-8."
    return Problem(error.status_code, slug, sentence, headers=dict(error.headers or {}))


def _sentence_of(faults: Faults) -> str:
    fault = faults[0]
    more = f" (and {len(faults) - 1} more, see errors)" if len(faults) > 1 else ""
    return f"{_where(fault)}: {fault['msg']}{more}."


def _where(fault: dict[str, Any]) -> str:
    return ".".join(str(part)[:_SHOWN] for part in fault["loc"])
