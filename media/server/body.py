"""The limit on what a client may send, held while it is being sent.

A body is counted as it arrives and refused at the first byte too many, whatever its Content-Length claimed, so
that no request can make the server hold more than the limit.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.server.errors import Problem, respond

SDP_LIMIT: Final = 64 * 1024
"""Bytes of an offer; a browser's is below 8 KiB."""
JSON_LIMIT: Final = 1024 * 1024
"""Bytes of anything else; a call for 10,000 tokens is below 700 KiB."""


class TooLargeError(HTTPException):
    """The body went over the limit while it was read.  An HTTPException, which FastAPI lets pass."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, _sentence(limit), headers={"Connection": "close"})


class BodyLimit:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a ``receive`` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = SDP_LIMIT if {"whip", "whep"} & set(scope["path"].split("/")[-2:]) else JSON_LIMIT
        claimed = Headers(scope=scope).get("content-length", "")
        if claimed.isdecimal() and (len(claimed) > 12 or int(claimed) > limit):
            problem = Problem(413, "content-too-large", _sentence(limit), headers={"Connection": "close"})
            await respond(problem)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLargeError(limit)
            return message

        await self._app(scope, counted, send)


def _sentence(limit: int) -> str:
    return f"The body is larger than the {limit // 1024} KiB that this address takes."
