"""Web Push on the wire (RFC 8030): encrypted for the browser (RFC 8291), signed for its push service (RFC 8292).

In a thread with an event loop of its own, because to encrypt a message takes a millisecond of a core, and to look
a name up may take seconds. Nothing is connected to before somebody has subscribed.
"""

import asyncio
import threading
from typing import TYPE_CHECKING

from yarl import URL

from media.server.reminders.answer import Answer, Outcome
from media.server.reminders.endpoint import fault_of
from media.server.reminders.outbox import Message, Subscription
from media.server.reminders.vapid import Vapid

if TYPE_CHECKING:
    from media.server.reminders.push_request import PushClient


class Pusher:
    """:meth:`send` from the loop of the server; :meth:`close` at the end."""

    def __init__(self, vapid: Vapid, *, private: bool = False) -> None:
        """Take who signs, and whether pushes may go into private networks."""
        self._vapid = vapid
        self._private = private
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: PushClient | None = None

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
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _send(self, subscription: Subscription, message: Message, now: float) -> Answer:
        from media.server.reminders.push_request import PushClient

        if fault_of(subscription.endpoint, self._private):
            return Answer(Outcome.GONE)  # what was allowed when it was subscribed is not any more
        if self._client is None:
            self._client = PushClient(private=self._private)
        signature = self._vapid.sign(str(URL(subscription.endpoint).origin()), now)
        return await self._client.send(subscription, message, signature, now)
