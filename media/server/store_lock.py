"""One server for each store: what is in its memory is what is true, so two would overwrite each other's Spaces.

Beside a SQLite file the operating system locks another file, which ends with the process however it ends. In
PostgreSQL it is an advisory lock of a connection that does nothing else; when that connection breaks the store
counts as away until the lock is had again, so that no server writes to a store that another may have taken.
Commands beside the server, as ``python -m media import``, take no lock.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from media.server.database import Database, is_file
from media.server.database_faults import Fault, StoreUnavailableError

_KEY: Final = 0x5350_4C4B
"""Names the lock of PostgreSQL that a server holds as long as it runs: "SPLK" in ASCII."""
_LOST: Final = Fault("lock", "The connection to PostgreSQL that holds the lock of this server broke.")


class LockedError(RuntimeError):
    """Another server has the store; the message is one sentence for the operator."""


class StoreLock(Protocol):
    """A store taken for one server."""

    async def release(self) -> None:
        """Let others take it."""
        ...


async def lock_of(
    engine: AsyncEngine, shown_url: str, database: Database, give_up: Callable[[str], None]
) -> StoreLock | None:
    """Take a store; None for one that no other process can reach.

    :param give_up: is told why, if another server has taken it while the connection was broken
    :raises LockedError: another server has it
    """
    if engine.dialect.name == "postgresql":
        lock = PostgresqlLock(engine.url, shown_url, database, give_up)
        await lock.take()
        return lock
    return FileLock(Path(str(engine.url.database)), database, give_up) if is_file(engine.url.database) else None


class FileLock:
    """The lock of a SQLite database: of the file ``<database>.lock``, which stays and holds a process id.

    It is let go while the file system is read-only, where nobody else can take it: only a file system that nobody
    uses can be unmounted, repaired and mounted again.
    """

    def __init__(self, path: Path, database: Database, give_up: Callable[[str], None]) -> None:
        self._database, self._give_up = path, give_up
        self._file: int | None = self._take(os.O_CREAT)
        database.hold, database.let_go = self._retake, self._let_go

    def _take(self, more: int = 0) -> int:
        path = self._database.with_name(f"{self._database.name}.lock")
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | more, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode("ascii", "replace").strip()
            os.close(file)
            raise LockedError(_taken(str(self._database), f"process {holder}", "--data")) from None
        except BaseException:
            os.close(file)
            raise
        return file

    async def _retake(self) -> None:
        if self._file is not None:
            return
        try:
            self._file = self._take()
        except LockedError as error:
            self._give_up(str(error))
            raise StoreUnavailableError(str(error), Fault("lock", str(error))) from None
        except OSError as error:
            cause = f"The lock beside the database cannot be taken again ({error.strerror})."
            raise StoreUnavailableError(cause, Fault("read-only", cause)) from error

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def release(self) -> None:
        """Let others take it."""
        self._let_go()


class PostgresqlLock:
    """The lock of a PostgreSQL database, held by a connection."""

    def __init__(self, url: sa.URL, shown_url: str, database: Database, give_up: Callable[[str], None]) -> None:
        self._me = f"spaces-lab {secrets.token_hex(8)}"
        settings = {"application_name": self._me, "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5"}
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 3.0, "command_timeout": 3.0, "server_settings": settings},
        )
        self._shown_url = shown_url
        self._database = database
        self._give_up = give_up
        self._connection: AsyncConnection | None = None
        self._broken = False
        self._released = False

    async def take(self) -> None:
        """Take it.

        :raises LockedError: another server has it
        """
        connection = await self._engine.connect()
        try:
            if not (await connection.execute(sa.select(sa.func.pg_try_advisory_lock(_KEY)))).scalar_one():
                await self._evict_myself(connection)
            raw: Any = (await connection.get_raw_connection()).driver_connection
            raw.add_termination_listener(self._lost)
        except BaseException:
            with contextlib.suppress(Exception):
                await connection.invalidate()
                await connection.close()
            raise
        self._connection, self._broken = connection, False
        self._database.hold = self._retake

    async def release(self) -> None:
        """Let others take it."""
        self._released = True
        self._database.hold = None
        await self._put_away()
        await self._engine.dispose()

    async def _put_away(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                await self._connection.close()
            self._connection = None

    async def _evict_myself(self, connection: AsyncConnection) -> None:
        """End a connection of this server that PostgreSQL has not noticed to be broken, and take its lock.

        :raises LockedError: it is the connection of another server
        """
        holders = sa.text(
            "SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = :key AND l.objsubid = 1 AND l.granted "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        for pid, name in (await connection.execute(holders, {"key": _KEY})).all():
            if name != self._me:
                raise LockedError(_taken(self._shown_url, f"PostgreSQL's process {pid}", "--database"))
            await connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
        for _ in range(20):
            if (await connection.execute(sa.select(sa.func.pg_try_advisory_lock(_KEY)))).scalar_one():
                return
            await asyncio.sleep(0.05)
        raise LockedError(_taken(self._shown_url, "somebody", "--database"))

    def _lost(self, _: object) -> None:
        """Take note that the connection broke."""
        self._broken = True
        if not self._released:
            self._database.fail(_LOST)

    async def _retake(self) -> None:
        if not self._broken:
            return
        await self._put_away()
        try:
            await self.take()
        except LockedError as error:
            self._give_up(str(error))
            raise StoreUnavailableError(str(error), Fault("lock", str(error))) from None


def _taken(store: str, holder: str, flag: str) -> str:
    return f"Another server uses the store {store} ({holder}); stop it, or choose another with {flag}."
