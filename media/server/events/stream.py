"""A stream on its connection: what its reader has is sent, until one of the two ends."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from media.server.connection import ABORT
from media.server.events.frame import MEDIA_TYPE, retry
from media.server.events.reader import Reader

RETRY: Final = 2000
"""Milliseconds after which a client is to come back."""
HEADERS: Final = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """An answer that lasts as long as its reader."""

    def __init__(self, reader: Reader, sent: Callable[[float], None], done: Callable[[Reader], None]) -> None:
        """Take what is to be sent.

        :param sent: is told since when the oldest of what was just written had waited
        :param done: is told when nothing more is sent
        """
        super().__init__(None, headers=HEADERS)
        del self.headers["content-length"]
        self._reader, self._sent, self._done = reader, sent, done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader is finished or dropped, or the client goes."""
        reader, news, me = self._reader, asyncio.Event(), asyncio.current_task()
        assert me is not None
        extensions: dict[str, Any] = scope.get("extensions", {})
        reader.wake = news.set
        reader.cut = extensions.get(ABORT, me.cancel)
        watching = asyncio.ensure_future(_watch(receive, reader))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": retry(RETRY), "more_body": True})
            while True:
                news.clear()
                if not reader.idle:
                    since = reader.since
                    await send({"type": "http.response.body", "body": reader.take(), "more_body": True})
                    self._sent(since)
                elif reader.over:
                    break
                else:
                    await news.wait()
            if reader.finished:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._done(reader)
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def _watch(receive: Receive, reader: Reader) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.leave()
