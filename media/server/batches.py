"""Group commit: whatever waits to be written down is written in one transaction, for which all of it waits.

A transaction takes milliseconds however little is in it, and a database takes one at a time. While one is under
way the next gathers, so that a thousand changes a second cost a few dozen transactions. Nobody is answered before
the transaction with their change is over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

from media.server.database_faults import StoreUnavailableError

Item = TypeVar("Item", bound=Hashable)

MOST: Final = 500
"""Items of one batch, so that those who wait do not wait for ever more."""


class Batches(Generic[Item]):
    """Gathers items, and hands them to a writer in batches, one at a time."""

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[None]],
        give_up: Callable[[Item], None] = lambda _: None,
    ) -> None:
        """Take what writes a batch: all of it, or it raises; and what is told of an item that is not written."""
        self._write = write
        self._give_up = give_up
        self._waiting: dict[Item, asyncio.Future[None]] = {}
        self._under_way: dict[Item, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: Item, *, fresh: bool) -> None:
        """Wait until an item is written: in the next batch if it is ``fresh``, else in one that has it already.

        :raises Exception: what the writer raised for it
        """
        if fresh and item not in self._waiting:
            self._waiting[item] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._run())
        written = self._waiting.get(item) or self._under_way.get(item)
        if written is not None:
            await asyncio.shield(written)

    async def _run(self) -> None:
        while self._waiting:
            batch = list(self._waiting)[:MOST]
            self._under_way = {item: self._waiting.pop(item) for item in batch}
            try:
                await self._write(batch)
            except Exception as error:
                await self._one_by_one(batch, error)
            for written in self._under_way.values():
                if not written.done():
                    written.set_result(None)
            self._under_way = {}
        self._task = None

    async def _one_by_one(self, batch: Sequence[Item], error: Exception) -> None:
        """Write each alone, so that one that cannot be written does not keep the others back.

        Unless the store is away: then each would wait, and fail like the first.
        """
        for item in batch:
            try:
                if len(batch) == 1 or isinstance(error, StoreUnavailableError):
                    raise error
                await self._write([item])
            except Exception as its_own:
                self._give_up(item)
                self._under_way[item].set_exception(its_own)
                self._under_way[item].exception()  # whoever waited may be gone
