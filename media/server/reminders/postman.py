"""Brings what waits in the outbox to its browsers, a few at a time, and tries again what could not be brought."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from media.server.database_faults import StoreUnavailableError
from media.server.reminders.answer import Outcome
from media.server.reminders.outbox import Outbox, Waiting
from media.server.reminders.pusher import Pusher

log = logging.getLogger(__name__)

AT_ONCE: Final = 32
"""Messages under way at a time."""
ATTEMPTS: Final = 6
"""How often one is tried."""
BACKOFF: Final = 15.0
"""Seconds until the second attempt; doubled for each further one."""
REST: Final = 5.0
"""Seconds until the store is tried again after it failed."""


class Postman:
    """Driven by :meth:`wake`, and by a task of its own."""

    def __init__(self, outbox: Outbox, pusher: Pusher, clock: Callable[[], float]) -> None:
        """Take a clock in Unix seconds."""
        self._outbox = outbox
        self._pusher = pusher
        self._clock = clock
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin, with what the last process left."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End; what is under way is brought again by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._pusher.close()

    def wake(self) -> None:
        """Look into the outbox."""
        self._news.set()

    async def deliver(self) -> None:
        """Bring all whose time has come."""
        while batch := await self._outbox.due(self._clock(), AT_ONCE):
            await asyncio.gather(*(self._bring(waiting) for waiting in batch))

    async def _bring(self, waiting: Waiting) -> None:
        now, message = self._clock(), waiting.message
        if message.expires_at <= now:
            await self._outbox.done(waiting.id)
            return
        answer = await self._pusher.send(waiting.subscription, message, now)
        attempts = waiting.attempts + 1
        match answer.outcome:
            case Outcome.GONE:
                await self._outbox.drop(waiting.subscription.id)
            case Outcome.LATER if attempts < ATTEMPTS:
                wait = max(answer.retry_after, BACKOFF * 2**waiting.attempts)
                await self._outbox.postpone(waiting.id, attempts, now + wait)
            case _:
                await self._outbox.done(waiting.id)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self.deliver()
                due = await self._outbox.next_due()
                wait = None if due is None else max(0.05, due - self._clock())
            except StoreUnavailableError:  # which is in the log already
                wait = REST
            except SQLAlchemyError:
                log.exception("Push messages wait for the store.")
                wait = REST
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
