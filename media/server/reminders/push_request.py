"""A push as one HTTPS request: encrypted by pywebpush, sent by aiohttp, to public addresses alone.

Apart from :mod:`media.server.reminders.pusher`, which loads it with the first push: most servers never send one,
and its libraries would take a fifth of every start.
"""

import logging
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from pywebpush import WebPusher, WebPushException

from media.server.reminders.answer import Answer, Outcome, judge
from media.server.reminders.endpoint import is_public
from media.server.reminders.outbox import Message, Subscription

log = logging.getLogger(__name__)

TIMEOUT: Final = 15.0
"""Seconds for all of a request."""


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


class PushClient:
    """The connections to push services; made, used and closed on one event loop."""

    def __init__(self, *, private: bool) -> None:
        """``private``: whether pushes may go into private networks."""
        connector = aiohttp.TCPConnector(
            limit=64, limit_per_host=16, resolver=Resolver(private), ssl=ssl.create_default_context()
        )
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(
        self, subscription: Subscription, message: Message, signature: Mapping[str, str], now: float
    ) -> Answer:
        """Push a message; ``signature`` is the headers of VAPID, ``now`` in Unix seconds.  Does not raise."""
        headers = dict(signature) | {
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


class Resolver(AbstractResolver):
    """Finds the addresses of a name, without those that no push may go to."""

    def __init__(self, private: bool) -> None:
        self._names = ThreadedResolver()
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return addresses that may be connected to.

        :raises OSError: there are none
        """
        found = await self._names.resolve(host, port, family)
        allowed = [result for result in found if self._private or is_public(result["host"])]
        if not allowed:
            raise OSError(f"{host} leads into a private network")
        return allowed

    async def close(self) -> None:
        """Let go."""
        await self._names.close()
