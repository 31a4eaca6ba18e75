"""What must hold before a body is read, and what it may be at the most.

The route of a request is found first: its token is checked before a byte of the body is taken, and the body is
counted as it arrives and refused at the first byte too many, whatever its Content-Length claimed. JSON is refused,
too, before it is parsed, if it holds more values or nests deeper than the route's schema has use for.
"""

import time
from dataclasses import dataclass
from typing import Final

from fastapi.routing import APIRoute
from starlette.datastructures import Headers, State
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.server.body_bounds import SMALLEST, Bound, bound_of
from media.server.directory import Directory
from media.server.errors import Problem, problem_of, respond
from media.server.gates import Gate, admit, gate_of
from media.server.json_shape import depth_of, structure_of, values_in

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""Methods whose bodies no route reads."""


class TooLargeError(HTTPException):
    """The body went over the limit while it was read.  An HTTPException, which FastAPI lets pass."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, _sentence(limit))


class TooManyValuesError(HTTPException):
    """The body would be more work than it can be worth."""

    def __init__(self, sentence: str) -> None:
        super().__init__(422, sentence)


@dataclass(frozen=True, slots=True)
class _Terms:
    gate: Gate
    bound: Bound
    json: bool


_UNKNOWN: Final = _Terms(Gate.OPEN, SMALLEST, json=False)


class BodyLimit:
    """ASGI middleware in front of whatever reads bodies."""

    def __init__(self, app: ASGIApp, state: State, directory: Directory) -> None:
        """Take the directory in which all routes are that take a body."""
        self._app = app
        self._state = state
        self._directory = directory
        self._known: dict[int, _Terms] = {}
        """By the identity of a route."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a ``receive`` that counts, or refuse it."""
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        terms = self._terms(self._directory.find(scope["method"], scope["path"]))
        try:
            admit(terms.gate, scope, self._state)
            _check_claim(scope, terms.bound.size)
        except Problem as problem:
            await respond(problem)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, terms), send)

    def _terms(self, route: Route | None) -> _Terms:
        if not isinstance(route, APIRoute):
            return _UNKNOWN
        terms = self._known.get(id(route))
        if terms is None:
            terms = _Terms(gate_of(route), bound_of(route), route.body_field is not None)
            self._known[id(route)] = terms
        return terms


def _check_claim(scope: Scope, limit: int) -> None:
    claimed = Headers(scope=scope).get("content-length", "")
    if claimed.isdecimal() and (len(claimed) > 12 or int(claimed) > limit):
        raise problem_of(TooLargeError(limit), time.time())


def _counted(receive: Receive, terms: _Terms) -> Receive:
    bound, parts, received = terms.bound, list[bytes](), 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        part: bytes = message.get("body", b"")
        received += len(part)
        if received > bound.size:
            raise TooLargeError(bound.size)
        if terms.json and message["type"] == "http.request":
            parts.append(part)
            if not message.get("more_body"):
                check_shape(b"".join(parts), bound)
        return message

    return counted


def check_shape(text: bytes, bound: Bound) -> None:
    """Pass JSON that is within a bound.

    :raises TooManyValuesError: it is not
    """
    structure = structure_of(text)
    if values_in(structure) > bound.values:
        raise TooManyValuesError(f"The body has more than the {bound.values} values that this address takes.")
    if depth_of(structure, bound.depth) > bound.depth:
        raise TooManyValuesError(
            f"The body is nested deeper than the {bound.depth} levels that this address takes."
        )


def _sentence(limit: int) -> str:
    return f"The body is larger than the {limit // 1024} KiB that this address takes."
