"""A stream on its connection: what its reader has is sent, until one of the two ends."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from media.server.events.frame import HEARTBEAT, MEDIA_TYPE, retry
from media.server.events.reader import Reader

BEAT: Final = 15.0
"""Seconds without an event after which a comment is sent."""
RETRY: Final = 2000
"""Milliseconds after which a client is to come back."""
ABORT: Final = "spaces.abort"
"""ASGI extension of our server: ends a connection without sending what it still holds."""


class EventStream(Response):
    """An answer that lasts as long as its reader."""

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, reader: Reader, done: Callable[[Reader], None]) -> None:
        """Take what is to be sent; ``done`` is told when nothing more can be."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Type": MEDIA_TYPE}
        super().__init__(None, headers=headers)
        del self.headers["content-length"]
        self._reader, self._done = reader, done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader is finished or dropped, or the client goes."""
        reader, news, me = self._reader, asyncio.Event(), asyncio.current_task()
        assert me is not None
        extensions: dict[str, Any] = scope.get("extensions", {})
        reader.wake = news.set
        reader.cut = extensions.get(ABORT, me.cancel)
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: reader.leave())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": retry(RETRY), "more_body": True})
            while not reader.over or not reader.idle:
                if reader.idle:
                    try:
                        await asyncio.wait_for(news.wait(), BEAT)
                    except TimeoutError:
                        await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
                news.clear()
                if not reader.idle:
                    await send({"type": "http.response.body", "body": reader.take(), "more_body": True})
            if not reader.dropped:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._done(reader)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
