"""Puts archives together one after the other, in the background; each is kept for a week.

What was asked for is in the store: a process that dies leaves it there, and the next one begins it anew.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from media.server.database_faults import StoreUnavailableError
from media.server.downloads.archive import Step, write_archive
from media.server.downloads.store import Download, DownloadState, DownloadStore
from media.server.errors import Problem

log = logging.getLogger(__name__)

FOLDER: Final = "downloads"
"""In the data folder."""
KEPT: Final = 7 * 86_400.0
"""Seconds for which an archive can be fetched."""
LOOK: Final = 600.0
"""Seconds between two looks at what has expired."""
REST: Final = 30.0
"""Seconds until the store is tried again after it failed."""
Gather = Callable[[Download], Awaitable[Sequence[Step]]]
"""Returns what an archive is made of."""


class Downloads:
    """Between :meth:`open` and :meth:`close`."""

    def __init__(self, data: Path, store: DownloadStore, gather: Gather, clock: Callable[[], float]) -> None:
        """Take the data folder, and a clock in Unix seconds."""
        self.store = store
        self._folder, self._gather, self._clock = data / FOLDER, gather, clock
        self._progress: dict[str, float] = {}
        self._news = asyncio.Event()
        self._sweeping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take up what the last process left."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End at once; an archive that is half made is begun anew by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def ask(self, user_id: str, space_id: str = "") -> Download:
        """Have an archive made; whoever has asked already gets the same."""
        await self.store.expire(self._clock())
        download = await self.store.ask(user_id, space_id, self._clock())
        self._news.set()
        return download

    async def known(self, user_id: str, space_id: str = "") -> Download:
        """Return what was asked for.

        :raises Problem: 404, nothing was, or its time is over
        """
        download = await self.store.find(user_id, space_id)
        if download is None or (download.expires_at is not None and download.expires_at <= self._clock()):
            raise Problem(
                404, "unknown-download", "There is no archive; ask for one with POST, it is kept a week."
            )
        return download

    async def ready(self, user_id: str, space_id: str = "") -> Download:
        """Return an archive that can be fetched.

        :raises Problem: 404, there is none; 409, it is not ready
        """
        download = await self.known(user_id, space_id)
        if download.state is not DownloadState.READY:
            sentence = download.fault or "The archive is being put together; ask again when its state is ready."
            raise Problem(409, "download-waiting", sentence)
        return download

    def progress_of(self, download: Download) -> float:
        """Return how much of an archive is there, 0 to 1."""
        return 1.0 if download.state is DownloadState.READY else self._progress.get(download.id, 0.0)

    def path_of(self, download: Download) -> Path:
        """Return where the file of an archive is."""
        return self._folder / f"{download.id}.zip"

    async def sweep(self) -> None:
        """Make what waits, and delete what has expired, or what a process left that died."""
        async with self._sweeping:
            await self.store.expire(self._clock())
            kept = {f"{number}.zip" for number in await self.store.ready()}
            await asyncio.to_thread(_tidy, self._folder, kept)
            while (download := await self.store.waiting()) is not None:
                await self._make(download)

    async def _make(self, download: Download) -> None:
        try:
            written = await write_archive(
                self.path_of(download),
                await self._gather(download),
                lambda share: self._progress.__setitem__(download.id, share),
            )
        except StoreUnavailableError:
            raise
        except Exception as error:
            log.exception("The archive of %s cannot be made.", download.space_id or download.user_id)
            why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            await self.store.fail(
                download.id, f"The archive could not be written ({why}); ask for it again when that is mended."
            )
        else:
            now = self._clock()
            await self.store.finish(download.id, now, now + KEPT, written.size, written.digest)
        finally:
            self._progress.pop(download.id, None)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            wait = LOOK
            try:
                await self.sweep()
            except StoreUnavailableError:  # which is in the log already
                wait = REST
            except Exception:
                log.exception("Downloads wait.")
                wait = REST
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)


def _tidy(folder: Path, kept: set[str]) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept:
            path.unlink(missing_ok=True)
