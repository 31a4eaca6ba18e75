"""Web Push on the wire (RFC 8030): encrypted for the browser (RFC 8291), signed for its push service (RFC 8292).

In a thread with an event loop of its own, because to encrypt a message takes a millisecond of a core, and to look
a name up may take seconds. Nothing is connected to before somebody has subscribed.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import aiohttp
from pywebpush import WebPusher, WebPushException
from yarl import URL

from media.server.reminders.endpoint import Resolver, fault_of
from media.server.reminders.outbox import Message, Subscription
from media.server.reminders.vapid import Vapid

log = logging.getLogger(__name__)

TIMEOUT: Final = 15.0
"""Seconds for all of a request."""
RETRY_MAX: Final = 3600.0
"""Seconds that a push service can ask us to wait."""


class Outcome(StrEnum):
    """What became of a push."""

    DONE = "done"
    GONE = "gone"
    """The subscription is dead."""
    REFUSED = "refused"
    """Nothing to be gained by trying again."""
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a push, and after how many seconds the push service wants to be asked again."""

    outcome: Outcome
    retry_after: float = 0.0


class _OneRequest:
    """The session as pywebpush uses it; follows no redirection and reads no body, which could be endless."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> "_Status":
        """Send a message."""
        limit = aiohttp.ClientTimeout(total=timeout)
        async with self._session.post(
            url, data=data, headers=dict(headers), timeout=limit, allow_redirects=False
        ) as response:
            status = _Status(response.status, response.headers.get("Retry-After", ""))
            response.close()
        return status


@dataclass(frozen=True, slots=True)
class _Status:
    status: int
    retry_after: str
    headers: str = ""

    async def text(self) -> str:
        """Stand for a body that nobody reads."""
        return ""


class Pusher:
    """:meth:`send` from the loop of the server; :meth:`close` at the end."""

    def __init__(self, vapid: Vapid, *, private: bool = False) -> None:
        """Take who signs, and whether pushes may go into private networks."""
        self._vapid = vapid
        self._private = private
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(self, subscription: Subscription, message: Message, now: float) -> Answer:
        """Push a message to a browser; ``now`` in Unix seconds.  Does not raise."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="push", daemon=True)
            self._thread.start()
        work = asyncio.run_coroutine_threadsafe(self._send(subscription, message, now), self._loop)
        return await asyncio.wrap_future(work)

    async def close(self) -> None:
        """End the thread, and what is under way in it."""
        if self._loop is None or self._thread is None:
            return
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._put_down(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()

    async def _put_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, subscription: Subscription, message: Message, now: float) -> Answer:
        if fault_of(subscription.endpoint, self._private):
            return Answer(Outcome.GONE)  # what was allowed when it was subscribed is not any more
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=64, limit_per_host=16, resolver=Resolver(self._private), ssl=ssl.create_default_context()
            )
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        headers = self._vapid.sign(str(URL(subscription.endpoint).origin()), now) | {
            "Topic": message.topic,
            "Urgency": "high" if message.urgent else "normal",
            "Content-Type": "application/octet-stream",
        }
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        one: Any = _OneRequest(self._session)
        try:
            pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys}, aiohttp_session=one)
            ttl = max(0, int(message.expires_at - now))
            status: Any = await pusher.send_async(message.payload, headers, ttl=ttl, timeout=TIMEOUT)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("A push service could not be reached: %s", error)
            return Answer(Outcome.LATER)
        except (WebPushException, ValueError) as error:
            log.warning("A message could not be encrypted for its browser: %s", error)
            return Answer(Outcome.GONE)
        return judge(status.status, status.retry_after, time.time())


def judge(status: int, retry_after: str, now: float) -> Answer:
    """Tell what a push service's answer means (RFC 8030); ``now`` in Unix seconds."""
    if 200 <= status < 300:
        return Answer(Outcome.DONE)
    if status in (404, 410):
        return Answer(Outcome.GONE)
    if status in (408, 425, 429) or status >= 500:
        return Answer(Outcome.LATER, min(RETRY_MAX, _seconds(retry_after, now)))
    log.warning("A push service refused a message with status %d.", status)
    return Answer(Outcome.REFUSED)


def _seconds(retry_after: str, now: float) -> float:
    """Read Retry-After (RFC 9110, section 10.2.3)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0
