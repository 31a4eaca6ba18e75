"""Erases evidence whose time is over: first the secret of its key, then the files, then a receipt.

Each step can be done twice, and none depends on memory: whatever is killed in between is taken up by the next run.
While a recording is being erased nobody can hold it any more, and the receipt is written when nothing is left.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from media.server.audit.audit import Act, Audit
from media.server.database_faults import StoreUnavailableError
from media.server.recordings.evidence_keys import EvidenceKeys
from media.server.recordings.slot_file import SlotError
from media.server.recordings.store import Recording, RecordingStore

log = logging.getLogger(__name__)

INTERVAL: Final = 600.0
"""Seconds between two runs."""
BATCH: Final = 500
"""Recordings that are erased together: their slots wait for the disk once."""


class Retention:
    """Driven by time; :meth:`run` is one run."""

    def __init__(
        self,
        store: RecordingStore,
        keys: Callable[[], EvidenceKeys],
        folder: Path,
        audit: Audit,
        clock: Callable[[], float],
    ) -> None:
        """Take the folder of all recordings, and a clock in Unix seconds."""
        self._store, self._keys, self._folder, self._audit, self._clock = store, keys, folder, audit, clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run now and then."""
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        """End at once; what is half done is taken up by the next process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> int:
        """Erase everything that is due; return how many recordings.

        :raises SlotError: a secret may still be there
        :raises StoreUnavailableError: the database is away
        """
        count = 0
        while due := await self._store.due(self._clock(), BATCH):
            begun = await self._store.begin_erasure([each.space_id for each in due])
            some = [each for each in due if each.space_id in begun]
            if not some:
                return count
            await asyncio.to_thread(self._destroy, some)
            async with self._store.database.begin() as connection:
                await self._store.note_erased(connection, [each.space_id for each in some], self._clock())
                await self._audit.write(connection, [_receipt(each) for each in some])
            count += len(some)
        return count

    def _destroy(self, some: Sequence[Recording]) -> None:
        self._keys().erase([(each.slot, each.commitment) for each in some])
        for each in some:
            shutil.rmtree(self._folder / each.space_id, ignore_errors=True)  # without its key it is noise

    async def _repeat(self) -> None:
        while True:
            try:
                if count := await self.run():
                    log.info("The evidence of %d Spaces was erased.", count)
            except (SlotError, StoreUnavailableError) as error:
                log.error("Evidence whose time is over is not erased yet: %s", error)
            await asyncio.sleep(INTERVAL)


def _receipt(recording: Recording) -> Act:
    rule = "a violation was found" if recording.violation else "no violation was found"
    reason = f"slot {recording.slot}, commitment {recording.commitment}; kept as long as {rule}"
    return Act("server", "erase evidence", recording.space_id, reason)
