"""The short way to the sound: WHEP past the router, with the same handlers and the same answers.

A notification brings everyone in the same minute, and then finding the route and working out the handler's
arguments would be most of what a listener's request costs the control plane. These two requests of a crowd skip
that; what else there is, whatever has a query but for what brought the listener, and the document of the API, is
the router's.
"""

import re
from typing import Final, get_args

from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from media.server import whip
from media.server.auth import bearer, caller_or_nobody, owner_or_nobody
from media.server.errors import REFUSALS, problem_of, respond
from media.server.sessions import Source

_POST: Final = re.compile(r"/spaces/([^/]+)/whep")
_WAYS: Final[tuple[Source, ...]] = get_args(Source)
_SOURCES: Final[dict[bytes, Source]] = {b"": "direct", **{f"source={way}".encode(): way for way in _WAYS}}
"""What stands for what brought the listener, by the query that says it."""
_DELETE: Final = re.compile(r"/spaces/([^/]+)/whep/([^/]+)")


class Lane:
    """ASGI middleware that answers a listener's POST and DELETE itself."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state
        self._post, self._delete = _route(whip.listen), _route(whip.stop_listening)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a listener, or pass the request on."""
        method = scope["method"] if scope["type"] == "http" and scope["query_string"] in _SOURCES else ""
        if method == "POST" and (match := _POST.fullmatch(scope["path"])):
            route = self._post
        elif method == "DELETE" and not scope["query_string"] and (match := _DELETE.fullmatch(scope["path"])):
            route = self._delete
        else:
            await self._app(scope, receive, send)
            return
        scope["route"] = route  # by which requests are counted
        try:
            response = await self._answer(Request(scope, receive, send), *match.groups())
        except REFUSALS as error:
            response = respond(problem_of(error, self._state.spaces.clock()))
        await response(scope, receive, send)

    async def _answer(self, request: Request, space_id: str, session_id: str | None = None) -> Response:
        admission = self._state.admission
        credentials = await bearer(request)
        if session_id is None:
            who = await caller_or_nobody(request, credentials)
            source = _SOURCES[request.scope["query_string"]]
            return await whip.listen(space_id, who, request, admission, source=source)
        await whip.stop_listening(space_id, session_id, await owner_or_nobody(request, credentials), admission)
        return Response(status_code=204)


def _route(handler: object) -> BaseRoute:
    return next(route for route in whip.router.routes if getattr(route, "endpoint", None) is handler)
