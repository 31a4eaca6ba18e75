"""The database, which can go away: one place that says whether it can be used, and why not.

PostgreSQL is restarted, a backup locks SQLite, a disk fills up, a file is deleted. Every query of the server
passes :meth:`Database.connect` (to read) or :meth:`Database.begin` (to write), which turn all of that into
:class:`StoreUnavailableError`. From the first failure on nobody waits: callers are refused at once, and a probe
asks the database every :data:`REST` seconds whether it takes a write again. Whoever has something to write is
called then.
"""

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from media.server.database_faults import Fault, StoreUnavailableError, fault_of

log = logging.getLogger(__name__)

PATIENCE: Final = 5.0
"""Seconds that one transaction of a request may take."""
LATE: Final = 1.0
"""Seconds by which a time-out comes too late when this process stood still, and not the database."""
REST: Final = 0.2
"""Seconds between two probes of a database that is away."""
FRESH: Final = 1.0
"""Seconds for which a write proves that the database takes writes."""
ANSWER: Final = 0.9
"""Seconds that :meth:`Database.check` waits for a probe."""
REPEAT: Final = 60.0
"""Seconds after which a fault of the same kind is logged again."""

_PROBE: Final = sa.text("UPDATE alembic_version SET version_num = version_num")
"""Writes what is there already: the one row that every store has."""

Recovered = Callable[[], Awaitable[None]]


class Database:
    """An engine, and whether it can be used.  On the event loop only."""

    def __init__(self, engine: AsyncEngine, patience: float | None = PATIENCE) -> None:
        """Take the seconds that a transaction may take; None for as long as it takes."""
        self.engine = engine
        self.fault: Fault | None = None
        """Why not; None while the database takes reads and writes."""
        self.hold: Callable[[], Awaitable[None]] | None = None
        """Awaited before the database counts as back; raises while it is not this server's."""
        self.let_go: Callable[[], None] = lambda: None
        """Called when the file system of the database is read-only, so that it can be unmounted."""
        self._patience = patience
        self._recovered: list[Recovered] = []
        self._file = _File(engine)
        self._wrote = float("-inf")
        self._logged: dict[str, float] = {}
        self._since = 0.0
        self._task: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[bool] | None = None
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else contextlib.nullcontext()
        """Of those who write to SQLite, which has one writer at a time and no order among those who wait for it.

        With it only another process is ever waited for, and what is taken for its lock is one.
        """

    @property
    def catching_up(self) -> bool:
        """Whether the database is away, or what waited for it is still being written."""
        return self._task is not None

    def on_recovered(self, write: Recovered) -> None:
        """Have something written as soon as the database is back."""
        self._recovered.append(write)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection]:
        """Give a connection to read with.

        :raises StoreUnavailableError: the database cannot be read
        """
        if self.fault is not None and not self.fault.readable:
            raise StoreUnavailableError(self.fault.cause)
        with self._judged(writing=False):
            async with self.engine.connect() as connection, asyncio.timeout(self._patience):
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """Give a transaction, which is committed at the end.

        :raises StoreUnavailableError: the database cannot be written
        """
        self._check_writable()
        async with self._turn:
            self._check_writable()  # it may have gone while this one waited
            with self._judged(writing=True):
                async with (
                    self.engine.connect() as connection,
                    asyncio.timeout(self._patience),
                    connection.begin(),
                ):
                    yield connection
        self._wrote = time.monotonic()

    def _check_writable(self) -> None:
        if self.fault is not None:
            raise StoreUnavailableError(self.fault.cause)

    def fail(self, fault: Fault) -> None:
        """Refuse every use until a probe succeeds; needs a running loop."""
        now = time.monotonic()
        if self.fault is None:
            self._since = now
        self.fault = fault
        if now - self._logged.get(fault.kind, float("-inf")) >= REPEAT:
            self._logged[fault.kind] = now
            log.error("The store is not available: %s Who needs it is answered 503 until it is.", fault.cause)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._recover())

    async def check(self) -> Fault | None:
        """Say whether the database takes a write now, within a second; None if it does."""
        if self.fault is None and time.monotonic() - self._wrote > FRESH:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.get_running_loop().create_task(self._probe())
            done, _ = await asyncio.wait([self._probing], timeout=ANSWER)
            if not done:
                return Fault("slow", "The database takes longer than a second to write.", readable=True)
        return self.fault

    async def close(self) -> None:
        """Let every connection go."""
        for task in (self._task, self._probing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._task = self._probing = None
        await self.engine.dispose()

    @contextlib.contextmanager
    def _judged(self, *, writing: bool) -> Generator[None]:
        """Turn what a database that is away raises into the one error that says so."""
        began = time.monotonic()
        try:
            yield
        except StoreUnavailableError as error:
            if error.fault is not None:
                self.fail(error.fault)
            raise
        except Exception as error:
            fault = fault_of(error, writing=writing)
            if fault is None:
                raise
            fault = self._file.judged(fault, writing=writing)
            if fault.lasting and time.monotonic() - began < PATIENCE + LATE:
                self.fail(fault)
            raise StoreUnavailableError(fault.cause) from error

    async def _probe(self) -> bool:
        try:
            with self._judged(writing=True):
                async with asyncio.timeout(PATIENCE):
                    if self.hold is not None:
                        await self.hold()
                    async with self._turn, self.engine.begin() as connection:
                        await connection.execute(_PROBE)
        except StoreUnavailableError:
            return False
        self._wrote = time.monotonic()
        return True

    async def _recover(self) -> None:
        while self.fault is not None:
            await asyncio.sleep(REST)
            with contextlib.suppress(Exception):
                if not await self._probe():
                    await self._let_files_go()
                    continue
                self.fault = None
                log.warning("The store is back after %.1f s.", time.monotonic() - self._since)
                await self._catch_up()
        self._task = None

    async def _let_files_go(self) -> None:
        """Keep no file open on a file system that was made read-only, as Linux does after an error on the disk."""
        if self.fault is not None and self.fault.kind == "read-only":
            await self.engine.dispose()
            self.let_go()

    async def _catch_up(self) -> None:
        """Have everything written that waits; what fails because the store has gone again waits on."""
        for write in self._recovered:
            try:
                await write()
            except StoreUnavailableError:
                return
            except Exception:
                log.exception("What waited for the store could not be written.")


class _File:
    """Compares the file of a SQLite database with the one that was opened.

    What is written to a deleted file is lost, and what another file holds is not what this server knows.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._path = Path(engine.url.database or "")
        self._opened: tuple[int, int] | None = None
        if engine.dialect.name == "sqlite" and is_file(engine.url.database):
            event.listen(engine.sync_engine, "do_connect", self._look)  # which would else make an empty one
            event.listen(engine.sync_engine, "begin", self._look)
            event.listen(engine.sync_engine, "commit", self._look)

    def _look(self, *_: object) -> None:
        try:
            found = self._path.stat()
            seen = found.st_dev, found.st_ino
        except OSError:
            seen = None
        if self._opened is None:
            self._opened = seen
        if seen == self._opened:
            return
        what = "deleted" if seen is None else "replaced"
        cause = (
            f"The database file {self._path} was {what} while it was in use; "
            "put it back, or restart the server to go on with what is there."
        )
        raise StoreUnavailableError(cause, Fault("file", cause))

    def judged(self, fault: Fault, *, writing: bool) -> Fault:
        """Tell a read-only file system, which SQLite does not, from a disk that fails in another way."""
        if fault.kind != "disk" or self._opened is None:
            return fault
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            if error.errno == errno.EROFS:
                cause = (
                    f"The file system of {self._path} is read-only; see what the kernel's log says of its disk."
                )
                return Fault("read-only", cause, readable=writing)
        return fault


def is_file(database: str | None) -> bool:
    """Whether the name of a SQLite database is the path of a file."""
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")
