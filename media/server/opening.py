"""Nothing but health, metrics and the page is served before all is there: relays ready, Spaces taken up again."""

from typing import Final

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from media.server.errors import Problem, respond

ALWAYS: Final = ("/healthz", "/metrics", "/openapi.json", "/")
PAGE: Final = ("/s/", "/web/")
"""How addresses of the page begin, which says itself why nothing can be joined yet."""


class Opening:
    """ASGI middleware that answers 503 while ``state.open`` is false."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or tell its sender to come back."""
        if scope["type"] != "http" or self._state.open or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        sentence = "The server is starting or ending; /healthz says when it is ready."
        refusal = respond(Problem(503, "starting", sentence, headers={"Retry-After": "1"}))
        await refusal(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in ALWAYS or path.startswith(PAGE)
